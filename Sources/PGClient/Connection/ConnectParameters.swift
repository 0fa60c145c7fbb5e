import CLibPQ
import Glibc

/// The keywords and values for one attempt to connect, read from the connection string, its defaults and the configuration.
struct ConnectParameters: Sendable {
    /// A server to try: what the user called it, its address once known, its port.
    struct Host: Sendable, Equatable {
        var name: String
        var address: String
        var port: String

        /// Sockets of the file system and addresses need no name resolution.
        var needsResolution: Bool {
            guard self.address.isEmpty, let first = self.name.first, first != "/", first != "@" else { return false }
            var buffer = in6_addr()
            return inet_pton(AF_INET, self.name, &buffer) != 1 && inet_pton(AF_INET6, self.name, &buffer) != 1
        }
    }

    /// What the connection string itself says.
    let given: [String: String]
    private(set) var values: [String: String]
    /// What libpq takes for what `values` leaves out: from a service, the environment or its own defaults.
    private let defaults: [String: String]
    private(set) var hosts: [Host]
    private let password: String?
    /// The time for one attempt at one server.
    let timeout: Duration

    init(_ configuration: PGConfiguration) throws(PGError) {
        guard !configuration.conninfo.holdsNUL else {
            throw PGError(.invalidConfiguration, message: "the connection string holds a NUL character")
        }
        var complaint: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(configuration.conninfo, &complaint) else {
            // libpq's own complaint quotes the text, which may hold a password.
            PQfreemem(complaint)
            throw PGError(
                .invalidConfiguration,
                message: "the connection string is malformed (it is not shown, as it may hold a password)")
        }
        self.given = Self.collect(options)
        var values = self.given
        let defaults =
            if values["service"] == nil {
                PQconndefaults().map(Self.collect) ?? [:]
            } else {
                try Self.settings(ofServiceIn: values)
            }
        self.defaults = defaults
        self.password = values["password"] ?? defaults["password"]

        let names = Self.list(values["host"] ?? defaults["host"])
        let addresses = Self.list(values["hostaddr"] ?? defaults["hostaddr"])
        let ports = Self.list(values["port"] ?? defaults["port"])
        self.hosts = (0..<max(names.count, addresses.count)).map { index in
            Host(
                name: index < names.count ? names[index] : "",
                address: index < addresses.count ? addresses[index] : "",
                port: ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
            )
        }

        // libpq itself heeds it only where it blocks. 0 and less mean no limit there, which does not exist here.
        let seconds = (values["connect_timeout"] ?? defaults["connect_timeout"]).flatMap { Int($0) } ?? 0
        self.timeout = seconds > 0 ? .seconds(seconds) : configuration.connectTimeout

        values["client_encoding"] = "UTF8"
        if let name = configuration.applicationName { values["application_name"] = name }
        // Looking for Kerberos credentials blocks; who wants GSS encryption asks for it.
        if values["gssencmode"] == nil && getenv("PGGSSENCMODE") == nil && defaults["gssencmode"] != "require" {
            values["gssencmode"] = "disable"
        }
        let settings = Self.settings(configuration)
        if !settings.isEmpty {
            let given = values["options"] ?? defaults["options"] ?? ""
            values["options"] = given.isEmpty ? settings : given + " " + settings
        }
        for (keyword, value) in values where value.holdsNUL {
            throw PGError(.invalidConfiguration, message: "the value of \(keyword) holds a NUL character")
        }
        self.values = values
    }

    var needsResolution: Bool { self.hosts.contains(where: \.needsResolution) }

    /// The same with every host's name replaced by its addresses; names stay beside them for the check of certificates.
    func resolved(to hosts: [Host]) -> ConnectParameters {
        var copy = self
        copy.hosts = hosts
        copy.values["host"] = hosts.map(\.name).joined(separator: ",")
        copy.values["hostaddr"] = hosts.map(\.address).joined(separator: ",")
        copy.values["port"] = hosts.map(\.port).joined(separator: ",")
        return copy
    }

    /// What to try, in order: each server by itself, so that each has its time.
    func attempts() -> [ConnectParameters] {
        guard self.hosts.count > 1 else { return [self] }
        let each = self.hosts.map { self.resolved(to: [$0]) }
        guard self.targetSession == "prefer-standby" else { return each }
        // Seen from one server there is no preference: any standby first, then any server.
        return ["standby", "any"].flatMap { target in
            each.map { attempt in
                var attempt = attempt
                attempt.values["target_session_attrs"] = target
                return attempt
            }
        }
    }

    /// For another session on the server of `connection`, encrypted as that one is; nil when it is not.
    func encrypted(as connection: OpaquePointer) -> ConnectParameters? {
        var copy = self
        if PQgssEncInUse(connection) == 1 {
            copy.values["gssencmode"] = "require"
        } else {
            guard PQsslInUse(connection) == 1 else { return nil }
            // The other modes ask for more than that.
            if !["verify-ca", "verify-full"].contains(self.values["sslmode"] ?? self.defaults["sslmode"]) {
                copy.values["sslmode"] = "require"
            }
        }
        copy.values["target_session_attrs"] = "any"
        copy.values["connect_timeout"] = String(Int(self.timeout.seconds.rounded(.up)))
        return copy
    }

    /// As the functions of libpq take them that make connections.
    func withKeywordsAndValues<R>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        Self.withKeywordsAndValues(self.values, body)
    }

    private static func withKeywordsAndValues<R>(
        _ settings: [String: String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let pairs = settings.sorted { $0.key < $1.key }
        let keywords = pairs.map { strdup($0.key) }
        let values = pairs.map { strdup($0.value) }
        defer { for text in keywords + values { free(text) } }
        return body(keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
    }

    private var targetSession: String? {
        self.values["target_session_attrs"] ?? self.defaults["target_session_attrs"]
    }

    /// The server as the user called it, for messages.
    var server: String? {
        guard let host = self.hosts.first else { return nil }
        let name = host.name.isEmpty ? host.address : host.name
        return host.port.isEmpty ? name : name + " port " + host.port
    }

    /// Takes the password out of a message of libpq or the server.
    func redacted(_ message: String) -> String {
        guard let password, !password.isEmpty else { return message }
        var rest = Substring(message)
        var clean = ""
        while let range = rest.firstRange(of: password) {
            clean += rest[..<range.lowerBound] + "***"
            rest = rest[range.upperBound...]
        }
        return clean + rest
    }

    /// What the service means that the connection string names, and all else that libpq would connect with.
    ///
    /// Nothing in libpq reads a service alone. So it is asked to connect with one setting that it refuses, which it does when it has read
    /// everything and before it looks for a server.
    private static func settings(ofServiceIn given: [String: String]) throws(PGError) -> [String: String] {
        let (keyword, refused) = ("channel_binding", "refused")
        let connection = Self.withKeywordsAndValues(given.merging([keyword: refused]) { $1 }) {
            PQconnectStartParams($0, $1, 0)
        }
        defer { PQfinish(connection) }
        var settings = PQconninfo(connection).map(Self.collect) ?? [:]
        guard settings.removeValue(forKey: keyword) == refused else {
            // It got no further than the file, whose values it does not quote.
            throw PGError(.invalidConfiguration, message: String(cString: PQerrorMessage(connection)).onOneLine)
        }
        return settings
    }

    /// The command line options of a session that set its run-time parameters: in effect without a round trip.
    private static func settings(_ configuration: PGConfiguration) -> String {
        var parameters = configuration.parameters
        if let timeout = configuration.statementTimeout {
            parameters["statement_timeout"] = String(timeout.milliseconds)
        }
        return parameters.sorted { $0.key < $1.key }.map { name, value in
            "-c " + Self.escaped(name) + "=" + Self.escaped(value)
        }.joined(separator: " ")
    }

    private static func escaped(_ text: String) -> String {
        String(text.flatMap { $0 == "\\" || $0.isWhitespace ? ["\\", $0] : [$0] })
    }

    private static func list(_ value: String?) -> [String] {
        guard let value, !value.isEmpty else { return [] }
        return value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// Copies what is set out of libpq's array and frees it.
    private static func collect(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return values
    }
}

extension ConnectParameters: CustomStringConvertible {
    var description: String {
        ["host", "hostaddr", "port", "dbname", "user", "sslmode"]
            .compactMap { key in self.values[key].map { "\(key)=\($0)" } }
            .joined(separator: " ")
    }
}

extension Duration {
    /// Whole milliseconds, at least 1 for anything above zero: 0 means "no limit" to PostgreSQL and to `poll`.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        guard seconds < Int64.max / 1000 else { return .max }
        let whole = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return attoseconds % 1_000_000_000_000_000 > 0 ? whole + 1 : whole
    }

    var seconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
