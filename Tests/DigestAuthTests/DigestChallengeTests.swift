import DigestAuth
import Testing

@Suite("Digest challenges")
struct DigestChallengeTests {
    @Test func theHeaderHasTheFormThatDeployedClientsKnow() {
        let challenge = DigestChallenge(realm: "sip.example.org", algorithm: .sha256, nonce: "n1", opaque: "o1")
        #expect(
            challenge.headerValue
                == #"Digest realm="sip.example.org",qop="auth",algorithm=SHA-256,nonce="n1",opaque="o1""#)
    }

    @Test func aStaleNonceIsSaidAtTheEnd() {
        let challenge = DigestChallenge(
            realm: "sip.example.org", algorithm: .md5, nonce: "n1", opaque: "o1", isStale: true)
        #expect(
            challenge.headerValue
                == #"Digest realm="sip.example.org",qop="auth",algorithm=MD5,nonce="n1",opaque="o1",stale=true"#)
    }

    @Test func aRealmIsQuotedAndCannotBeginAnotherHeader() {
        let challenge = DigestChallenge(
            realm: "a \"b\" \\c\r\nSet-Cookie: x\u{7f}", algorithm: .md5, nonce: "n", opaque: "o")
        #expect(
            challenge.headerValue
                == #"Digest realm="a \"b\" \\cSet-Cookie: x",qop="auth",algorithm=MD5,nonce="n",opaque="o""#)
    }
}
