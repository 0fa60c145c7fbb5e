import Testing

@testable import FlexiServer

@Suite("JSON input")
struct JSONParserTests {
    @Test func everyKindOfValueIsRead() throws {
        let object = try Self.object(
            #"{"null":null,"yes":true,"no":false,"int":-42,"dec":1.5e2,"text":"a","list":[1,"b",[]],"nested":{"x":0}, "big":123456789012345678901}"#
        )
        #expect(object.members.map(\.name) == ["null", "yes", "no", "int", "dec", "text", "list", "nested", "big"])
        #expect(object["null"] == nil)
        #expect(object.contains("null"))
        guard case .bool(true)? = object["yes"], case .bool(false)? = object["no"], case .integer(-42)? = object["int"],
            case .decimal(150)? = object["dec"], case .string("a")? = object["text"],
            case .array(let list)? = object["list"],
            case .object(let nested)? = object["nested"], case .integer(0)? = nested["x"],
            case .decimal? = object["big"]
        else {
            Issue.record("a value was read as another: \(object)")
            return
        }
        #expect(list.count == 3)
    }

    @Test(arguments: [
        (#""""#, ""), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u20AC""#, "é€"),
        (#""\ud83d\ude00""#, "😀"), (#""é€😀""#, "é€😀"), (#""a\u0000b""#, "a\u{0}b"),
    ])
    func aStringIsUnescaped(text: String, expected: String) throws {
        guard case .string(let value) = try Self.parse(text) else {
            Issue.record("no string")
            return
        }
        #expect(value == expected)
    }

    @Test(arguments: [
        "", "{", "}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "{\"a\":1,}", "{\"a\":1 \"b\":2}",
        "01", "1.", ".5", "+1", "-",
        "1e", "0x1", "NaN", "nul", "truee", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"a\nb\"", "{} {}", "[1] x", "\u{FEFF}{}", "/**/{}",
    ])
    func anythingElseIsMalformed(text: String) {
        #expect(throws: JSONParser.Failure.self) { try Self.parse(text) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22],
        ] as [[UInt8]])
    func invalidUTF8IsMalformed(bytes: [UInt8]) {
        #expect(throws: JSONParser.Failure.self) { try bytes.withUnsafeBytes { try JSONParser.parse($0) } }
    }

    @Test func depthHasALimit() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try Self.parse(nested(JSONParser.maximumDepth))
        #expect(throws: JSONParser.Failure.self) { try Self.parse(nested(JSONParser.maximumDepth + 1)) }
        #expect(throws: JSONParser.Failure.self) { try Self.parse(nested(200_000)) }
    }

    @Test func aMemberMayNotComeTwice() {
        let failure = #expect(throws: JSONParser.Failure.self) { try Self.parse(#"{"a":1,"b":{"a":1},"\u0061":2}"#) }
        guard case .duplicate("a")? = failure else {
            Issue.record("the name of the member is not told: \(String(describing: failure))")
            return
        }
    }

    @Test func theNumberOfMembersHasALimit() {
        let members = (0...JSONParser.maximumMembers).map { "\"m\($0)\":0" }.joined(separator: ",")
        let failure = #expect(throws: JSONParser.Failure.self) { try Self.parse("{\(members)}") }
        guard case .tooManyMembers? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    private static func parse(_ text: String) throws -> JSONValue {
        try Array(text.utf8).withUnsafeBytes { try JSONParser.parse($0) }
    }

    private static func object(_ text: String) throws -> JSONObject {
        guard case .object(let object) = try self.parse(text) else { throw JSONParser.Failure.malformed }
        return object
    }
}
