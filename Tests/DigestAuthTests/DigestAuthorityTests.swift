import DigestAuth
import Foundation
import OpenSSLCrypto
import Testing

@Suite("Digest verification")
struct DigestAuthorityTests {
    let now = Date(timeIntervalSince1970: 1_790_000_000)
    let authority: DigestAuthority
    let pauline = DigestSubject(
        username: "pauline", domain: "sip.example.org", realm: "voice",
        hashes: [
            .md5: HA1.compute(.md5, username: "pauline", realm: "voice", password: "secret"),
            .sha256: HA1.compute(.sha256, username: "pauline", realm: "voice", password: "secret"),
        ])

    init() throws {
        self.authority = DigestAuthority(
            secret: try SecretKey([UInt8](repeating: 1, count: 32)), nonceLifetime: .seconds(300))
    }

    // MARK: challenges

    @Test func anAccountIsChallengedWithTheAlgorithmsItHasMD5First() {
        #expect(self.authority.challenges(for: self.pauline, at: self.now).map(\.algorithm) == [.md5, .sha256])
        for algorithm in DigestAlgorithm.allCases {
            let subject = DigestSubject(username: "a", domain: "b", realm: "b", hashes: [algorithm: "00"])
            #expect(self.authority.challenges(for: subject, at: self.now).map(\.algorithm) == [algorithm])
        }
    }

    @Test func theChallengesOfOneAnswerShareNonceAndOpaque() {
        let challenges = self.authority.challenges(for: self.pauline, at: self.now)
        #expect(Set(challenges.map(\.nonce)).count == 1)
        #expect(Set(challenges.map(\.opaque)).count == 1)
        #expect(challenges.allSatisfy { $0.realm == "voice" && !$0.isStale })
    }

    @Test func aNonceMayBeOfferedAgain() throws {
        let first = try #require(self.authority.challenges(for: self.pauline, at: self.now).first)
        let again = self.authority.challenges(for: self.pauline, at: self.now, nonce: first.nonce)
        #expect(again.first == first)
    }

    @Test func anUnknownAccountIsChallengedLikeAKnownOne() throws {
        let known = DigestSubject(username: "a", domain: "b", realm: "b", hashes: [.sha256: "00"])
        let decoy = DigestSubject.decoy(username: "a", domain: "b", realm: "b")
        let (left, right) = (
            try #require(self.authority.challenges(for: known, at: self.now).first),
            self.authority.challenges(for: decoy, at: self.now)
        )
        #expect(right.count == 1)
        #expect(right.first?.algorithm == left.algorithm)
        #expect(right.first?.opaque == left.opaque)
        #expect(right.first?.nonce.count == left.nonce.count)
        #expect(right.first?.headerValue.count == left.headerValue.count)
    }

    // MARK: answers

    @Test(arguments: DigestAlgorithm.allCases)
    func theRightPasswordIsAccepted(algorithm: DigestAlgorithm) throws {
        let verdict = try self.verify(try self.answer(algorithm, count: "0000001f"))
        guard case .accepted(let nonce, let count) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(nonce.issuedAt == self.now)
        #expect(count == 31)
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func theWrongPasswordIsRejected(algorithm: DigestAlgorithm) throws {
        #expect(try self.verify(try self.answer(algorithm, password: "Secret")) == .rejected)
    }

    @Test func everyOtherRequestIsRejected() throws {
        let header = try self.answer(.sha256)
        #expect(try self.verify(header, method: "POST") == .rejected)
        #expect(try self.verify(header, method: "get") == .rejected)
        for target in [
            "/api/accounts/you", "/api/accounts/me?", "/api/accounts/me?x=1", "/api/accounts/me/", "/API/accounts/me",
            "//api/accounts/me", "/api/accounts/%6de", "", "*", "/",
        ] {
            #expect(try self.verify(header, target: target) == .rejected, "\(target)")
        }
    }

    @Test func anAnswerForAnotherNameOrRealmIsRejected() throws {
        let challenge = try #require(self.authority.challenges(for: self.pauline, at: self.now).first)
        #expect(try self.verify(try self.answer(to: challenge, realm: "Voice")) == .rejected)
        #expect(try self.verify(try self.answer(to: challenge, username: "Pauline")) == .rejected)
        #expect(try self.verify(try self.answer(to: challenge, username: "pauline@sip.example.org")) == .rejected)
    }

    /// What is hashed is the stored hash, so the response stays right: only the comparison of the parameter is left.
    @Test func anAlteredParameterIsRejectedThoughTheResponseIsRight() throws {
        let challenge = try #require(self.authority.challenges(for: self.pauline, at: self.now).first)
        let header = try self.answer(to: challenge)
        #expect(try self.verify(header.replacing(#"username="pauline""#, with: #"username="marie""#)) == .rejected)
        #expect(try self.verify(header.replacing(#"realm="voice""#, with: #"realm="VOICE""#)) == .rejected)
        #expect(try self.verify(try self.answer(to: challenge, opaque: challenge.opaque.uppercased())) == .rejected)
        #expect(try self.verify(try self.answer(to: challenge, opaque: "")) == .rejected)
    }

    @Test func anAlgorithmTheAccountDoesNotHaveIsRejected() throws {
        let subject = DigestSubject(
            username: "pauline", domain: "sip.example.org", realm: "voice",
            hashes: [.sha256: HA1.compute(.sha256, username: "pauline", realm: "voice", password: "secret")])
        #expect(try self.verify(try self.answer(.md5), of: subject) == .rejected)
        guard case .accepted = try self.verify(try self.answer(.sha256), of: subject) else {
            Issue.record("the algorithm it has is refused")
            return
        }
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func aDecoyIsNeverAccepted(algorithm: DigestAlgorithm) throws {
        let decoy = DigestSubject.decoy(username: "pauline", domain: "sip.example.org", realm: "voice")
        #expect(try self.verify(try self.answer(algorithm), of: decoy) == .rejected)
        let withoutPasswords = DigestSubject(
            username: "pauline", domain: "sip.example.org", realm: "voice", hashes: [:])
        #expect(try self.verify(try self.answer(algorithm), of: withoutPasswords) == .rejected)
        #expect(self.authority.challenges(for: withoutPasswords, at: self.now).map(\.algorithm) == [.sha256])
    }

    @Test func evenTheHashThatStandsInForAMissingOneIsRejected() throws {
        let decoyKey = try SecretKey([UInt8](repeating: 1, count: 32)).derived(for: "decoy")
        let ha1 = Hex.encode(HMACSHA256.authenticate(Array("pauline@sip.example.org".utf8), key: decoyKey))
        let decoy = DigestSubject.decoy(username: "pauline", domain: "sip.example.org", realm: "voice")
        let header = try self.answer(.sha256)
        let credentials = try DigestCredentials(parsing: header)
        let response = DigestResponse.compute(
            .sha256, ha1: ha1, nonce: credentials.nonce, count: "00000001", clientNonce: "c0", method: "GET",
            uri: "/api/accounts/me")
        let forged = try #require(header.firstMatch(of: /response="([0-9a-f]+)"/))
        #expect(try self.verify(header.replacing(forged.1, with: response), of: decoy) == .rejected)
    }

    // MARK: nonces

    @Test func onlyARightAnswerLearnsThatTheNonceIsTooOld() throws {
        let later = self.now + 301
        #expect(try self.verify(try self.answer(.sha256), at: later) == .staleNonce)
        #expect(try self.verify(try self.answer(.sha256, password: "wrong"), at: later) == .rejected)
        #expect(try self.verify(try self.answer(.sha256), target: "/other", at: later) == .rejected)
    }

    @Test func aNonceOfAnotherAccountIsInvalid() throws {
        let marie = DigestSubject(username: "marie", domain: "sip.example.org", realm: "voice", hashes: [.md5: "00"])
        let foreign = try #require(self.authority.challenges(for: marie, at: self.now).first)
        #expect(try self.verify(try self.answer(to: foreign)) == .invalidNonce)
        #expect(try self.verify(try self.answer(to: foreign, password: "wrong")) == .invalidNonce)
    }

    @Test func aServerThatSharesTheSecretAcceptsTheAnswer() throws {
        let neighbour = DigestAuthority(
            secret: try SecretKey([UInt8](repeating: 1, count: 32)), nonceLifetime: .seconds(300))
        let stranger = DigestAuthority(secret: .random(), nonceLifetime: .seconds(300))
        let credentials = try DigestCredentials(parsing: try self.answer(.md5))
        let target = "/api/accounts/me"
        guard
            case .accepted = neighbour.verify(
                credentials, of: self.pauline, method: "GET", target: target, at: self.now)
        else {
            Issue.record("the neighbour refuses")
            return
        }
        #expect(
            stranger.verify(credentials, of: self.pauline, method: "GET", target: target, at: self.now)
                == .invalidNonce)
    }

    // MARK: targets

    struct Target: Sendable {
        let uri: String
        let target: String
        let prefix: String
        let isAccepted: Bool
    }

    static let targets: [Target] = [
        Target(uri: "/a?b=c%40d", target: "/a?b=c%40d", prefix: "", isAccepted: true),
        Target(uri: "/a?b=c@d", target: "/a?b=c%40d", prefix: "", isAccepted: false),
        Target(uri: "http://sip.example.org/a?b", target: "/a?b", prefix: "", isAccepted: true),
        Target(uri: "HTTPS://sip.example.org:8443/a?b", target: "/a?b", prefix: "", isAccepted: true),
        Target(uri: "/a?b", target: "http://sip.example.org/a?b", prefix: "", isAccepted: true),
        Target(uri: "http://sip.example.org", target: "/", prefix: "", isAccepted: true),
        Target(uri: "http://sip.example.org?x", target: "/?x", prefix: "", isAccepted: true),
        Target(uri: "ftp://sip.example.org/a", target: "/a", prefix: "", isAccepted: false),
        Target(uri: "/flexiapi/a?b", target: "/a?b", prefix: "/flexiapi", isAccepted: true),
        Target(uri: "/flexiapi/a?b", target: "/a?b", prefix: "/flexiapi/", isAccepted: true),
        Target(uri: "/flexiapi/a?b", target: "/flexiapi/a?b", prefix: "/flexiapi", isAccepted: true),
        Target(uri: "/a?b", target: "/a?b", prefix: "/flexiapi", isAccepted: true),
        Target(uri: "https://sip.example.org/flexiapi/a", target: "/a", prefix: "/flexiapi", isAccepted: true),
        Target(uri: "/flexiapi/a?b", target: "/a?b", prefix: "", isAccepted: false),
        Target(uri: "/other/a?b", target: "/a?b", prefix: "/flexiapi", isAccepted: false),
        Target(uri: "/a?b", target: "/flexiapi/a?b", prefix: "/flexiapi", isAccepted: false),
        Target(uri: "/flexiapi/flexiapi/a", target: "/a", prefix: "/flexiapi", isAccepted: false),
        // Canonically equivalent texts are not the same bytes.
        Target(uri: "/\u{e9}", target: "/e\u{301}", prefix: "", isAccepted: false),
    ]

    @Test(arguments: Self.targets)
    func theHashedTargetMustBeTheRequestedOne(target: Target) throws {
        let authority = DigestAuthority(secret: .random(), nonceLifetime: .seconds(300), pathPrefix: target.prefix)
        let challenge = try #require(authority.challenges(for: self.pauline, at: self.now).first)
        let credentials = try DigestCredentials(parsing: try self.answer(to: challenge, uri: target.uri))
        let verdict = authority.verify(
            credentials, of: self.pauline, method: "GET", target: target.target, at: self.now)
        if case .accepted = verdict {
            #expect(target.isAccepted)
        } else {
            #expect(!target.isAccepted)
            #expect(verdict == .rejected)
        }
    }

    // MARK: a client

    private func verify(
        _ header: String, of subject: DigestSubject? = nil, method: String = "GET", target: String = "/api/accounts/me",
        at time: Date? = nil
    ) throws -> DigestVerdict {
        self.authority.verify(
            try DigestCredentials(parsing: header), of: subject ?? self.pauline, method: method, target: target,
            at: time ?? self.now)
    }

    private func answer(
        _ algorithm: DigestAlgorithm, password: String = "secret", count: String = "00000001"
    ) throws -> String {
        let challenges = self.authority.challenges(for: self.pauline, at: self.now)
        let challenge = try #require(challenges.first { $0.algorithm == algorithm })
        return try self.answer(to: challenge, password: password, count: count)
    }

    private func answer(
        to challenge: DigestChallenge, username: String = "pauline", realm: String? = nil, password: String = "secret",
        opaque: String? = nil, uri: String = "/api/accounts/me", count: String = "00000001"
    ) throws -> String {
        let realm = realm ?? challenge.realm
        let ha1 = HA1.compute(challenge.algorithm, username: username, realm: realm, password: password)
        let response = DigestResponse.compute(
            challenge.algorithm, ha1: ha1, nonce: challenge.nonce, count: count, clientNonce: "c0", method: "GET",
            uri: uri)
        return """
            Digest username="\(username)", realm="\(realm)", nonce="\(challenge.nonce)", uri="\(uri)", \
            response="\(response)", algorithm=\(challenge.algorithm.rawValue), opaque="\(opaque ?? challenge.opaque)", \
            qop=auth, nc=\(count), cnonce="c0"
            """
    }
}
