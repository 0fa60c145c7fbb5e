import Testing

@testable import FlexiServer

@Suite("vCards")
struct VCardTests {
    @Test func aCardHasTheLinesThatClientsRead() throws {
        let contact = try Self.contact(
            displayName: "Tatyana Schoen", dtmfProtocol: .sipinfo,
            types: [.init(id: 1, key: "phone"), .init(id: 2, key: "door_unit")],
            actions: [.init(id: 7, key: "action_key", code: "123"), .init(id: 8, key: "light", code: "9")])
        #expect(
            VCard(contact).text == """
                BEGIN:VCARD\r
                VERSION:4.0\r
                KIND:individual\r
                IMPP:sip:schoen.tatyana@sip.example.org\r
                FN:Tatyana Schoen\r
                X-LINPHONE-ACCOUNT-DTMF-PROTOCOL:sipinfo\r
                X-LINPHONE-ACCOUNT-TYPE:phone\r
                X-LINPHONE-ACCOUNT-TYPE:door_unit\r
                X-LINPHONE-ACCOUNT-ACTION:action_key;123\r
                X-LINPHONE-ACCOUNT-ACTION:light;9\r
                END:VCARD\r

                """)
    }

    @Test(arguments: [nil, " ", "\u{7}", "\t\u{A0}"])
    func aContactWithoutANameIsNamedByItsAddress(displayName: String?) throws {
        let card = try VCard(Self.contact(displayName: displayName))
        #expect(card.text.contains("\r\nFN:schoen.tatyana@sip.example.org\r\n"))
        #expect(!card.text.contains("X-LINPHONE"))
    }

    @Test(arguments: [
        // The name, and the line that it becomes.
        (#"a\b"#, #"FN:a\\b"#),
        ("a,b", #"FN:a\,b"#),
        ("a;b", "FN:a;b"),
        ("a\nb", #"FN:a\nb"#),
        ("a\r\nb\rc\n\nd", #"FN:a\nb\nc\n\nd"#),
        ("x\r\nEND:VCARD\r\nBEGIN:VCARD", #"FN:x\nEND:VCARD\nBEGIN:VCARD"#),
        ("\"quoted\" <x>: y", "FN:\"quoted\" <x>: y"),
        ("bell\u{7}\u{1B}[0m\u{0}\u{7F}", "FN:bell[0m"),
        ("tab\there", "FN:tab\there"),
    ])
    func aNameStaysOnItsLine(name: String, line: String) throws {
        let lines = try VCard(Self.contact(displayName: name)).text.split(separator: "\r\n")
        #expect(lines.filter { $0.hasPrefix("FN") }.map(String.init) == [line])
        #expect(lines.count == 6)
    }

    @Test(arguments: 60...160)
    func aLineIsFoldedAt75OctetsAndNotBefore(length: Int) throws {
        let name = String(repeating: "x", count: length)
        let text = try VCard(Self.contact(displayName: name)).text
        let lines = PlainCard.physicalLines(text)
        #expect(lines.allSatisfy { $0.count <= 75 })
        let folded = lines.filter { $0.first == 0x20 }
        // 75 octets on the first line, and 74 behind the space of each other one.
        #expect(folded.count == (max(0, "FN:".utf8.count + length - 75) + 73) / 74)
        #expect(try PlainCard.read(text).map(\.name) == [name])
    }

    @Test(arguments: 66...76)
    func aCharacterIsNotSplitWhereverTheFoldFalls(before: Int) throws {
        for character in ["é", "€", "😀", "👩‍👩‍👧‍👦", "🇫🇷", "e\u{301}"] {
            let name = String(repeating: "x", count: before) + String(repeating: character, count: 40)
            let text = try VCard(Self.contact(displayName: name)).text
            for line in PlainCard.physicalLines(text) {
                #expect(line.count <= 75)
                #expect(String(validating: line, as: UTF8.self) != nil, "a line that is no UTF-8 of its own")
            }
            #expect(try PlainCard.read(text).map(\.name) == [name])
        }
    }

    @Test func nastyNamesAreReadBackAsTheyWere() throws {
        var generator = SeededNumbers(seed: 6350)
        let names = (0..<2_000).map { _ in Self.nastyName(&generator) }
        let text = try names.map { try VCard(Self.contact(displayName: $0)).text }.joined()
        let cards = try PlainCard.read(text)
        // As bytes: equal characters may be written differently.
        #expect(cards.map { $0.name.map { Array($0.utf8) } } == names.map { Array($0.utf8) })
        #expect(cards.allSatisfy { $0.address == "sip:schoen.tatyana@sip.example.org" })
        #expect(PlainCard.physicalLines(text).allSatisfy { $0.count <= 75 })
    }

    /// One to 120 pieces of what breaks writers and readers of cards, with a letter among them so that there is a name.
    private static func nastyName(_ generator: inout SeededNumbers) -> String {
        let pieces = [
            ";", ",", "\\", "\n", "\\n", "\\,", "\"", "'", ":", "=", " ", "\t", "a", "Z", "END:VCARD", "BEGIN:VCARD\n",
            "é",
            "€", "😀", "👩‍👩‍👧‍👦", "🇫🇷", "\u{301}", "\u{200D}", "\u{202E}", "\u{2028}", "\u{85}", "\u{FEFF}", "ﷺ", "日本",
        ]
        let count = Int.random(in: 1...120, using: &generator)
        return "n" + (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
    }

    private static func contact(
        displayName: String?, dtmfProtocol: DTMFProtocol? = nil, types: [Account.TypeReference] = [],
        actions: [Account.Action] = []
    ) throws -> Contact {
        Contact(
            id: .init(rawValue: 1), username: "schoen.tatyana", domain: try #require(DomainName("sip.example.org")),
            isActivated: true, displayName: displayName, dtmfProtocol: dtmfProtocol, types: types, actions: actions)
    }
}

/// A card as RFC 6350 says to read it, written for the tests alone: bytes to lines (3.2), lines to properties (3.3), values unescaped (3.4).
struct PlainCard {
    var properties: [(name: String, value: [UInt8])] = []

    struct Malformed: Error {
        let line: String
    }

    var name: String? { self.values("FN").first.map(Self.unescaped) }
    var address: String? { self.values("IMPP").first.map { String(decoding: $0, as: UTF8.self) } }

    func values(_ name: String) -> [[UInt8]] {
        self.properties.filter { $0.name == name }.map(\.value)
    }

    static func read(_ text: String) throws -> [PlainCard] {
        var cards: [PlainCard] = []
        var open: PlainCard?
        for line in try self.logicalLines(text) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw Malformed(line) }
            let property = String(decoding: line[..<colon], as: UTF8.self)
            let value = Array(line[line.index(after: colon)...])
            switch (property, value) {
            case ("BEGIN", Array("VCARD".utf8)):
                guard open == nil else { throw Malformed(line) }
                open = PlainCard()
            case ("END", Array("VCARD".utf8)):
                guard let card = open else { throw Malformed(line) }
                cards.append(card)
                open = nil
            default:
                let isName = property.utf8.allSatisfy {
                    $0 == UInt8(ascii: "-") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                }
                guard open != nil, isName else { throw Malformed(line) }
                open?.properties.append((property, value))
            }
        }
        guard open == nil else { throw Malformed(line: "the last card has no end") }
        return cards
    }

    /// The lines as they are on the wire, without their ends.
    static func physicalLines(_ text: String) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x0D, rest.first == 0x0A {
                rest.removeFirst()
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        return lines
    }

    private static func logicalLines(_ text: String) throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var physical = self.physicalLines(text)
        guard physical.popLast() == [] else { throw Malformed(line: "the last line has no end") }
        for line in physical {
            guard !line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else { throw Malformed(line) }
            if line.first == 0x20 || line.first == 0x09 {
                guard !lines.isEmpty else { throw Malformed(line) }
                lines[lines.count - 1] += line.dropFirst()
            } else {
                lines.append(line)
            }
        }
        return lines
    }

    private static func unescaped(_ value: [UInt8]) -> String {
        var result: [UInt8] = []
        var rest = value[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"), UInt8(ascii: "N"): result.append(0x0A)
            case let other?: result.append(other)
            case nil: break
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension PlainCard.Malformed {
    fileprivate init(_ line: some Collection<UInt8>) {
        self.init(line: String(decoding: line, as: UTF8.self))
    }
}
