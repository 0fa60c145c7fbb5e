import DigestAuth
import PGClient
import Testing

@testable import FlexiServer

@Suite("Domains")
struct DomainsTests {
    @Test func racingRegistrationsMakeOneDomainWithItsTypes() async throws {
        try await withServer { server in
            let name = try #require(DomainName("new.example.org"))
            let domains = try await race(16) { _ in
                try await DomainRepository(server.services.database).register(name).id
            }
            #expect(Set(domains).count == 1)
            let id = try #require(domains.first)
            let keys = try await server.services.database.query(
                "SELECT key FROM flexi.account_types WHERE domain_id = \(id) ORDER BY id"
            ).map { row in try row.decode("key", as: String.self) }
            #expect(
                keys == [
                    "device_audio_intercom", "device_video_intercom", "device_security_camera", "device_internal_unit",
                ])
        }
    }

    @Test func hashesOfAnotherRealmAreCounted() async throws {
        try await withServer { server in
            _ = try await server.account("alice", algorithms: [.md5, .sha256], realm: "old.example.org")
            _ = try await server.account("bob", algorithms: [.md5])
            let domains = DomainRepository(server.services.database)
            #expect(try await domains.countHashesOfOtherRealms(default: nil) == 2)
            #expect(try await domains.countHashesOfOtherRealms(default: "old.example.org") == 1)
        }
    }
}
