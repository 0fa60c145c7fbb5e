import Foundation
import PGClient
import Testing

@testable import FlexiServer

@Suite("Housekeeping")
struct HousekeepingTests {
    private static let settings = [
        "TOMBSTONE_DAYS": "7", "UNCONFIRMED_ACCOUNT_DAYS": "30", "ACCOUNT_CREATION_TOKEN_DAYS": "3",
        "EXPIRED_CODE_DAYS": "2", "OUTBOX_KEEP_DAYS": "5", "APP_API_KEY_EXPIRATION_MINUTES": "60",
    ]

    /// Puts rows of every kind into the database, each just in time and just too late.
    private func fill(_ server: TestServer) async throws {
        let account = try await server.account()
        let now = server.clock.now
        func ago(days: Double, _ seconds: Double) -> Date { now.addingTimeInterval(-86_400 * days + seconds) }
        let db = server.services.database
        for (name, seconds) in [("late", 0.0), ("early", 1.0)] {
            let hash = Array(repeating: UInt8(seconds), count: 32)
            let other = try await server.account("\(name).other").id
            try await db.execute(
                "INSERT INTO flexi.auth_tokens (token_hash, expires_at) VALUES (\(hash), \(ago(days: 0, seconds)))")
            try await db.execute(
                """
                INSERT INTO flexi.api_keys (account_id, key_hash, last_used_at)
                VALUES (\(other), \(hash), \(now.addingTimeInterval(seconds - 3_600)))
                """)
            try await db.execute(
                """
                INSERT INTO flexi.api_keys (account_id, name, key_hash, expires_at)
                VALUES (\(other), 'billing', \(hash.map { $0 + 2 }), \(ago(days: 0, seconds)))
                """)
            try await db.execute(
                """
                INSERT INTO flexi.account_creation_tokens (domain_id, token_hash, created_at)
                SELECT domain_id, \(hash), \(ago(days: 3, seconds)) FROM flexi.accounts WHERE id = \(account.id)
                """)
            try await db.execute(
                """
                INSERT INTO flexi.activation_codes (account_id, purpose, code_hash, expires_at)
                VALUES (\(other), 'phone', \(hash), \(ago(days: 2, seconds)))
                """)
            try await db.execute(
                """
                INSERT INTO flexi.email_changes (account_id, new_email, code_hash, expires_at)
                VALUES (\(other), 'a@example.org', \(hash), \(ago(days: 2, seconds)))
                """)
            try await db.execute(
                """
                INSERT INTO flexi.phone_changes (account_id, new_phone, code_hash, expires_at)
                VALUES (\(other), '+33612345678', \(hash), \(ago(days: 2, seconds)))
                """)
            try await db.execute(
                "INSERT INTO flexi.digest_nonces (nonce, nc, expires_at) VALUES (\(hash), 1, \(ago(days: 0, seconds)))")
            try await db.execute(
                """
                INSERT INTO flexi.account_tombstones (domain_id, username, created_at)
                SELECT domain_id, \(name), \(ago(days: 7, seconds)) FROM flexi.accounts WHERE id = \(account.id)
                """)
            try await db.execute(
                """
                INSERT INTO flexi.outbox (account_id, channel, idempotency_key, state, finished_at)
                VALUES (\(other), 'mail', \(name), 'delivered', \(ago(days: 5, seconds - 0.5)))
                """)
            try await db.execute(
                """
                INSERT INTO flexi.accounts (domain_id, username, creation_time)
                SELECT domain_id, \("\(name).unconfirmed"), \(ago(days: 30, seconds)) FROM flexi.accounts WHERE id = \(account.id)
                """)
        }
        // A used token is what says that its device had one.
        try await db.execute(
            """
            INSERT INTO flexi.account_creation_tokens (domain_id, token_hash, created_at, used_at)
            SELECT domain_id, \(Array(repeating: UInt8(9), count: 32)), \(ago(days: 90, 0)), \(now) FROM flexi.accounts
            WHERE id = \(account.id)
            """)
    }

    private static let tables = [
        "auth_tokens", "api_keys", "account_creation_tokens", "activation_codes", "email_changes", "phone_changes",
        "digest_nonces", "account_tombstones", "outbox",
    ]

    @Test func whatHasServedItsTimeGoesAndNothingElse() async throws {
        try await withServer(Self.settings) { server in
            try await self.fill(server)
            let report = try await Housekeeping(services: server.services).run(waits: false)
            #expect(report.map(\.rows) == Array(repeating: 1, count: HousekeepingChore.allCases.count + 1))
            for table in Self.tables {
                let left = ["api_keys": 2, "account_creation_tokens": 2][table] ?? 1
                #expect(try await server.count(table) == left, "\(table)")
            }
            #expect(try await server.count("accounts WHERE username LIKE 'late.%'") == 1)
            #expect(try await server.count("accounts WHERE username LIKE 'early.%'") == 2)
            let again = try await Housekeeping(services: server.services).run(waits: false)
            #expect(again.allSatisfy { $0.rows == 0 })
        }
    }

    @Test func whatHasNoEndStays() async throws {
        let settings = Self.settings.merging([
            "TOMBSTONE_DAYS": "0", "UNCONFIRMED_ACCOUNT_DAYS": "0", "ACCOUNT_CREATION_TOKEN_DAYS": "0",
            "APP_API_KEY_EXPIRATION_MINUTES": "0",
        ]) { $1 }
        try await withServer(settings) { server in
            try await self.fill(server)
            let kinds = try await Housekeeping(services: server.services).run(waits: false).map(\.what)
            #expect(!kinds.contains("unused API keys"))
            #expect(try await server.count("account_tombstones") == 2)
            #expect(try await server.count("account_creation_tokens") == 3)
            #expect(try await server.count("accounts WHERE NOT activated") == 2)
            #expect(try await server.count("api_keys WHERE name IS NULL") == 2)
        }
    }

    @Test func anAccountIsUnconfirmedOnlyWhileItWaits() async throws {
        try await withServer(Self.settings) { server in
            let admin = try await server.administrator()
            let waiting = try await server.create(
                "waiting", admin, more: #","confirmation_key_expires":"2027-01-01 00:00:00""#)
            #expect(waiting.status == 200)
            for name in ["blocked", "confirmed"] { _ = try await server.create(name, admin) }
            _ = try await server.account("lesser", isActive: false, admin: .domain)
            _ = try await server.create("forgotten", admin)
            for (name, verb) in [("blocked", "deactivate"), ("confirmed", "activate")] {
                let found = try await server.get("/api/accounts/\(name)@sip.example.org/search", [admin])
                let id = try #require(found.json["id"] as? Int)
                #expect(try await server.post("/api/accounts/\(id)/\(verb)", [admin]).status == 200)
            }
            try await server.services.database.execute(
                "UPDATE flexi.accounts SET creation_time = '2026-01-01', phone = NULL")
            _ = try await Housekeeping(services: server.services).run(waits: false)
            let names = try await server.services.database.query(
                "SELECT username FROM flexi.accounts ORDER BY username"
            ).map { try $0.decode(String.self) }
            #expect(names == ["admin", "blocked", "confirmed", "lesser", "waiting"])
            #expect(try await server.create("forgotten", admin).status == 200, "the name is free")
        }
    }

    @Test func aProvisioningTokenDoesNotOutliveItsExpiredKey() async throws {
        try await withServer(Self.settings) { server in
            let admin = try await server.administrator()
            let created = try await server.create(
                "carroll", admin, more: #","confirmation_key_expires":"2026-09-24 12:00:01""#)
            let token = try #require(created.json["provisioning_token"] as? String)
            server.clock.advance(by: .seconds(2 * 86_400 + 2))
            _ = try await Housekeeping(services: server.services).run(waits: false)
            #expect(try await server.count("activation_codes") == 0)
            #expect(try await !server.get("/provisioning/\(token)").text.contains("carroll"))
            #expect(try await server.count("accounts WHERE NOT activated") == 1)
        }
    }

    @Test func anUnusedCreationTokenExpiresWhetherItWasDeletedOrNot() async throws {
        try await withServer(Self.settings) { server in
            let admin = try await server.administrator()
            let token = try await server.post("/api/account_creation_tokens", [admin]).json["token"] as? String ?? ""
            server.clock.advance(by: .seconds(3 * 86_400))
            let reply = try await server.post(
                "/api/accounts/with-token",
                json: #"{"username":"carroll","password":"wonderland","algorithm":"MD5","token":"\#(token)"}"#)
            #expect(reply.status == 422)
            #expect(reply.errors("token") != nil)
        }
    }

    @Test func manyRowsGoInBatches() async throws {
        try await withServer(Self.settings) { server in
            let count = 2 * Housekeeping.batch + 1
            _ = try await server.account()
            try await self.bury(count, server)
            let report = try await Housekeeping(services: server.services).run(waits: false)
            #expect(report.first { $0.what == "names of deleted accounts" }?.rows == count)
            #expect(try await server.count("account_tombstones") == 0)
        }
    }

    private func bury(_ count: Int, _ server: TestServer) async throws {
        try await server.services.database.execute(
            """
            INSERT INTO flexi.account_tombstones (domain_id, username, created_at)
            SELECT domain.id, 'gone' || number, '2026-01-01'
            FROM flexi.domains AS domain, generate_series(1, \(count)) AS number
            """)
    }

    // MARK: One at a time

    @Test func whoMeetsAnotherLeavesTheRestToIt() async throws {
        try await withServer(Self.settings) { server in
            _ = try await server.account()
            try await self.bury(1, server)
            let housekeeping = Housekeeping(services: server.services)
            try await server.services.database.withTransaction { transaction in
                try await HousekeepingRepository(transaction).lock()
                await #expect(throws: Housekeeping.Busy.self) { _ = try await housekeeping.run(waits: false) }
            }
            #expect(try await server.count("account_tombstones") == 1)
            _ = try await housekeeping.run(waits: false)
            #expect(try await server.count("account_tombstones") == 0)
        }
    }

    @Test func runsThatRaceDeleteEveryRowOnce() async throws {
        try await withServer(Self.settings) { server in
            let count = 2 * Housekeeping.batch + 1
            _ = try await server.account()
            try await self.bury(count, server)
            let deleted = try await race(4) { _ in
                try await Housekeeping(services: server.services).run(waits: true).reduce(0) { $0 + $1.rows }
            }
            #expect(deleted.reduce(0, +) == count)
        }
    }

    @Test func everyChoreLooksRowsUpByAnIndex() async throws {
        try await withServer(Self.settings) { server in
            let now = server.clock.now
            for chore in HousekeepingChore.allCases {
                let plan = try await server.services.database.withTransaction { transaction in
                    // Small tables are read whole otherwise; without an index they still would be.
                    try await transaction.execute("SET LOCAL enable_seqscan = off")
                    return try await transaction.query(
                        "EXPLAIN \(HousekeepingRepository.delete(chore, before: now, limit: 10, at: now))"
                    ).map { try $0.decode(String.self) }
                }
                let scans = plan.filter { $0.contains("Seq Scan") }
                #expect(scans == [], "\(chore)")
            }
        }
    }

    // MARK: Who does it

    @Test func theCommandSaysWhatItDeleted() async throws {
        try await withServer { server in
            _ = try await server.account()
            try await self.bury(3, server)
            var environment = ServerProgram.environment(server.database)
            environment["TOMBSTONE_DAYS"] = "1"
            let result = try await ServerProgram.run(["housekeeping"], environment: environment)
            #expect(result.status == 0)
            #expect(result.output.contains("names of deleted accounts\t3\n"))
            #expect(result.output.contains("auth tokens\t0\n"))
            #expect(try await server.count("account_tombstones") == 0)
        }
    }

    @Test func aServerDoesItByItself() async throws {
        try await withServer { server in
            _ = try await server.account()
            try await self.bury(3, server)
            var environment = ServerProgram.environment(server.database)
            environment["TOMBSTONE_DAYS"] = "1"
            environment["LOG_FORMAT"] = "json"
            let program = try ServerProgram.start(["serve", "--port", "0"], environment: environment)
            let line = try await program.find { log in
                log.split(separator: "\n").first { $0.contains("housekeeping done") }
            }
            #expect(line.contains(#""names_of_deleted_accounts":"3""#))
            program.terminate()
            #expect(await program.wait().status == 0)
        }
    }
}
