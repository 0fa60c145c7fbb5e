import Testing

@testable import FlexiServer

@Suite("SIP URIs")
struct SIPURITests {
    @Test func everyPartIsRead() throws {
        let uri = try #require(
            SIPURI(
                "sips:+33612;ext=5:se%20cret@[2001:db8::1]:5061;transport=tls;lr;GR=urn%3auuid%3af81d4fae?Subject=a%20b"
            ))
        #expect(uri.isSecure)
        #expect(uri.user == "+33612;ext=5")
        #expect(uri.password == "se%20cret")
        #expect(uri.host == "[2001:db8::1]")
        #expect(uri.port == 5061)
        #expect(
            uri.parameters == [
                .init(name: "transport", value: "tls"), .init(name: "lr", value: nil),
                .init(name: "GR", value: "urn%3auuid%3af81d4fae"),
            ])
        #expect(uri.gruu == "urn:uuid:f81d4fae")
        #expect(uri.parameter("lr") == nil)
        #expect(uri.headers == "Subject=a%20b")
    }

    @Test(arguments: [
        "sip:alice@sip.example.org",
        "sip:192.0.2.7",
        "sip:alice@192.0.2.7:38561;transport=udp",
        "sips:alice@sip.example.org.:5061;pn-provider=apns;pn-param=TEAM.org.example.app%26voip;pn-prid=00AA%3aremote",
        "sip:%61l-_.!~*'()&=+$,;?/ice@[::1];lr?a=b&c=d",
        "sip:alice@sip.example.org;+sip.instance=%22%3Curn:uuid:1%3E%22;[x]/:&+$=[y]/:&+$",
    ])
    func theTextComesBack(text: String) throws {
        #expect(try #require(SIPURI(text)).description == text)
    }

    @Test func theSchemeIsReadInAnyCase() throws {
        #expect(try #require(SIPURI("SIP:alice@sip.example.org")).description == "sip:alice@sip.example.org")
    }

    @Test(arguments: [
        "", "alice@sip.example.org", "tel:+33612345678", "sip", "sip:", "sip:@sip.example.org", "sip:alice@",
        "sip:alice@sip example.org", "sip:al ice@sip.example.org", "sip:alice@sip.example.org\r\nversion",
        "sip:alice@sip.example.org\u{0}", "sip:\"alice\"@sip.example.org", "<sip:alice@sip.example.org>",
        "sip:alice@bob@sip.example.org", "sip:a%2@sip.example.org", "sip:a%zz@sip.example.org",
        "sip:alice@sip.example.org:", "sip:alice@sip.example.org:0", "sip:alice@sip.example.org:65536",
        "sip:alice@sip.example.org:+5", "sip:alice@[2001:db8::1", "sip:alice@[]", "sip:alice@[::1]x",
        "sip:alice@-bad.example.org", "sip:alice@sip.example.org;", "sip:alice@sip.example.org;=a",
        "sip:alice@sip.example.org;a=", "sip:alice@sip.example.org;a=b=c", "sip:alice@sip.example.org?",
        "sip:é@sip.example.org", "sip:alice@\(String(repeating: "a.", count: 600))org",
    ])
    func whatIsNoneIsRefused(text: String) {
        #expect(SIPURI(text) == nil)
    }
}
