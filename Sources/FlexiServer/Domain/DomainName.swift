/// A SIP domain as the database keeps it: a host name (RFC 1123, 2.1) or IPv4 address in lower case, without a port or a final dot.
struct DomainName: Hashable, Sendable {
    let value: String

    /// Folds letters to lower case; `nil` when what remains is no host name of at most 253 characters.
    init?(_ raw: some StringProtocol) {
        let folded = raw.lowercased()
        let bytes = folded.utf8
        guard (1...253).contains(bytes.count), bytes.allSatisfy(Self.isAllowed) else { return nil }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard
            labels.allSatisfy({ label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            })
        else { return nil }
        self.value = folded
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}

extension DomainName: CustomStringConvertible {
    var description: String { self.value }
}
