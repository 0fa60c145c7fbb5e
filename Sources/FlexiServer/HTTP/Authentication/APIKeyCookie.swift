import HTTPTypes
import Hummingbird

/// The cookie in which a browser keeps the API key of its account.
struct APIKeyCookie: Sendable {
    static let name = "x-api-key"

    private let configuration: ServerConfiguration

    init(_ configuration: ServerConfiguration) {
        self.configuration = configuration
    }

    /// The `Set-Cookie` value that hands `key` out: out of reach of scripts, never sent along by another site, and
    /// gone when the key would have expired unused. Browsers keep none longer than 400 days.
    func value(_ key: Secret<String>) -> String {
        let maximumAge = self.configuration.apiKeyIdleExpiry.map(\.components.seconds) ?? 400 * 86_400
        let secure = self.configuration.appURL.isHTTPS ? "; Secure" : ""
        return "\(Self.name)=\(key.reveal()); Max-Age=\(maximumAge); Path=/; HttpOnly; SameSite=Strict\(secure)"
    }

    /// The key in a request's `Cookie` fields (RFC 6265, section 4.2), if there is one.
    static func key(in headers: HTTPFields) -> String? {
        guard let value = headers[.cookie] else { return nil }
        for pair in value.split(separator: ";") {
            guard let equals = pair.firstIndex(of: "="), pair[..<equals].trimmed == self.name else { continue }
            let key = pair[pair.index(after: equals)...].trimmed
            return key.isEmpty ? nil : String(key)
        }
        return nil
    }
}
