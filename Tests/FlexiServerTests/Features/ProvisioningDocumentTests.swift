import Foundation
import FoundationXML
import Testing

@testable import FlexiServer

@Suite("Provisioning document")
struct ProvisioningDocumentTests {
    @Test func sectionsOfOneNameAreMergedAndTheLaterEntryWins() throws {
        var document = try RCFile.parse(
            """
            # the proxy of every account
            [proxy_0]
            reg_proxy=<sip:proxy.example.org;transport=tls>
            reg_sendregister = 0

            [sip]
            verify_server_certs=1
            [proxy_0]
            reg_expires=3600
            """
        )
        try document.add(Self.alice())
        #expect(document.sections.map(\.name) == ["proxy_0", "sip", "auth_info_0", "auth_info_1"])
        #expect(
            document.sections[0].entries.map { "\($0.name)=\($0.value)" } == [
                "reg_proxy=<sip:proxy.example.org;transport=tls>", "reg_sendregister=1", "reg_expires=3600",
                "reg_identity=<sip:alice@sip.example.org>", "refkey=push_notification",
            ]
        )
    }

    @Test func theXMLIsWhatALinphoneClientReads() throws {
        var document = ProvisioningDocument()
        document.set("contacts-vcard-list", in: "misc", to: "https://example.org/contacts/vcard")
        try document.add(Self.alice())
        #expect(
            document.xml(overwrite: true) == """
                <?xml version="1.0" encoding="UTF-8"?>
                <config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
                  <section name="misc">
                    <entry name="contacts-vcard-list" overwrite="true">https://example.org/contacts/vcard</entry>
                  </section>
                  <section name="proxy_0">
                    <entry name="reg_proxy" overwrite="true">&lt;sip:sip.example.org&gt;</entry>
                    <entry name="reg_identity" overwrite="true">&lt;sip:alice@sip.example.org&gt;</entry>
                    <entry name="reg_sendregister" overwrite="true">1</entry>
                    <entry name="refkey" overwrite="true">push_notification</entry>
                  </section>
                  <section name="auth_info_0">
                    <entry name="username" overwrite="true">alice</entry>
                    <entry name="domain" overwrite="true">sip.example.org</entry>
                    <entry name="ha1" overwrite="true">900150983cd24fb0d6963f7d28e17f72</entry>
                    <entry name="realm" overwrite="true">sip.example.org</entry>
                    <entry name="algorithm" overwrite="true">MD5</entry>
                  </section>
                  <section name="auth_info_1">
                    <entry name="username" overwrite="true">alice</entry>
                    <entry name="domain" overwrite="true">sip.example.org</entry>
                    <entry name="ha1" overwrite="true">ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad</entry>
                    <entry name="realm" overwrite="true">sip.example.org</entry>
                    <entry name="algorithm" overwrite="true">SHA-256</entry>
                  </section>
                </config>

                """
        )
        #expect(!document.xml(overwrite: false).contains("overwrite"))
    }

    @Test(arguments: ["<&>\"'", "a]]>b", "tab\tline\nreturn\r", "ünïcödé 🎉", "--", " spaces "])
    func anyValueIsReadBackByAnXMLParser(value: String) throws {
        var document = ProvisioningDocument()
        document.set(value, in: "section", to: value)
        let reader = EntryReader()
        let parser = XMLParser(data: Data(document.xml(overwrite: false).utf8))
        parser.delegate = reader
        #expect(parser.parse())
        #expect(reader.name == value)
        #expect(reader.text == value)
    }

    @Test func charactersThatXMLCannotCarryAreLeftOut() {
        var document = ProvisioningDocument()
        document.set("a\u{0}b", in: "s\u{8}", to: "c\u{1F}d\u{FFFF}")
        let xml = document.xml(overwrite: false)
        #expect(xml.contains("<section name=\"s\">"))
        #expect(xml.contains("<entry name=\"ab\">cd</entry>"))
    }

    @Test(arguments: [
        ("[proxy_0\na=b", 1, "closed"), ("a=b", 1, "before the first"), ("[x]\n\nnonsense", 3, "name=value"),
        ("[x]\n=y", 2, "name=value"),
    ])
    func aBrokenFileIsRefusedWithItsLine(text: String, line: Int, problem: String) throws {
        let error = try #require(throws: RCFile.SyntaxError.self) { try RCFile.parse(text) }
        #expect(error.line == line)
        #expect(error.problem.contains(problem))
    }

    private static func alice() throws -> ProvisioningDocument.Account {
        try ProvisioningDocument.Account(
            address: #require(SIPAddress("alice@sip.example.org")),
            credentials: [
                .init(algorithm: "MD5", realm: "sip.example.org", ha1: Secret("900150983cd24fb0d6963f7d28e17f72")),
                .init(
                    algorithm: "SHA-256", realm: "sip.example.org",
                    ha1: Secret("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")),
            ]
        )
    }
}

/// Collects the name and the text of a document's one entry.
private final class EntryReader: NSObject, XMLParserDelegate {
    private(set) var name: String?
    private(set) var text = ""
    private var isInside = false

    func parser(
        _: XMLParser, didStartElement element: String, namespaceURI _: String?, qualifiedName _: String?,
        attributes: [String: String]
    ) {
        guard element == "entry" else { return }
        self.isInside = true
        self.name = attributes["name"]
    }

    func parser(_: XMLParser, foundCharacters string: String) {
        if self.isInside { self.text += string }
    }

    func parser(_: XMLParser, didEndElement _: String, namespaceURI _: String?, qualifiedName _: String?) {
        self.isInside = false
    }
}
