/// What the words of a statement tell about it.
extension SQLLexer.Statement {
    /// `COPY … FROM stdin`, after which lines of data follow.
    var readsFromClient: Bool { self.words.first == "copy" && self.holds("from", "stdin") }

    private var writesToClient: Bool { self.words.first == "copy" && self.holds("to", "stdout") }

    private func holds(_ first: String, _ second: String) -> Bool {
        zip(self.words, self.words.dropFirst()).contains { $0 == (first, second) }
    }

    /// The value to which the statement sets `standard_conforming_strings`; nil when it does not.
    func standardStrings(_ text: [UInt8]) -> Bool? {
        let name = "standard_conforming_strings"
        switch self.words.first {
        case "reset":
            return ["all", name].contains(self.words.dropFirst().first) ? true : nil
        case "set":
            let scope = ["session", "local"].contains(self.words.dropFirst().first) ? 2 : 1
            guard self.words.dropFirst(scope).first == name else { return nil }
            let lower = String(decoding: text[self.bytes], as: UTF8.self).lowercased()
            guard let found = lower.firstRange(of: name) else { return nil }
            let value = lower[found.upperBound...].split { " \t\r\n=';".contains($0) }.first { $0 != "to" } ?? ""
            return !["off", "of", "false", "fals", "fal", "fa", "f", "no", "n", "0"].contains(value)
        default:
            return nil
        }
    }

    /// Why a file may not hold this statement; nil when it may.
    var refusal: String? {
        let second = self.words.dropFirst().first
        switch self.words.first {
        case "begin", "commit", "end", "abort":
            break
        case "start" where second == "transaction":
            break
        case "rollback" where self.words.dropFirst().first { $0 != "work" && $0 != "transaction" } != "to":
            break
        case "prepare" where second == "transaction":
            break
        case "copy" where self.writesToClient:
            return "COPY TO stdout is not possible here: nobody takes the rows"
        case "discard" where second == "all":
            return "DISCARD ALL would give up the lock that keeps other runs away: name what is to be discarded"
        default:
            return nil
        }
        return "migrate itself begins and ends the transactions: a file holds no \(self.words[0].uppercased())"
    }
}
