import DigestAuth
import Logging
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

/// What a SIP server sees: logged in as its role, with the queries of its default configuration.
@Suite("Views for SIP servers")
struct SIPViewsTests {
    @Test func flexisipFindsTheHashesOfAnActiveAccount() async throws {
        try await withServer { server in
            let alice = try await server.account("alice", algorithms: [.md5, .sha256])
            try await server.asSIPServer { sip in
                let rows = try await sip.query(Self.flexisipPasswords("alice", "sip.example.org"))
                #expect(try rows.map { try $0.decode((String, String).self).1 }.sorted() == ["MD5", "SHA-256"])
                let md5 = HA1.compute(.md5, username: "alice", realm: "sip.example.org", password: alice.password)
                let old = try await sip.query(
                    "select password, 'MD5' from accounts where login = \("alice") and domain = \("sip.example.org")")
                #expect(try old.map { try $0.decode((String, String).self).0 } == [md5])
            }
        }
    }

    @Test func anInactiveAccountIsNotThere() async throws {
        try await withServer { server in
            _ = try await server.account("alice", algorithms: [.md5], isActive: false)
            _ = try await server.account("bob", domain: "other.example.org", algorithms: [.md5])
            try await server.services.database.execute(
                "UPDATE flexi.domains SET suspended = true WHERE name = 'other.example.org'")
            try await server.asSIPServer { sip in
                #expect(try await sip.query(Self.flexisipPasswords("alice", "sip.example.org")).isEmpty)
                #expect(try await sip.query(Self.flexisipPasswords("bob", "other.example.org")).isEmpty)
                for view in Self.views {
                    let rows = try await sip.query(PGQuery(unsafeSQL: "SELECT FROM \(view)"))
                    let expected = ["domain": 1, "version": 6][view] ?? 0
                    #expect(rows.count == expected, "\(view)")
                }
            }
        }
    }

    @Test func flexisipFindsAccountsByTheirPhone() async throws {
        try await withServer { server in
            let alice = try await server.account("alice")
            try await server.services.database.execute(
                "UPDATE flexi.accounts SET phone = '+33612345678' WHERE id = \(alice.id)")
            try await server.asSIPServer { sip in
                let user = try await sip.query(
                    """
                    select username from accounts
                    where activated = true and (username = \("+33612345678") or phone = \("+33612345678"))
                    """)
                #expect(try user.map { try $0.decode("username", as: String.self) } == ["alice"])
                let users = try await sip.query(
                    """
                    select username, domain from accounts where activated = true
                    and (username in ('+33612345678', '+1') or phone in ('+33612345678', '+1'))
                    """)
                #expect(users.count == 1)
            }
        }
    }

    @Test func kamailioAndOpenSIPSFindTheirColumns() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            _ = try await server.create("with.md5", algorithm: "MD5", admin, more: #","activated":true"#)
            _ = try await server.create("with.sha256", admin, more: #","activated":true"#)
            try await server.asSIPServer { sip in
                let kamailio = try await sip.query(
                    "select ha1, ha1b, rpid from subscriber where username = \("with.md5") and domain = \("sip.example.org")"
                )
                let ha1 = HA1.compute(.md5, username: "with.md5", realm: "sip.example.org", password: "wonderland")
                #expect(try kamailio.map { try $0.decode("ha1", as: String.self) } == [ha1])
                // An account without the hash is not there at all: nothing may be compared with an empty one.
                #expect(try await sip.query("select from subscriber where username = 'with.sha256'").isEmpty)
                #expect(try await sip.query("select from subscriber_sha256 where username = 'with.sha256'").count == 1)
                let opensips = try await sip.query(
                    "select ha1, ha1_sha256, ha1_sha512t256 from subscriber_opensips where username = 'with.sha256'")
                #expect(try opensips[0].decode("ha1", as: String.self) == "-")
                #expect(try opensips[0].decode("ha1_sha512t256", as: String.self).count == 64)
            }
        }
    }

    @Test func theRoleReadsTheViewsAndNothingElse() async throws {
        try await withServer { server in
            _ = try await server.account("alice")
            try await server.asSIPServer { sip in
                let readable = try await sip.query(
                    """
                    SELECT relnamespace::regnamespace::text || '.' || relname AS name FROM pg_class
                    WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND relnamespace::regnamespace::text IN ('flexi', 'migrate', 'sip')
                      AND has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT')
                    ORDER BY relname
                    """
                ).map { row in try row.decode("name", as: String.self) }
                #expect(readable == Self.views.map { "sip.\($0)" })
                for table in ["flexi.accounts", "flexi.passwords", "flexi.api_keys", "migrate.ledger"] {
                    let error = await #expect(throws: PGError.self) {
                        try await sip.query(PGQuery(unsafeSQL: "SELECT * FROM \(table)"))
                    }
                    #expect(error?.sqlState == "42501", "\(table)")
                }
                let write = await #expect(throws: PGError.self) { try await sip.query("DELETE FROM domain") }
                #expect(write?.sqlState == "42501")
                let setting = try await sip.query("SELECT current_setting('default_transaction_read_only') AS value")
                #expect(try setting[0].decode("value", as: String.self) == "on")
            }
        }
    }

    @Test func aSecondDatabaseOfTheClusterHasItsOwnRoles() async throws {
        try await withTestDatabase { first in
            try await withTestDatabase { second in
                let suffix = String(first.name.suffix(12))
                let roles = Migrations.Roles(owner: "owner_\(suffix)", app: "app_\(suffix)", sip: "sip_\(suffix)")
                try await Migrations.apply(to: first)
                try await Migrations.apply(to: second, roles: roles)
                try await PGConnection.withConnection(second.configuration, logger: Logger(label: "test")) {
                    connection in
                    let owners = try await connection.query(
                        "SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'flexi'::regnamespace"
                    )
                    #expect(try owners.map { try $0.decode("owner", as: String.self) } == [roles.owner])
                    // Roles belong to the cluster, and would outlive the database.
                    try await connection.simpleQuery(
                        unsafeSQL: """
                            DROP OWNED BY \(roles.app), \(roles.sip), \(roles.owner) CASCADE;
                            DROP ROLE \(roles.app), \(roles.sip), \(roles.owner);
                            """)
                }
            }
        }
    }

    /// Flexisip's default `soci-password-request`.
    private static func flexisipPasswords(_ id: String, _ domain: String) -> PGQuery {
        """
        select password, algorithm from passwords where account_id = \
        (select id from accounts where username = \(id) and domain = \(domain) and activated = true)
        """
    }

    private static let views = [
        "accounts", "dbaliases", "domain", "domain_attrs", "passwords", "realm_passwords", "subscriber",
        "subscriber_opensips",
        "subscriber_sha256", "uri", "version",
    ]
}

extension TestServer {
    /// Logs in as the role of SIP servers, with what scripts/roles.sql sets for it in this database.
    fileprivate func asSIPServer<R: Sendable>(_ body: (PGConnection) async throws -> R) async throws -> R {
        try await Migrations.makeRoles(Migrations.Roles(), in: self.database)
        let configuration = PGConfiguration(self.database.conninfo + " user=flexi_sip")
        return try await PGConnection.withConnection(configuration, logger: Logger(label: "test"), body)
    }
}
