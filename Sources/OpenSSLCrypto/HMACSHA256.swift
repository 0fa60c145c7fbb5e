internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104, RFC 4231).
public enum HMACSHA256 {
    public static let byteCount = 32

    public static func authenticate(_ message: [UInt8], key: SecretKey) -> [UInt8] {
        key.withBytes { key in message.withUnsafeBytes { Self.authenticate($0, key: key) } }
    }

    /// For keys whose length somebody else chose; RFC 2104 allows every length.
    public static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        key.withUnsafeBytes { key in message.withUnsafeBytes { Self.authenticate($0, key: key) } }
    }

    /// Compares in constant time.
    public static func isValid(_ code: [UInt8], for message: [UInt8], key: SecretKey) -> Bool {
        ConstantTime.equal(code, Self.authenticate(message, key: key))
    }

    private static func authenticate(_ message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, initializedCount in
            var length: UInt32 = 0
            // A null key would mean "the key of before" to libcrypto, so an empty one gets an address.
            let done = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { placeholder in
                HMAC(
                    HashFunction.sha256.implementation,
                    key.baseAddress ?? UnsafeRawPointer(placeholder.baseAddress), Int32(key.count),
                    message.assumingMemoryBound(to: UInt8.self).baseAddress, message.count,
                    buffer.baseAddress, &length)
            }
            precondition(done != nil && Int(length) == Self.byteCount, "libcrypto: HMAC failed")
            initializedCount = Int(length)
        }
    }
}
