extension PGQuery {
    /// Throws for a statement that would change the session, and with it everybody's, or the transaction that it shares with others. What
    /// changes data the server refuses.
    func checkMayShare() throws(PGError) {
        let isRefused = self.text.withUnsafeBufferPointer { text in
            let word = Self.firstWord(of: text)
            return !word.isEqual(to: "select") && Self.unshareable.contains { word.isEqual(to: $0) }
        }
        guard isRefused else { return }
        throw PGError(
            .unsupported, message: "a statement that changes its session or transaction cannot share a connection",
            query: self.sql)
    }

    private static let unshareable: [StaticString] = [
        "abort", "begin", "call", "close", "commit", "deallocate", "declare", "discard", "do", "end", "execute",
        "fetch",
        "listen", "load", "lock", "move", "notify", "prepare", "release", "reset", "rollback", "savepoint", "set",
        "start",
        "unlisten",
    ]

    /// Behind white space, comments, which PostgreSQL nests, and empty statements.
    private static func firstWord(of text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var start = 0
        func has(_ first: UInt8, _ second: UInt8) -> Bool {
            start + 1 < text.count && text[start] == first && text[start + 1] == second
        }
        let (slash, star, dash) = (UInt8(ascii: "/"), UInt8(ascii: "*"), UInt8(ascii: "-"))
        while start < text.count {
            if has(dash, dash) {
                while start < text.count, text[start] != UInt8(ascii: "\n"), text[start] != UInt8(ascii: "\r") {
                    start += 1
                }
            } else if has(slash, star) {
                var depth = 0
                repeat {
                    if has(slash, star) {
                        depth += 1
                        start += 2
                    } else if has(star, slash) {
                        depth -= 1
                        start += 2
                    } else {
                        start += 1
                    }
                } while depth > 0 && start < text.count
            } else if text[start] <= UInt8(ascii: " ") || text[start] == UInt8(ascii: ";") {
                start += 1
            } else {
                break
            }
        }
        var end = start
        while end < text.count, text[end].isPartOfWord { end += 1 }
        return UnsafeBufferPointer(rebasing: text[min(start, end)..<end])
    }
}
