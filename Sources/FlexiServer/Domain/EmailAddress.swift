/// A mail address that a mail server will take: `local@domain` by the dot-atom form of RFC 5322, 3.4.1, within the lengths of RFC 5321,
/// 4.5.3.1. Quoted local parts, comments and address literals are refused: nobody has one, and headers stay safe.
struct EmailAddress: Hashable, Sendable {
    let value: String

    init?(_ raw: String) {
        guard (3...254).contains(raw.utf8.count), let at = raw.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let local = raw[..<at]
        let atoms = local.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...64).contains(local.utf8.count), atoms.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isAtomText) }),
            let domain = DomainName(raw[raw.utf8.index(after: at)...]), domain.value.utf8.contains(UInt8(ascii: "."))
        else { return nil }
        self.value = "\(local)@\(domain)"
    }

    private static func isAtomText(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
    }
}

extension EmailAddress: CustomStringConvertible {
    var description: String { self.value }
}
