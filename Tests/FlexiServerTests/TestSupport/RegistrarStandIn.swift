import Foundation
import Logging
import PGClient
import PGTesting
import Synchronization

@testable import FlexiServer

/// Something that an account has registered from.
struct Registration: Sendable {
    let account: String
    let device: Device

    /// Registered that long ago, for an hour from then on.
    init(_ account: String, _ id: String, _ userAgent: String, secondsAgo: Int) {
        let updated = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 - Double(secondsAgo)).rounded())
        self.account = account
        self.device = Device(
            id: Device.ID(id), userAgent: userAgent, updatedAt: updated, expiresAt: updated.addingTimeInterval(3_600))
    }
}

/// The registrars that there are, with something behind them that behaves as their servers do.
enum RegistrarStandIn: CaseIterable, Sendable {
    case flexisip20
    case flexisip21
    case kamailio

    func with(_ registrations: [Registration], _ body: (any Registrar) async throws -> Void) async throws {
        switch self {
        case .flexisip20, .flexisip21:
            let proxy = ProxyStandIn(registrations, hasDashes: self == .flexisip21)
            try await withFlexisip(reply: { proxy.reply($0) }) { registrar, _ in try await body(registrar) }
        case .kamailio:
            try await withKamailioDatabase { database in
                for registration in registrations { try await database.insert(registration) }
                try await body(database.registrar())
            }
        }
    }

    /// A registrar whose server answers every connection alike.
    func withReplies(
        _ reply: StandIn.Reply, timeout: Duration, _ body: (any Registrar) async throws -> Void
    ) async throws {
        switch self {
        case .flexisip20, .flexisip21:
            try await withFlexisip(timeout: timeout, reply: { _ in reply }) { registrar, _ in
                try await body(registrar)
            }
        case .kamailio:
            try await StandIn.with(.loopback, reply: { _ in reply }) { standIn in
                try await body(Self.kamailio(atPort: standIn.port, timeout: timeout))
            }
        }
    }

    /// A registrar whose server is not there.
    func absent() async throws -> any Registrar {
        switch self {
        case .flexisip20, .flexisip21:
            FlexisipRegistrar(processIDFile: "/nowhere/pid", socketDirectory: "/nowhere", timeout: .seconds(60))
        case .kamailio:
            // A port that was free a moment ago.
            try await Self.kamailio(
                atPort: StandIn.with(.loopback, reply: { _ in .hangUp }) { $0.port }, timeout: .seconds(60))
        }
    }

    private static func kamailio(atPort port: Int, timeout: Duration) -> KamailioRegistrar {
        KamailioRegistrar(
            PGConfiguration("host=127.0.0.1 port=\(port) user=kamailio dbname=kamailio sslmode=disable"),
            onlyDomain: nil, timeout: timeout, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// Lends a registrar and the stand-in of the proxy that it speaks to.
func withFlexisip(
    timeout: Duration = .seconds(60), reply: @escaping @Sendable (String) async -> StandIn.Reply,
    _ body: (FlexisipRegistrar, StandIn) async throws -> Void
) async throws {
    try await withFolder { folder in
        let file = folder.appending(path: "pid")
        try Data("4711\n".utf8).write(to: file)
        let registrar = FlexisipRegistrar(
            processIDFile: file.path, socketDirectory: folder.path, timeout: timeout)
        try await StandIn.with(.unixSocket("\(folder.path)/flexisip-proxy-4711"), reply: reply) { standIn in
            try await body(registrar, standIn)
        }
    }
}

/// Answers as the control socket of Flexisip's proxy does.
final class ProxyStandIn: Sendable {
    private let registrations: Mutex<[Registration]>
    private let hasDashes: Bool

    /// Names have dashes from 2.1 on, underscores before.
    init(_ registrations: [Registration], hasDashes: Bool) {
        self.registrations = Mutex(registrations)
        self.hasDashes = hasDashes
    }

    func reply(_ command: String) -> StandIn.Reply {
        let words = command.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, words[1].hasPrefix("sip:") else { return .answer("Error: unknown command") }
        let account = String(words[1].dropFirst(4))
        return self.registrations.withLock { registrations in
            switch (words[0], words.count) {
            case ("REGISTRAR_GET", 2):
                let found = registrations.filter { $0.account == account }
                if found.isEmpty {
                    return .answer(
                        self.hasDashes
                            ? "Error - 404 Not Found: the registrar database does not contain the requested AOR"
                            : "Error 404: Not Found. The Registrar does not contain the requested AOR.")
                }
                return .answer(self.record(found))
            case ("REGISTRAR_DELETE", 3):
                registrations.removeAll { $0.account == account && "\"<\($0.device.id.value)>\"" == words[2] }
                return .answer(self.record(registrations.filter { $0.account == account }))
            default: return .answer("Error: unknown command \(words[0])")
            }
        }
    }

    private func record(_ registrations: [Registration]) -> String {
        let contacts = registrations.map { registration in
            let device = registration.device
            let members = [
                #""contact":"sip:\#(registration.account)""#, #""path":["<sip:127.0.0.1:5060;lr>"]"#,
                "\(self.name("expires-at")):\(Int(device.expiresAt?.timeIntervalSince1970 ?? 0))", #""q":1.0"#,
                "\(self.hasDashes ? #""unique-id""# : #""line_value_copy""#):\"\\\"<\(device.id.value)>\\\"\"",
                "\(self.name("user-agent")):\"\(device.userAgent.replacing("\"", with: "\\\""))\"",
                #"\#(self.name("call-id")):"ydzPZyQcJE""#, #""cseq":20"#, #""accept":["application/sdp"]"#,
                #""alias":0"#,
                "\(self.name("update-time")):\(Int(device.updatedAt?.timeIntervalSince1970 ?? 0))",
            ]
            return "{\(members.joined(separator: ","))}"
        }
        return "{\"contacts\":[\(contacts.joined(separator: ","))]}"
    }

    private func name(_ dashed: String) -> String {
        "\"\(self.hasDashes ? dashed : dashed.replacing("-", with: "_"))\""
    }
}

/// A database with the table of Kamailio's usrloc module in it.
struct KamailioDatabase: Sendable {
    let database: TestDatabase

    func registrar(onlyDomain: DomainName? = nil, parameters: [String: String] = [:]) -> KamailioRegistrar {
        var configuration = self.database.configuration
        configuration.parameters = parameters
        return KamailioRegistrar(
            configuration, onlyDomain: onlyDomain, timeout: .seconds(60),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// As Kamailio 5.6 writes it: the instance id in angle brackets, local times.
    func insert(_ registration: Registration) async throws {
        let names = registration.account.split(separator: "@")
        let device = registration.device
        let instance: String? = "<\(device.id.value)>"
        try await self.client.execute(
            """
            INSERT INTO location (ruid, username, domain, contact, expires, last_modified, user_agent, instance)
            VALUES (\("uloc-\(UUID().uuidString)"), \(String(names[0])), \(String(names[1])),
                'sip:alice@192.0.2.7:38561;transport=udp', \(device.expiresAt)::timestamptz::timestamp,
                \(device.updatedAt)::timestamptz::timestamp, \(device.userAgent), \(instance))
            """
        )
    }

    var client: PGClient {
        var configuration = self.database.configuration
        configuration.waitForConnections(atMost: .seconds(60))
        return PGClient(configuration, logger: Logger(label: "test"))
    }
}

/// Lends a database with Kamailio's table; its columns and index are those of version 9, which Kamailio 5.6 has.
func withKamailioDatabase(_ body: (KamailioDatabase) async throws -> Void) async throws {
    try await withTestDatabase { database in
        try await DatabaseOwner(database).run(
            """
            CREATE TABLE location (
                id serial PRIMARY KEY,
                ruid varchar(64) NOT NULL DEFAULT '' UNIQUE,
                username varchar(64) NOT NULL DEFAULT '',
                domain varchar(64),
                contact varchar(512) NOT NULL DEFAULT '',
                received varchar(128),
                path varchar(512),
                expires timestamp NOT NULL DEFAULT '2030-05-28 21:32:15',
                q real NOT NULL DEFAULT 1.0,
                callid varchar(255) NOT NULL DEFAULT 'Default-Call-ID',
                cseq integer NOT NULL DEFAULT 1,
                last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01',
                flags integer NOT NULL DEFAULT 0,
                cflags integer NOT NULL DEFAULT 0,
                user_agent varchar(255) NOT NULL DEFAULT '',
                socket varchar(64),
                methods integer,
                instance varchar(255),
                reg_id integer NOT NULL DEFAULT 0,
                server_id integer NOT NULL DEFAULT 0,
                connection_id integer NOT NULL DEFAULT 0,
                keepalive integer NOT NULL DEFAULT 0,
                partition integer NOT NULL DEFAULT 0
            );
            CREATE INDEX location_account_contact_idx ON location (username, domain, contact);
            """)
        try await body(KamailioDatabase(database: database))
    }
}
