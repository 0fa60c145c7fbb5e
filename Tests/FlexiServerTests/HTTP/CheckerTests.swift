import Testing

@testable import FlexiServer

@Suite("Checker")
struct CheckerTests {
    @Test func everyProblemIsReportedAtOnce() throws {
        var checker = try Self.checker(#"{"name":7,"flag":"maybe","at":"tomorrow","kind":"x","text":"a\u0000b"}"#)
        #expect(checker.text("name") == nil)
        #expect(checker.flag("flag") == nil)
        #expect(checker.time("at") == nil)
        #expect(checker.choice("kind", of: DTMFProtocol.self) == nil)
        #expect(checker.text("text") == nil)
        #expect(checker.requiredText("user_name") == nil)
        #expect(checker.requiredPassword("password") == nil)
        let problems = Self.problems(of: checker)
        #expect(problems.map(\.field) == ["name", "flag", "at", "kind", "text", "user_name", "password"])
        #expect(problems.allSatisfy { $0.messages.count == 1 })
        #expect(problems.first { $0.field == "user_name" }?.messages == ["The user name is missing."])
    }

    @Test func aWrongTypeIsNotAlsoMissing() throws {
        var checker = try Self.checker(#"{"username":[],"password":{}}"#)
        _ = checker.requiredText("username")
        _ = checker.requiredPassword("password")
        let problems = Self.problems(of: checker)
        #expect(problems.map(\.messages) == [["The username must be a text."], ["The password must be a text."]])
    }

    @Test(arguments: [
        ("true", true), ("false", false), ("1", true), ("0", false), ("\"1\"", true), ("\"0\"", false),
        ("\"true\"", true), ("\"false\"", false),
    ])
    func aFlagComesInManyForms(json: String, expected: Bool) throws {
        var checker = try Self.checker("{\"flag\":\(json)}")
        #expect(checker.flag("flag") == expected)
        try checker.finish()
    }

    @Test(arguments: ["2", "-1", "1.0", "\"yes\"", "\"\"", "[]", "{}", "\"TRUE\""])
    func anythingElseIsNoFlag(json: String) throws {
        var checker = try Self.checker("{\"flag\":\(json)}")
        #expect(checker.flag("flag") == nil)
        #expect(checker.hasFailed("flag"))
    }

    @Test func textIsTrimmedAndAPasswordIsNot() throws {
        var checker = try Self.checker(#"{"name":" \t a b\n","blank":"  ","password":" p "}"#)
        #expect(checker.text("name") == "a b")
        #expect(checker.text("blank") == nil)
        #expect(checker.password("password")?.reveal() == " p ")
        try checker.finish()
        #expect(checker.requiredText("blank") == nil)
        #expect(checker.hasFailed("blank"))
    }

    @Test func nullIsAbsentButMentioned() throws {
        var checker = try Self.checker(#"{"name":null}"#)
        #expect(checker.text("name") == nil)
        #expect(checker.flag("name") == nil)
        #expect(checker.mentions("name"))
        #expect(!checker.mentions("other"))
        try checker.finish()
    }

    private static func problems(of checker: Checker) -> [APIError.Problem] {
        do {
            try checker.finish()
            return []
        } catch {
            return error.problems
        }
    }

    private static func checker(_ text: String) throws -> Checker {
        guard case .object(let object) = try Array(text.utf8).withUnsafeBytes({ try JSONParser.parse($0) }) else {
            throw JSONParser.Failure.malformed
        }
        return Checker(object)
    }
}
