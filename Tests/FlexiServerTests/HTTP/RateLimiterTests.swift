import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import FlexiServer

@Suite("Rate limiter")
struct RateLimiterTests {
    private let start = Date(timeIntervalSince1970: 1_790_251_200)

    private func limiter(_ perMinute: Int) -> RateLimiter {
        RateLimiter { _ in perMinute }
    }

    private func network(_ text: String) throws -> RateLimit.Subject {
        try .network(#require(ClientNetwork(text)))
    }

    private func retryAfter(_ limiter: RateLimiter, _ subject: RateLimit.Subject, at now: Date) -> Int? {
        do {
            try limiter.take(.requests, by: subject, at: now)
            return nil
        } catch {
            return error.headers[.retryAfter].flatMap { Int($0) }
        }
    }

    @Test func aMinutesTokensGoAtOnceAndComeBackEvenly() throws {
        let limiter = self.limiter(6)
        let client = try self.network("192.0.2.1")
        let left = try (0..<6).map { _ in try limiter.take(.requests, by: client, at: self.start)?.remaining }
        #expect(left == [5, 4, 3, 2, 1, 0])
        #expect(self.retryAfter(limiter, client, at: self.start) == 10)
        #expect(self.retryAfter(limiter, client, at: self.start + 9) == 1)
        #expect(self.retryAfter(limiter, client, at: self.start + 10) == nil)
        #expect(self.retryAfter(limiter, client, at: self.start + 10) == 10)
        #expect(try limiter.take(.requests, by: client, at: self.start + 120)?.remaining == 5)
    }

    @Test func everyLimitAndEverySubjectHasABucket() throws {
        let limiter = self.limiter(1)
        let alice = try #require(DomainName("sip.example.org"))
        let origin = try #require(ClientNetwork("192.0.2.1"))
        for subject: RateLimit.Subject in [
            .network(origin), .account(Account.ID(rawValue: 1)), .account(Account.ID(rawValue: 2)),
            .claim(username: "alice", domain: alice, origin), .recipient("+33612345678"),
        ] {
            for limit in RateLimit.allCases {
                try limiter.take(limit, by: subject, at: self.start)
                #expect(throws: APIError.self) { try limiter.take(limit, by: subject, at: self.start) }
            }
        }
    }

    @Test func whatIsTurnedOffIsNotCounted() throws {
        let limiter = self.limiter(0)
        for _ in 0..<1_000 { #expect(try limiter.take(.info, by: self.network("::1"), at: self.start) == nil) }
    }

    @Test func askingTakesNothing() throws {
        let limiter = self.limiter(1)
        let client = try self.network("192.0.2.1")
        for _ in 0..<3 { try limiter.check(.codes, by: client, at: self.start) }
        limiter.note(.codes, by: client, at: self.start)
        limiter.note(.codes, by: client, at: self.start)
        #expect(throws: APIError.self) { try limiter.check(.codes, by: client, at: self.start + 59) }
        try limiter.check(.codes, by: client, at: self.start + 60)
    }

    @Test func onlyWrongGuessesAreCounted() async throws {
        struct Wrong: Error {}
        struct Outage: Error {}
        let limiter = self.limiter(2)
        let client = try self.network("192.0.2.1")
        func guess(_ error: (any Error)?) async throws {
            try await limiter.guess(.codes, by: client, at: self.start, isWrong: { $0 is Wrong }) {
                if let error { throw error }
            }
        }
        for _ in 0..<5 {
            try await guess(nil)
            await #expect(throws: Outage.self) { try await guess(Outage()) }
        }
        for _ in 0..<2 { await #expect(throws: Wrong.self) { try await guess(Wrong()) } }
        let refused = await #expect(throws: APIError.self) { try await guess(nil) }
        #expect(refused?.status == .tooManyRequests)
    }

    @Test func nobodyWaitsForLongWhenTheClockIsSetBack() throws {
        let limiter = self.limiter(1)
        let client = try self.network("192.0.2.1")
        try limiter.take(.requests, by: client, at: self.start)
        #expect(self.retryAfter(limiter, client, at: self.start - 3_600) == 60)
    }

    @Test func ofRacingRequestsAsManyAsAllowedGetThrough() async throws {
        let limiter = self.limiter(100)
        let client = try self.network("192.0.2.1")
        let start = self.start
        let allowed = try await race(32) { _ in
            (0..<100).filter { _ in (try? limiter.take(.requests, by: client, at: start)) != nil }.count
        }
        #expect(allowed.reduce(0, +) == 100)
    }

    @Test func strangersInAnyNumberMakeNoRoomForThemselvesInBucketsThatAreInUse() throws {
        let limiter = self.limiter(60)
        let client = try self.network("192.0.2.1")
        for _ in 0..<60 { try limiter.take(.requests, by: client, at: self.start) }
        // Twenty times as many as there are places, each with one request.
        for number in UInt32(0)..<1_300_000 {
            try limiter.take(.requests, by: .network(.v4(number.bigEndian)), at: self.start)
        }
        #expect(self.retryAfter(limiter, client, at: self.start) == 1)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("::ffff:192.0.2.1", "192.0.2.1", true),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true), ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ("::1", "192.0.2.1", false),
    ])
    func aNetworkIsAnAddressOrAnIPv6Customer(first: String, second: String, isOne: Bool) throws {
        #expect((ClientNetwork(first) == ClientNetwork(second)) == isOne)
        let socket = try SocketAddress(ipAddress: second, port: 5060)
        #expect((ClientNetwork(first) == ClientNetwork(socket)) == isOne)
    }

    @Test func whatHasNoAddressIsLocal() throws {
        #expect(ClientNetwork(nil as SocketAddress?) == .local)
        #expect(try ClientNetwork(SocketAddress(unixDomainSocketPath: "/tmp/socket")) == .local)
        #expect(ClientNetwork("sip.example.org") == nil)
    }
}
