extension SQLLexer.Statement {
    /// Whether it changes roles, other databases, the server or its files, as far as its words tell. `DO` blocks and functions may do so
    /// unseen.
    var reachesBeyondDatabase: Bool {
        let second = self.word(behind: self.words.first)
        switch self.words.first {
        case "create", "alter", "drop":
            if second == "user", self.word(behind: "user") == "mapping" { return false }
            return second == "owned" || second == "system" || self.isShared(second)
        case "comment", "security":
            return self.isShared(self.word(behind: "on"))
        case "grant", "revoke":
            // Without ON, one role is granted to another.
            guard self.words.contains("on") else { return true }
            return self.word(behind: "on") == "parameter" || self.isShared(self.word(behind: "on"))
        case "reassign":
            return true
        case "copy":
            return self.words.contains("to") || self.word(behind: "from") == "program"
        default:
            return false
        }
    }

    private func isShared(_ object: String?) -> Bool {
        ["role", "user", "group", "database", "tablespace", "subscription"].contains(object)
    }

    private func word(behind word: String?) -> String? {
        self.words.drop { $0 != word }.dropFirst().first
    }
}
