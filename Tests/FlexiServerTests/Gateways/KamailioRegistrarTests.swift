import Foundation
import Logging
import PGClient
import PGTesting
import Testing

@testable import FlexiServer

@Suite("Kamailio's location table")
struct KamailioRegistrarTests {
    private static let alice = SIPAddress("alice@sip.example.org")
    private static let phone = Registration(
        "alice@sip.example.org", "urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38", "Phone", secondsAgo: 60)

    @Test func aDeviceIsCalledByItsInstanceElseByItsGRUUElseByItsRecord() async throws {
        let alice = try #require(Self.alice)
        try await withKamailioDatabase { database in
            try await database.client.execute(
                """
                INSERT INTO location (ruid, username, domain, contact, instance, last_modified) VALUES
                    ('uloc-1', 'alice', 'sip.example.org', 'sip:alice@192.0.2.1;gr=urn:uuid:2', '<urn:uuid:1>', '2026-01-03'),
                    ('uloc-2', 'alice', 'sip.example.org', 'sip:alice@192.0.2.1;gr=urn%3Auuid%3A2', NULL, '2026-01-02'),
                    ('uloc-3', 'alice', 'sip.example.org', 'sip:alice@192.0.2.1;transport=udp', '', '2026-01-01')
                """)
            let devices = try await database.registrar().devices(of: alice)
            #expect(devices.map(\.id.value) == ["urn:uuid:1", "urn:uuid:2", "uloc-3"])
        }
    }

    @Test func everyRegistrationOfADeviceIsRemoved() async throws {
        let alice = try #require(Self.alice)
        let earlier = Registration("alice@sip.example.org", Self.phone.device.id.value, "Phone", secondsAgo: 900)
        try await withKamailioDatabase { database in
            for registration in [earlier, Self.phone] { try await database.insert(registration) }
            let registrar = database.registrar()
            #expect(try await registrar.devices(of: alice) == [Self.phone.device])
            #expect(try await registrar.remove(Self.phone.device.id, of: alice))
            #expect(try await database.client.query("SELECT FROM location").isEmpty)
        }
    }

    @Test func whatHasExpiredIsNoDeviceAndWhatNeverExpiresIs() async throws {
        let alice = try #require(Self.alice)
        let past = Registration("alice@sip.example.org", "urn:uuid:1", "Phone", secondsAgo: 4_000)
        try await withKamailioDatabase { database in
            try await database.insert(past)
            let registrar = database.registrar()
            #expect(try await registrar.devices(of: alice) == [])
            #expect(try await registrar.remove(past.device.id, of: alice) == false)
            try await database.client.execute("UPDATE location SET expires = '1970-01-01 00:00:00'")
            let devices = try await registrar.devices(of: alice)
            #expect(devices.map(\.id.value) == ["urn:uuid:1"])
            #expect(devices.first?.expiresAt == nil)
        }
    }

    @Test func timesAreLocalToTheRolesTimeZone() async throws {
        let alice = try #require(Self.alice)
        try await withKamailioDatabase { database in
            try await database.client.execute(
                """
                INSERT INTO location (ruid, username, domain, expires, last_modified)
                VALUES ('uloc-1', 'alice', 'sip.example.org', '2099-07-01 12:00:00', '2026-01-01 12:00:00')
                """)
            let devices = try await database.registrar(parameters: ["TimeZone": "Europe/Paris"]).devices(of: alice)
            #expect(devices.first?.updatedAt.map(TimeText.rfc3339) == "2026-01-01T11:00:00.000000Z")
            #expect(devices.first?.expiresAt.map(TimeText.rfc3339) == "2099-07-01T10:00:00.000000Z")
        }
    }

    @Test func timesMayBeSecondsToo() async throws {
        let alice = try #require(Self.alice)
        try await withKamailioDatabase { database in
            try await database.insert(Self.phone)
            try await DatabaseOwner(database.database).run(
                """
                ALTER TABLE location ALTER expires DROP DEFAULT, ALTER last_modified DROP DEFAULT,
                    ALTER expires TYPE bigint USING extract(epoch FROM expires::timestamptz)::bigint,
                    ALTER last_modified TYPE bigint USING extract(epoch FROM last_modified::timestamptz)::bigint
                """)
            #expect(try await database.registrar().devices(of: alice) == [Self.phone.device])
        }
    }

    @Test func aRegistrationWithoutADomainBelongsToTheOnlyOne() async throws {
        let (alice, other) = try (#require(Self.alice), #require(SIPAddress("alice@other.example.org")))
        try await withKamailioDatabase { database in
            try await database.insert(Self.phone)
            for domain in ["NULL", "''"] {
                try await DatabaseOwner(database.database).run("UPDATE location SET domain = \(domain)")
                #expect(try await database.registrar().devices(of: alice) == [])
                let registrar = database.registrar(onlyDomain: alice.domain)
                #expect(try await registrar.devices(of: alice) == [Self.phone.device])
                #expect(try await registrar.devices(of: other) == [])
                #expect(try await registrar.remove(Self.phone.device.id, of: other) == false)
            }
        }
    }

    @Test(arguments: ["force_custom_plan", "force_generic_plan"], [true, false])
    func theIndexIsUsed(planMode: String, withoutDomain: Bool) async throws {
        let alice = try #require(Self.alice)
        try await withKamailioDatabase { database in
            try await DatabaseOwner(database.database).run(
                """
                INSERT INTO location (ruid, username, domain, contact)
                SELECT n::text, 'user-' || n, 'sip.example.org', 'sip:user@192.0.2.7' FROM generate_series(1, 20000) AS n;
                ANALYZE location
                """)
            let plan = try await database.client.withTransaction { transaction in
                try await transaction.execute(PGQuery(unsafeSQL: "SET LOCAL plan_cache_mode = \(planMode)"))
                let query = KamailioLocationRepository.bindings(of: alice, withoutDomain: withoutDomain)
                return try await transaction.query("EXPLAIN \(query)").map { row in try row.decode(String.self) }
            }.joined(separator: "\n")
            #expect(plan.contains("location_account_contact_idx"), "\(plan)")
            #expect(!plan.contains("Seq Scan"), "\(plan)")
        }
    }

    /// Whatever time limits of its own the connection has.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func aSilentDatabaseIsGivenUpWhenTheTimeOfTheWholeIsOver(letsIn: Bool) async throws {
        let alice = try #require(Self.alice)
        let server = try ScriptedServer { session in
            if letsIn { try session.welcome() }
            session.stall()
        }
        let hour = Duration.seconds(3_600)
        var database = PGConfiguration(try server.configuration.conninfo(replacing: ["connect_timeout": "3600"]))
        database.waitForConnections(atMost: hour)
        (database.cancelBudget, database.pool.drainTimeout) = (hour, hour)
        let registrar = KamailioRegistrar(
            database, onlyDomain: nil, timeout: .seconds(1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let failure = await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
        #expect(failure?.reason == "no answer within 1.0 seconds")
    }

    @Test func theRoleNeedsTwoRightsAlone() async throws {
        let alice = try #require(Self.alice)
        try await withKamailioDatabase { database in
            try await database.insert(Self.phone)
            try await DatabaseOwner(database.database).run("GRANT SELECT, DELETE ON location TO flexi_sip")
            let registrar = database.registrar(parameters: ["role": "flexi_sip", "search_path": "public"])
            #expect(try await registrar.devices(of: alice) == [Self.phone.device])
            #expect(try await registrar.remove(Self.phone.device.id, of: alice))
        }
    }
}
