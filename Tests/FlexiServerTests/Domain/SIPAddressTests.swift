import Testing

@testable import FlexiServer

@Suite("SIP addresses")
struct SIPAddressTests {
    @Test(arguments: [
        "sip:alice@sip.example.org",
        "sips:alice@sip.example.org",
        "SIP:Alice@SIP.Example.ORG",
        "alice@sip.example.org",
        "<sip:alice@sip.example.org>",
        "<sip:alice@sip.example.org;transport=tls>;tag=1928301774",
        "sip:alice@sip.example.org;tag=887s",
        "sip:alice@sip.example.org:5061",
        "sip:alice:secret@sip.example.org",
        "sip:%61lice@sip.example.org",
        "Alice <sip:alice@sip.example.org>",
        "\"Alice\" <sip:alice@sip.example.org>;tag=a48s",
        "\"<sip:mallory@evil.example.org>\" <sip:alice@sip.example.org>",
        "\"a \\\" <sip:mallory@evil.example.org> \" <sip:alice@sip.example.org>",
        "  sip:alice@sip.example.org\t",
        "sip:alice%40sip.example.org", "sip%3Aalice%40sip.example.org", "sip%3Aalice@sip.example.org",
        "SIPS%3aalice@sip.example.org", "%3Csip%3Aalice%40sip.example.org%3E",
    ])
    func aFromHeaderNamesTheAccount(header: String) throws {
        let address = try #require(SIPAddress(fromHeader: header))
        #expect(address.description == "alice@sip.example.org")
        #expect(address.uri == "sip:alice@sip.example.org")
    }

    @Test(arguments: [
        "", "alice", "sip:", "sip:alice", "sip:@sip.example.org", "sip:alice@", "<sip:alice@sip.example.org",
        "sip:al ice@sip.example.org",
        "sip:alice@sip..example.org", "sip:alice@-example.org", "sip:alice@exa_mple.org", "sip:%zz@sip.example.org",
        "sip:a%4@sip.example.org",
        "sip:%+1@sip.example.org", "sip:%ff@sip.example.org", "sip:al%00ice@sip.example.org",
        "sip:al%0aice@sip.example.org",
        "tel:+33612345678", "\"<sip:alice@sip.example.org>\"",
    ])
    func garbageIsNoAddress(header: String) {
        #expect(SIPAddress(fromHeader: header) == nil)
    }

    @Test func anEndlessAddressIsRefusedUnread() {
        #expect(SIPAddress(fromHeader: "sip:" + String(repeating: "a", count: 1_000) + "@sip.example.org") == nil)
    }
}

@Suite("Names and numbers")
struct NameTests {
    @Test(arguments: ["alice", "alice.b", "a_b-c+d", "7", String(repeating: "x", count: 64)])
    func aUsernameIsPlain(raw: String) {
        #expect(Username(raw)?.value == raw)
    }

    @Test(arguments: ["", "Alice", "al ice", "al/ice", "al@ice", "ålice", "alice\n", String(repeating: "x", count: 65)])
    func anythingElseIsNoUsername(raw: String) {
        #expect(Username(raw) == nil)
    }

    @Test(arguments: [
        ("+33612345678", true), ("+x", true), ("0612345678", true), ("06.12.34-56-78", true), ("123456", false),
        ("agent007", false),
    ])
    func aUsernameMayLookLikeAPhoneNumber(raw: String, expected: Bool) throws {
        #expect(try #require(Username(raw)).isPhoneNumber == expected)
    }

    @Test(arguments: ["+33612345678", "+2904123", "+123456789012345"])
    func aPhoneNumberIsInternational(raw: String) {
        #expect(PhoneNumber(raw)?.value == raw)
    }

    @Test(arguments: [
        "", "+", "33612345678", "+0612345678", "+33 612345678", "+3361234567890123", "+33a12345678", "+123456",
    ])
    func anythingElseIsNoPhoneNumber(raw: String) {
        #expect(PhoneNumber(raw) == nil)
    }

    @Test(arguments: [("SIP.Example.org", "sip.example.org"), ("localhost", "localhost"), ("192.0.2.1", "192.0.2.1")])
    func aDomainIsFolded(raw: String, expected: String) {
        #expect(DomainName(raw)?.value == expected)
    }

    @Test(arguments: [
        "", ".", "a..b", "a.", "-a.b", "a-.b", "a b", "a_b", "exämple.org", String(repeating: "a", count: 64) + ".org",
    ])
    func anythingElseIsNoDomain(raw: String) {
        #expect(DomainName(raw) == nil)
    }

    @Test(arguments: [
        ("Al.Ice+tag@Example.org", "Al.Ice+tag@example.org"),
        ("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
    ])
    func aMailAddressKeepsItsLocalPart(raw: String, expected: String) {
        #expect(EmailAddress(raw)?.value == expected)
    }

    @Test(arguments: [
        "", "alice", "@example.org", "alice@", "alice@localhost", "a..b@example.org", ".a@example.org",
        "a@b@example.org", "a b@example.org",
        "alice@example.org\r\nBcc: x@example.org", "\"a b\"@example.org", "ålice@example.org",
    ])
    func anythingElseIsNoMailAddress(raw: String) {
        #expect(EmailAddress(raw) == nil)
    }

    @Test func aSecretDoesNotShowItself() {
        let secret = Secret("hunter2")
        #expect(
            "\(secret) \(String(reflecting: secret)) \(String(describing: Optional(secret)))".contains("hunter2")
                == false)
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(secret.reveal() == "hunter2")
    }
}
