import DigestAuth
import Foundation

/// The client's side of HTTP Digest, written out so that a test can get any part of it wrong.
struct DigestClient: Sendable {
    let account: TestAccount
    let parameters: [String: String]

    /// Reads a `WWW-Authenticate` value.
    init(_ account: TestAccount, challenge: String) {
        self.account = account
        var parameters: [String: String] = [:]
        for part in challenge.dropFirst("Digest ".count).split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            parameters[String(pair[0])] = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        }
        self.parameters = parameters
    }

    /// The `Authorization` header; `change` replaces parameters after the response was computed with the right ones.
    func authorization(
        _ method: String, _ target: String, count: Int = 1, password: String? = nil, change: [String: String] = [:]
    ) -> (String, String) {
        let algorithm = self.parameters["algorithm"].flatMap(DigestAlgorithm.init(rawValue:)) ?? .md5
        let realm = self.parameters["realm"] ?? ""
        let nonce = self.parameters["nonce"] ?? ""
        let hexCount = String(format: "%08x", count)
        let ha1 = HA1.compute(
            algorithm, username: self.account.username, realm: realm, password: password ?? self.account.password)
        let response = DigestResponse.compute(
            algorithm, ha1: ha1, nonce: nonce, count: hexCount, clientNonce: "c~1", method: method, uri: target)
        func value(_ name: String, _ right: String) -> String { change[name] ?? right }
        return (
            "Authorization",
            "Digest username=\"\(value("username", self.account.username))\", realm=\"\(value("realm", realm))\", "
                + "nonce=\"\(value("nonce", nonce))\", uri=\"\(value("uri", target))\", algorithm=\(value("algorithm", algorithm.rawValue)), "
                + "response=\"\(value("response", response))\", opaque=\"\(value("opaque", self.parameters["opaque"] ?? ""))\", "
                + "qop=\(value("qop", "auth")), nc=\(value("nc", hexCount)), cnonce=\"c~1\""
        )
    }
}

extension TestServer {
    /// Asks for a challenge as `account`; the first one, as deployed clients take it.
    func digest(_ account: TestAccount, _ target: String = "/api/accounts/me") async throws -> DigestClient {
        let challenge = try await self.get(target, [account.from]).headers("WWW-Authenticate").first
        return DigestClient(account, challenge: challenge ?? "Digest ")
    }
}
