/// A phone number in international form (ITU-T E.164): a plus sign and 7 to 15 digits, which begin with an assigned country code.
struct PhoneNumber: Hashable, Sendable {
    let value: String

    init?(_ raw: String) {
        let bytes = raw.utf8
        guard bytes.first == UInt8(ascii: "+") else { return nil }
        let digits = bytes.dropFirst()
        guard (7...15).contains(digits.count), CallingCode(beginning: raw.dropFirst()) != nil else { return nil }
        self.value = raw
    }
}

extension PhoneNumber: CustomStringConvertible {
    var description: String { self.value }
}
