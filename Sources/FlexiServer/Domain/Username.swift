/// The user part of an account's SIP address: 1 to 64 of `a-z 0-9 . _ + -`, in lower case.
struct Username: Hashable, Sendable {
    let value: String

    /// Takes the text as it is: upper case is refused where an account is created, and folded by `SIPAddress` where one is looked up.
    init?(_ raw: String) {
        guard (1...64).contains(raw.utf8.count), raw.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.value = raw
    }

    /// Whether people and SIP servers would read it as a phone number: a leading plus sign, or nothing but seven or more digits with dots
    /// and dashes between them.
    var isPhoneNumber: Bool {
        if self.value.utf8.first == UInt8(ascii: "+") { return true }
        var digits = 0
        for byte in self.value.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "."), UInt8(ascii: "-"): continue
            default: return false
            }
        }
        return digits >= 7
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension Username: CustomStringConvertible {
    var description: String { self.value }
}
