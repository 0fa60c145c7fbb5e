import Testing

@testable import DigestAuth

@Suite("Digest credentials")
struct DigestCredentialsTests {
    static let nonce = "0123456789abcdef0123456789abcdef"
    static let opaque = "00112233445566778899aabbccddeeff"
    static let parameters = [
        #"username="pauline""#, #"realm="sip.example.org""#, #"nonce="\#(Self.nonce)""#, #"uri="/api/accounts/me""#,
        #"response="3e00635fc0a04b332233ffdc0f22a6b8""#, "algorithm=MD5", #"cnonce="ab~c""#,
        #"opaque="\#(Self.opaque)""#, "qop=auth", "nc=0000000a",
    ]
    static let header = "Digest " + Self.parameters.joined(separator: ", ")

    // MARK: real clients

    struct Recorded: Sendable, CustomTestStringConvertible {
        let client: String
        let header: String
        let password: String
        var testDescription: String { self.client }
    }

    /// Authorization lines as the programs sent them.
    static let recorded = [
        Recorded(
            client: "curl 7.88 MD5",
            header: #"""
                Digest username="pauline", realm="sip.example.org", nonce="0123456789abcdef0123456789abcdef", \#
                uri="/api/accounts/me?md5=1", cnonce="Y2U0MzUwZTkyODY1NDM3YjQ4M2I5MGFjMDdhZGJmNzk=", nc=00000001, \#
                qop=auth, response="b8ec9d081d4d674008c54b29c7782781", \#
                opaque="00112233445566778899aabbccddeeff", algorithm=MD5
                """#,
            password: #"a "b" \c"#),
        Recorded(
            client: "curl 7.88 SHA-256",
            header: #"""
                Digest username="pauline", realm="sip.example.org", nonce="0123456789abcdef0123456789abcdef", \#
                uri="/api/accounts/me?sha=1", cnonce="NTNhNDkyOTJlMjg1NTUwNTE5M2RhYzJkMzI1M2U4Yjc=", nc=00000001, \#
                qop=auth, response="8ebc8d59dd106748bb6ba3dc3aec2fb4129444f9b73b7304358a398e7e519a7f", \#
                opaque="00112233445566778899aabbccddeeff", algorithm=SHA-256
                """#,
            password: #"a "b" \c"#),
        Recorded(
            client: "curl 7.88, a quote in the user name",
            header: #"""
                Digest username="pau\"line", realm="sip.example.org", nonce="0123456789abcdef0123456789abcdef", \#
                uri="/q?md5", cnonce="ZGI4OWU4MGRlMWYzMTYxYTMxZTlkOGQyMmZlMmMyZGY=", nc=00000001, qop=auth, \#
                response="efb46f7f33008faefb4d50eda761c89d", opaque="00112233445566778899aabbccddeeff", algorithm=MD5
                """#,
            password: "x"),
        Recorded(
            client: "Python requests 2.34 MD5",
            header: #"""
                Digest username="pauline", realm="sip.example.org", nonce="0123456789abcdef0123456789abcdef", \#
                uri="/api/accounts/me?md5=1", response="3e00635fc0a04b332233ffdc0f22a6b8", \#
                opaque="00112233445566778899aabbccddeeff", algorithm="MD5", qop="auth", nc=00000001, \#
                cnonce="ce1101118c711ae3"
                """#,
            password: "secret"),
        Recorded(
            client: "Python requests 2.34 SHA-256",
            header: #"""
                Digest username="pauline", realm="sip.example.org", nonce="0123456789abcdef0123456789abcdef", \#
                uri="/api/accounts/me?sha=1", \#
                response="cfa3eed238eeced08a974edfe84840a89fc2d281e0bd388c7aad6a8d9a5cd77b", \#
                opaque="00112233445566778899aabbccddeeff", algorithm="SHA-256", qop="auth", nc=00000001, \#
                cnonce="ad53de9f4eb20a2c"
                """#,
            password: "secret"),
    ]

    @Test(arguments: Self.recorded)
    func theLinesOfRealClientsAreRead(recorded: Recorded) throws {
        let credentials = try DigestCredentials(parsing: recorded.header)
        #expect(credentials.realm == "sip.example.org")
        #expect(credentials.nonce == Self.nonce)
        #expect(credentials.opaque == Self.opaque)
        #expect(credentials.count == 1)
        #expect(credentials.isAnswer(ofPassword: recorded.password, method: "GET"))
        #expect(!credentials.isAnswer(ofPassword: recorded.password, method: "POST"))
    }

    /// Lines of linphonec 5.1.65 (belle-sip 5.1), which had been given the hash and not the password.
    @Test(arguments: [
        (
            #"""
            Digest realm="sip.example.org", nonce="abc", algorithm="MD5", opaque="d", username="linphone_md5", \#
            response="0f7221c0d8bfaff5b64889de609f7ba8", cnonce="KOj-QPjkSsrUP9Ra", nc=00000001, qop=auth, \#
            uri="/provisioning/me"
            """#,
            "7015bf73b8f4572f5c3bbdcdec64a060"
        ),
        (
            #"""
            Digest realm="sip.example.org", nonce="abc", algorithm="SHA-256", opaque="d", \#
            username="linphone_sha-256", \#
            response="7c1bbc9b3b0c7e62e91101febe035f3079368dcda6a8791776878617998329eb", \#
            cnonce="VY3hWmzUc8Igm6jh", nc=00000001, qop=auth, uri="/provisioning/me"
            """#,
            "2271fdb5e5651755d6b1d4dafb43a05d4474d150f1ebf0a5e6a22e1f7e9bd518"
        ),
    ])
    func theLinesOfTheLinphoneClientAreRead(header: String, ha1: String) throws {
        let credentials = try DigestCredentials(parsing: header)
        let expected = DigestResponse.compute(
            credentials.algorithm, ha1: ha1, nonce: "abc", count: "00000001", clientNonce: credentials.clientNonce,
            method: "GET", uri: "/provisioning/me")
        #expect(credentials.responseText == expected)
        #expect(credentials.opaque == "d")
    }

    // MARK: what the grammar allows

    @Test func everyParameterIsRead() throws {
        let credentials = try DigestCredentials(parsing: Self.header)
        #expect(credentials.username == "pauline")
        #expect(credentials.realm == "sip.example.org")
        #expect(credentials.nonce == Self.nonce)
        #expect(credentials.uri == "/api/accounts/me")
        #expect(credentials.responseText == "3e00635fc0a04b332233ffdc0f22a6b8")
        #expect(credentials.algorithm == .md5)
        #expect(credentials.clientNonce == "ab~c")
        #expect(credentials.opaque == Self.opaque)
        #expect(credentials.protection == "auth")
        #expect(credentials.count == 10)
    }

    static let spellings: [String] = [
        "Digest " + Self.parameters.reversed().joined(separator: ","),
        "digest " + Self.parameters.joined(separator: " , "),
        "DIGEST\t" + Self.parameters.joined(separator: ",\t"),
        "Digest   ,, " + Self.parameters.joined(separator: ",, ,") + " , ",
        Self.header.replacing("=", with: " = ").replacing("\" ", with: "\""),
        Self.header.replacing("username", with: "UserName").replacing("qop", with: "QOP"),
        Self.header.replacing("algorithm=MD5", with: #"algorithm="md5""#),
        Self.header.replacing("algorithm=MD5, ", with: ""),
        Self.header.replacing("qop=auth", with: #"qop="auth""#),
        Self.header.replacing("nc=0000000a", with: #"nc="0000000A""#),
        Self.header.replacing("3e00635fc0a04b332233ffdc0f22a6b8", with: "3E00635FC0A04B332233FFDC0F22A6B8"),
        Self.header.replacing(#""pauline""#, with: #""\p\a\u\l\i\n\e""#),
        Self.header.replacing(#""pauline""#, with: "pauline"),
        Self.header + #", charset=UTF-8, auth-param="x, y=\"z\"", userhash=false"#,
    ]

    @Test(arguments: Self.spellings)
    func anyOtherSpellingOfTheSameIsRead(header: String) throws {
        let (expected, actual) = (try DigestCredentials(parsing: Self.header), try DigestCredentials(parsing: header))
        #expect(actual.username == expected.username)
        #expect(actual.realm == expected.realm)
        #expect(actual.uri == expected.uri)
        #expect(actual.response == expected.response)
        #expect(actual.algorithm == expected.algorithm)
        #expect(actual.count == expected.count)
    }

    @Test(arguments: [
        (#"pau\"line"#, #"pau"line"#),
        (#"pau\\line"#, #"pau\line"#),
        ("pau,line=x", "pau,line=x"),
        ("paulé 世", "paulé 世"),
        ("", ""),
    ])
    func aQuotedStringIsUnquoted(quoted: String, expected: String) throws {
        let header = Self.header.replacing(#"username="pauline""#, with: "username=\"\(quoted)\"")
        #expect(try DigestCredentials(parsing: header).username == expected)
    }

    // MARK: what is refused

    struct Refused: Sendable, CustomTestStringConvertible {
        let header: String
        let reason: DigestParseError
        var testDescription: String { self.header }

        init(_ header: String, _ reason: DigestParseError) {
            self.header = header
            self.reason = reason
        }

        /// The good header with one thing altered.
        init(replacing old: String, with new: String, _ reason: DigestParseError) {
            self.init(DigestCredentialsTests.header.replacing(old, with: new), reason)
        }

        init(adding text: String, _ reason: DigestParseError) {
            self.init(DigestCredentialsTests.header + text, reason)
        }
    }

    static let refused: [Refused] = [
        Refused("", .otherScheme),
        Refused(" Digest username=x", .otherScheme),
        Refused("Bearer abc", .otherScheme),
        Refused("Digestive username=x", .otherScheme),
        Refused("Digest", .missing(.username)),
        Refused("Digest ", .missing(.username)),
        Refused("Digest,username=x", .malformed),
        Refused(#"Digest="x""#, .malformed),
        Refused("Digest username", .malformed),
        Refused("Digest username=", .malformed),
        Refused("Digest username=,", .malformed),
        Refused("Digest =x", .malformed),
        Refused(#"Digest username="x"#, .malformed),
        Refused(#"Digest username="x\"#, .malformed),
        Refused(#"Digest username="x\""#, .malformed),
        Refused(#"Digest username="x"y"#, .malformed),
        Refused(#"Digest username="x" realm="y""#, .malformed),
        Refused("Digest username=a b", .malformed),
        Refused("Digest us er=a", .malformed),
        Refused("Digest username=é", .malformed),
        Refused("Digest username=\u{0}", .malformed),
        Refused(adding: "\r\nX: y", .malformed),
        Refused(adding: "\n", .malformed),
        Refused("Digest username=\"a\u{0}b\"", .controlCharacter),
        Refused("Digest username=\"a\r\nb\"", .controlCharacter),
        Refused("Digest username=\"a\tb\"", .controlCharacter),
        Refused("Digest username=\"a\\\nb\"", .controlCharacter),
        Refused("Digest username=\"a\u{7f}b\"", .controlCharacter),
        Refused(adding: ", username=\"other\"", .duplicateParameter),
        Refused(adding: ", NC=00000001", .duplicateParameter),
        Refused(adding: ", x=1, X=1", .duplicateParameter),
        Refused(adding: ", username*=UTF-8''pauline", .unsupportedUsername),
        Refused(adding: ", userhash=true", .unsupportedUsername),
        Refused(replacing: "algorithm=MD5", with: "algorithm=MD5-sess", .unsupportedAlgorithm),
        Refused(replacing: "algorithm=MD5", with: "algorithm=SHA-512-256", .unsupportedAlgorithm),
        Refused(replacing: "algorithm=MD5", with: #"algorithm="""#, .unsupportedAlgorithm),
        Refused(replacing: "algorithm=MD5", with: "algorithm=SHA-256", .invalid(.response)),
        Refused(replacing: "qop=auth", with: "qop=auth-int", .unsupportedProtection),
        Refused(replacing: "nc=0000000a", with: "nc=1", .invalid(.nc)),
        Refused(replacing: "nc=0000000a", with: "nc=000000001", .invalid(.nc)),
        Refused(replacing: "nc=0000000a", with: "nc=0000000g", .invalid(.nc)),
        Refused(replacing: "nc=0000000a", with: "nc=00000000", .invalid(.nc)),
        Refused(replacing: "nc=0000000a", with: #"nc=" 000001""#, .invalid(.nc)),
        Refused(replacing: "ab~c", with: "", .invalid(.cnonce)),
        Refused(replacing: "3e00635fc0", with: "", .invalid(.response)),
        Refused(replacing: "3e00635f", with: "3e00635g", .invalid(.response)),
        Refused(replacing: "3e00635f", with: "3e00635fff", .invalid(.response)),
    ]

    @Test(arguments: Self.refused)
    func everythingElseIsRefusedForItsReason(refused: Refused) {
        #expect(throws: refused.reason) { try DigestCredentials(parsing: refused.header) }
    }

    @Test(arguments: DigestParameter.allCases)
    func everyParameterButTheAlgorithmIsRequired(parameter: DigestParameter) {
        let header =
            "Digest " + Self.parameters.filter { !$0.hasPrefix("\(parameter.rawValue)=") }.joined(separator: ",")
        if parameter == .algorithm {
            #expect(throws: Never.self) { try DigestCredentials(parsing: header) }
        } else {
            #expect(throws: DigestParseError.missing(parameter)) { try DigestCredentials(parsing: header) }
        }
    }

    @Test func aHeaderOfMoreThanFourKilobytesIsRefusedUnread() throws {
        let room = DigestCredentials.maximumLength - Self.header.utf8.count - ", x=".utf8.count
        #expect(throws: Never.self) {
            try DigestCredentials(parsing: Self.header + ", x=" + String(repeating: "y", count: room))
        }
        #expect(throws: DigestParseError.tooLong) {
            try DigestCredentials(parsing: Self.header + ", x=" + String(repeating: "y", count: room + 1))
        }
    }

    @Test func noReasonRepeatsWhatTheClientSent() throws {
        for header in ["Digest x=secretvalue, x=secretvalue", "Digest secretvalue", Self.header + "secretvalue="] {
            let error = #expect(throws: DigestParseError.self) { try DigestCredentials(parsing: header) }
            #expect(!(try #require(error).description.contains("secretvalue")))
        }
    }

    // MARK: random input

    @Test func valuesOfAnyPrintableTextSurviveQuoting() throws {
        var random = SeededGenerator(seed: 7616)
        for _ in 0..<500 {
            let (username, uri) = (random.printableText(), random.printableText())
            let header = Self.header
                .replacing(#""pauline""#, with: quoted(username)).replacing(#""/api/accounts/me""#, with: quoted(uri))
            let credentials = try DigestCredentials(parsing: header)
            #expect(credentials.username.utf8.elementsEqual(username.utf8))
            #expect(credentials.uri.utf8.elementsEqual(uri.utf8))
        }
    }

    @Test func alteredHeadersAreReadOrRefusedButNeverCrash() {
        var random = SeededGenerator(seed: 2617)
        var (read, refused) = (0, 0)
        for _ in 0..<5000 {
            var bytes = Array(Self.header.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(#"",=\ "#.utf8.randomElement(using: &random) ?? 0, at: index)
                default: bytes.removeSubrange(index..<min(bytes.count, index + 12))
                }
            }
            do {
                let credentials = try DigestCredentials(parsing: String(decoding: bytes, as: UTF8.self))
                #expect(credentials.count > 0)
                #expect(credentials.response.count == (credentials.algorithm == .md5 ? 16 : 32))
                read += 1
            } catch {
                refused += 1
            }
        }
        // Both ways must have been gone, or the alterations were too weak or too strong.
        #expect(read > 100 && refused > 100)
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
