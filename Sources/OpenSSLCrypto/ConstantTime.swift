internal import COpenSSL

/// Comparison whose duration tells nothing about where two values of one length differ.
public enum ConstantTime {
    /// The lengths may leak, the contents do not.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// Compares the UTF-8 forms; canonically equivalent texts that are spelled differently are not equal.
    public static func equal(_ left: String, _ right: String) -> Bool {
        Self.equal([UInt8](left.utf8), [UInt8](right.utf8))
    }
}
