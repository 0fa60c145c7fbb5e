import DigestAuth
import FoundationEssentials
import OpenSSLCrypto
import PGClient
import Testing

@testable import FlexiServer

@Suite("Provisioning")
struct ProvisioningTests {
    @Test func anUnknownTokenGetsWhatEverybodyGets() async throws {
        try await withServer(["APP_URL": "https://flexi.example.org"]) { server in
            let base = try await server.get("/provisioning")
            #expect(base.status == 200)
            #expect(base.header("Content-Type") == "application/xml; charset=utf-8")
            #expect(base.header("Cache-Control") == "no-store")
            #expect(
                base.text == """
                    <?xml version="1.0" encoding="UTF-8"?>
                    <config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
                      <section name="misc">
                        <entry name="contacts-vcard-list">https://flexi.example.org/contacts/vcard</entry>
                      </section>
                    </config>

                    """)
            for token in ["unknown123456", "%ff", "%00", "%4"] {
                let unknown = try await server.get("/provisioning/\(token)")
                #expect(unknown.status == 200, "\(token)")
                #expect(unknown.text == base.text)
            }
        }
    }

    @Test func aTokenServesItsSecretOnceAndActivatesItsAccount() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("alice.liddell", algorithm: "MD5", admin)
            let token = try #require(created.json["provisioning_token"] as? String)
            let first = try await server.get("/provisioning/\(token)")
            #expect(
                first.text.contains(#"<entry name="reg_identity">&lt;sip:alice.liddell@sip.example.org&gt;</entry>"#))
            #expect(first.text.contains(#"<section name="auth_info_0">"#))
            #expect(first.text.contains(#"<entry name="algorithm">MD5</entry>"#))
            #expect(try await server.get("/provisioning/\(token)").text == server.get("/provisioning").text)
            let info = try await server.get("/api/accounts/alice.liddell@sip.example.org/info")
            #expect(info.json["activated"] as? Bool == true)
            #expect(try await server.count("activation_codes") == 0)
            #expect(!server.log.lines.contains { $0.contains(token) })
        }
    }

    @Test func ofManyRequestsWithOneTokenOneIsServed() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("alice.liddell", admin)
            let token = try #require(created.json["provisioning_token"] as? String)
            let replies = try await race(32) { _ in try await server.get("/provisioning/\(token)") }
            #expect(replies.allSatisfy { $0.status == 200 })
            #expect(replies.count { $0.text.contains("ha1") } == 1)
            let base = try await server.get("/provisioning").text
            #expect(replies.count { $0.text == base } == 31)
            #expect(try await server.count("provisioning_tokens") == 0)
        }
    }

    @Test func lookingAtTheLinkUsesNothingUp() async throws {
        try await withServer(["APP_URL": "https://flexi.example.org"]) { server in
            let admin = try await server.administrator()
            let created = try await server.create("alice.liddell", admin)
            let token = try #require(created.json["provisioning_token"] as? String)
            let head = try await server.send("HEAD", "/provisioning/\(token)")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            let png = try await server.get("/provisioning/qrcode/\(token)")
            #expect(png.status == 200)
            #expect(png.header("Content-Type") == "image/png")
            #expect(png.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            let svg = try await server.get("/provisioning/qrcode/\(token)", [("Accept", "image/svg+xml")])
            #expect(svg.header("Content-Type") == "image/svg+xml")
            #expect(svg.text.contains("<svg"))
            #expect(try await server.get("/provisioning/\(token)").text.contains("ha1"))
            #expect(try await server.get("/provisioning/qrcode/\(token)").status == 404)
        }
    }

    @Test func anExpiredActivationServesNoSecret() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create(
                "alice.liddell", admin, more: #","confirmation_key_expires":"2026-09-24 12:30:00""#)
            let token = try #require(created.json["provisioning_token"] as? String)
            server.clock.advance(by: .seconds(30 * 60))
            #expect(try await server.get("/provisioning/qrcode/\(token)").status == 404)
            #expect(try await !server.get("/provisioning/\(token)").text.contains("ha1"))
            #expect(try await server.count("provisioning_tokens") == 1)
        }
    }

    @Test func aSuspendedDomainServesNoSecret() async throws {
        try await withServer { server in
            let admin = try await server.administrator()
            let created = try await server.create("alice.liddell", admin)
            let token = try #require(created.json["provisioning_token"] as? String)
            try await server.services.database.execute("UPDATE flexi.domains SET suspended = true")
            #expect(try await !server.get("/provisioning/\(token)").text.contains("ha1"))
        }
    }

    @Test func aTokenOfAnotherDomainIsServedOnlyWhereManyAre() async throws {
        for (setting, isServed) in [("false", false), ("true", true)] {
            try await withServer(["APP_ADMINS_MANAGE_MULTI_DOMAINS": setting]) { server in
                let alice = try await server.account(domain: "other.example.org")
                try await server.services.database.execute(
                    """
                    INSERT INTO flexi.provisioning_tokens (account_id, token_hash, sealed_token)
                    VALUES (\(alice.id), \(SHA256.hash("token12345678")), \([1] as [UInt8]))
                    """)
                #expect(try await server.get("/provisioning/token12345678").text.contains("ha1") == isServed)
            }
        }
    }

    @Test func ownersGetTheirSecretsEveryTime() async throws {
        try await withServer { server in
            let alice = try await server.account(algorithms: [.md5, .sha256])
            for _ in 0..<2 {
                let digest = try await server.digest(alice, "/provisioning/me")
                let reply = try await server.get(
                    "/provisioning/me", [alice.from, digest.authorization("GET", "/provisioning/me")])
                #expect(reply.status == 200)
                #expect(reply.text.contains(#"<section name="auth_info_1">"#))
                #expect(reply.header("Cache-Control") == "no-store")
            }
            #expect(try await server.get("/provisioning/me", [alice.from]).status == 401)
        }
    }

    @Test func theSecretIsFoundByAnIndexHoweverManyThereAre() async throws {
        try await withServer { server in
            let plan = try await server.services.database.withTransaction { transaction in
                // The planner prefers a scan while the table is empty; what counts is that there is another way.
                try await transaction.query("SET LOCAL enable_seqscan = off")
                return try await transaction.query(
                    "EXPLAIN SELECT account_id FROM flexi.provisioning_tokens WHERE token_hash = \(SHA256.hash("x"))"
                ).map { row in try row.decode("QUERY PLAN", as: String.self) }
            }
            #expect(plan.contains { $0.contains("provisioning_tokens_token_hash_key") })
        }
    }
}
