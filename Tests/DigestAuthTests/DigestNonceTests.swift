import DigestAuth
import Foundation
import OpenSSLCrypto
import Testing

@Suite("Digest nonces")
struct DigestNonceTests {
    let key: SecretKey
    let issuer: DigestNonceIssuer
    let start = Date(timeIntervalSince1970: 1_790_000_000.25)

    init() throws {
        self.key = try SecretKey([UInt8](repeating: 5, count: 32))
        self.issuer = DigestNonceIssuer(key: self.key, lifetime: .seconds(300))
    }

    @Test func aNonceIsValidForItsLifetimeAndStaleAfterwards() throws {
        let nonce = self.issuer.issue(for: "pauline@sip.example.org", at: self.start)
        for age in [0, 0.001, 299.999, 300] {
            let verdict = self.issuer.check(nonce, for: "pauline@sip.example.org", at: self.start + age)
            guard case .valid(let found) = verdict else {
                Issue.record("\(verdict) at the age of \(age) s")
                continue
            }
            #expect(found.issuedAt == self.start)
            #expect(found.id.count == 16)
        }
        for age in [300.002, 301, 86_400] {
            #expect(self.issuer.check(nonce, for: "pauline@sip.example.org", at: self.start + age) == .stale)
        }
    }

    @Test func anotherServerWhoseClockIsBehindAcceptsIt() {
        let nonce = self.issuer.issue(for: "a@b", at: self.start)
        guard case .valid = self.issuer.check(nonce, for: "a@b", at: self.start - 60) else {
            Issue.record("refused within the tolerance")
            return
        }
        #expect(self.issuer.check(nonce, for: "a@b", at: self.start - 60.002) == .stale)
    }

    @Test func aServerWithTheSameKeyAcceptsItAndOneWithAnotherDoesNot() {
        let nonce = self.issuer.issue(for: "a@b", at: self.start)
        let neighbour = DigestNonceIssuer(key: self.key, lifetime: .seconds(300))
        let stranger = DigestNonceIssuer(key: .random(), lifetime: .seconds(300))
        #expect(
            neighbour.check(nonce, for: "a@b", at: self.start) == self.issuer.check(nonce, for: "a@b", at: self.start))
        #expect(stranger.check(nonce, for: "a@b", at: self.start) == .invalid)
    }

    @Test func aNonceIsBoundToItsAccount() {
        let nonce = self.issuer.issue(for: "a@b", at: self.start)
        for other in ["", "a@", "a@bb", "A@b", "c@b"] {
            #expect(self.issuer.check(nonce, for: other, at: self.start) == .invalid)
        }
    }

    @Test func everyAlteredNonceIsInvalid() throws {
        let nonce = self.issuer.issue(for: "a@b", at: self.start)
        let bytes = try #require(Hex.decode(nonce))
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            #expect(self.issuer.check(Hex.encode(altered), for: "a@b", at: self.start) == .invalid)
        }
        for text in ["", "0", "zz", String(nonce.dropLast()), String(nonce.dropLast(2)), nonce + "00", " " + nonce] {
            #expect(self.issuer.check(text, for: "a@b", at: self.start) == .invalid)
        }
    }

    @Test func noTwoNoncesAreEqual() throws {
        let nonces = (0..<1000).map { _ in self.issuer.issue(for: "a@b", at: self.start) }
        #expect(Set(nonces).count == 1000)
        let identifiers = nonces.compactMap { nonce -> [UInt8]? in
            guard case .valid(let found) = self.issuer.check(nonce, for: "a@b", at: self.start) else { return nil }
            return found.id
        }
        #expect(Set(identifiers).count == 1000)
    }

    /// Otherwise one nonce could be counted under two names.
    @Test func bothCasesOfANonceHaveOneIdentifier() {
        let nonce = self.issuer.issue(for: "a@b", at: self.start)
        #expect(
            self.issuer.check(nonce.uppercased(), for: "a@b", at: self.start)
                == self.issuer.check(nonce, for: "a@b", at: self.start))
    }

    @Test func aTimeBefore1970IsHarmless() {
        let early = Date(timeIntervalSince1970: -5)
        let nonce = self.issuer.issue(for: "a@b", at: early)
        guard case .valid = self.issuer.check(nonce, for: "a@b", at: early) else {
            Issue.record("refused")
            return
        }
    }
}
