/// Writes SQL that the server can parse, full of what only looks like the end of a statement.
struct SQLGenerator {
    private var random: SplitMix64
    private var hasStandardStrings = true

    /// The same seed gives the same file.
    init(seed: UInt64) {
        self.random = SplitMix64(state: seed)
    }

    mutating func file() -> String {
        var text = self.chance(3) ? self.comment() : ""
        for _ in 0..<Int.random(in: 2...5, using: &self.random) {
            text += self.statement() + self.pick([";", " ;", ";\n", "; ", "\n;\n\n", ";;", "; ;\n"])
            if self.chance(4) { text += self.comment() }
        }
        if self.chance(4) { text += self.select() }
        return text
    }

    private mutating func statement() -> String {
        switch Int.random(in: 0..<12, using: &self.random) {
        case 0: self.join(["INSERT", "INTO", "t", "VALUES", "(\(self.expression()), \(self.expression()))"])
        case 1: self.join(["DO", self.dollarQuoted() ?? "'NULL'"])
        case 2: self.join(["CREATE", "FUNCTION", "f()", "RETURNS", "int", "LANGUAGE", "sql", "AS", self.body()])
        case 3: self.atomicFunction()
        case 4: self.rule()
        case 5: self.copy()
        case 6: self.otherStrings()
        case 7: self.join(["COMMENT", "ON", "TABLE", "t", "IS", self.constant()])
        default: self.select()
        }
    }

    private mutating func select() -> String {
        let columns = (0..<Int.random(in: 1...3, using: &self.random)).map { _ in
            self.chance(3) ? self.join([self.expression(), "AS", self.quotedName()]) : self.expression()
        }
        return self.join(["SELECT", columns.joined(separator: ",")]) + (self.chance(2) ? self.gap() + "FROM t" : "")
    }

    private mutating func expression(depth: Int = 0) -> String {
        guard depth < 3 else { return self.string() }
        switch Int.random(in: 0..<9, using: &self.random) {
        case 0: return self.pick(["1", "1.5e3", "a", "t.a", "größe", "a$b$", "b$$"])
        case 1: return "(" + self.gap() + self.expression(depth: depth + 1) + ")"
        case 2:
            return self.join([
                "CASE", "WHEN", self.expression(depth: depth + 1), "=", self.string(), "THEN",
                self.expression(depth: depth + 1), "END",
            ])
        case 3: return self.expression(depth: depth + 1) + self.pick(["||", " || ", "->>", " @> "]) + self.string()
        case 4: return "ARRAY[" + self.expression(depth: depth + 1) + "]"
        case 5: return "(SELECT" + self.gap() + self.expression(depth: depth + 1) + ")"
        case 6: return "coalesce(" + self.string() + "," + self.expression(depth: depth + 1) + ")"
        default: return self.string()
        }
    }

    private mutating func atomicFunction() -> String {
        let kind = self.pick(["CREATE FUNCTION f() RETURNS int", "CREATE OR REPLACE FUNCTION f(a text) RETURNS text"])
        var text = self.join([kind, "BEGIN", "ATOMIC", ""])
        for _ in 0..<Int.random(in: 0...3, using: &self.random) {
            text += self.select() + self.gap() + ";" + self.gap()
        }
        return text + "END"
    }

    private mutating func rule() -> String {
        let actions = (0..<Int.random(in: 1...3, using: &self.random)).map { _ in
            self.join(["INSERT INTO u VALUES", "(" + self.expression() + ")"])
        }
        return self.join(["CREATE RULE r AS ON DELETE TO t DO ALSO", "(" + actions.joined(separator: ";") + ")"])
    }

    private mutating func copy() -> String {
        var text = self.pick(["COPY u FROM stdin", "copy u (a) from STDIN", "COPY u FROM\nstdin"])
        text += self.pick([";", " ; ", "; -- " + self.noise(without: ["\n"])]) + "\n"
        for _ in 0..<Int.random(in: 0...4, using: &self.random) {
            text += self.noise(without: ["\n", "\\"]) + "\n"
        }
        return text + "\\.\n" + self.select()
    }

    /// psql looks at the setting before each line.
    private mutating func otherStrings() -> String {
        self.hasStandardStrings.toggle()
        return "\nSET standard_conforming_strings = \(self.hasStandardStrings ? "on" : "off");\n" + self.select()
    }

    private mutating func body() -> String {
        self.chance(2) ? self.constant() : self.dollarQuoted() ?? self.constant()
    }

    private mutating func string() -> String {
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0: self.pick(["B'01'", "x'1F'", "X''"])
        case 1: self.pick(["N", "text "]) + self.plainString()
        default: self.constant()
        }
    }

    /// What the grammar takes where it wants a string and no expression.
    private mutating func constant() -> String {
        switch Int.random(in: 0..<6, using: &self.random) {
        case 0: self.pick(["E", "e"]) + self.escaped(self.noise())
        case 1 where self.hasStandardStrings:
            self.pick(["U&", "u&"]) + self.quoted(self.noise().replacing("\\", with: "\\\\"))
        case 2: self.plainString() + self.pick(["\n", " \n ", "-- ;'\n"]) + self.plainString()
        case 3: self.dollarQuoted() ?? self.plainString()
        default: self.plainString()
        }
    }

    private mutating func plainString() -> String {
        let text = self.noise()
        return self.quoted(self.hasStandardStrings ? text : text.replacing("\\", with: "\\\\"))
    }

    private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    private mutating func escaped(_ text: String) -> String {
        let quote = self.pick(["''", "\\'", "\\047"])
        return "'" + text.replacing("\\", with: "\\\\").replacing("'", with: quote) + "'"
    }

    /// nil when the text would end the string too early.
    private mutating func dollarQuoted() -> String? {
        let tag = "$" + self.pick(["", "a", "ab", "A", "é", "_1", "漢"]) + "$"
        let text = self.noise()
        guard (text + tag).firstRange(of: tag)?.upperBound == (text + tag).endIndex else { return nil }
        return tag + text + tag
    }

    private mutating func quotedName() -> String {
        "\"" + self.noise().replacing("\"", with: "\"\"") + "n\""
    }

    private mutating func join(_ words: [String]) -> String {
        words.dropFirst().reduce(words.first ?? "") { $0 + self.gap() + $1 }
    }

    /// White space, with comments now and then.
    private mutating func gap() -> String {
        self.chance(6) ? " " + self.comment() : self.pick([" ", " ", "  ", "\n", "\n\n", "\t", "\n  "])
    }

    private mutating func comment() -> String {
        switch Int.random(in: 0..<3, using: &self.random) {
        case 0: "--" + self.noise(without: ["\n"]) + "\n"
        case 1: "/*" + self.noise(without: ["*/", "/*"]) + "*/"
        default:
            "/* " + self.noise(without: ["*/", "/*"]) + " /* " + self.noise(without: ["*/", "/*"]) + " */ ; */\n"
        }
    }

    private mutating func noise(without unwanted: Set<String> = []) -> String {
        let fragments = [
            ";", "'", "\"", "$$", "$a$", "$", "--", "/*", "*/", "\\", "\\;", "(", ")", "é", "漢", "😀", "begin atomic ",
            " end", " case ", " ", "\n", "\n\n", "x", "{", ":", "%",
        ].filter { fragment in !unwanted.contains { fragment.contains($0) } }
        return (0..<Int.random(in: 0...7, using: &self.random)).map { _ in self.pick(fragments) }.joined()
    }

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &self.random) == 0 }

    private mutating func pick(_ choices: [String]) -> String {
        choices[Int.random(in: 0..<choices.count, using: &self.random)]
    }
}

/// Numbers that a seed decides (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
