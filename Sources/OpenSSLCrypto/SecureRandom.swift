internal import COpenSSL

/// The cryptographic random generator of libcrypto, seeded by the kernel.
///
/// A generator that cannot deliver ends the process: nothing here may go on with predictable bytes.
public struct SecureRandom: RandomNumberGenerator, Sendable {
    private static let alphanumerics = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    public init() {}

    public mutating func next() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { Self.fill($0) }
        return value
    }

    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            Self.fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
            initializedCount = count
        }
    }

    /// Letters of both cases and digits, each as likely as any other: 5.95 bits a character.
    public static func token(length: Int) -> String {
        Self.token(length: length, using: Self.fill)
    }

    /// Four digits, the first not 0: the form that deployed apps ask their users for.
    public static func pin() -> String {
        var random = SecureRandom()
        return String(Int.random(in: 1000...9999, using: &random))
    }

    static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        guard !buffer.isEmpty else { return }
        guard let count = Int32(exactly: buffer.count) else {
            fatalError("more random bytes than one call may ask for")
        }
        let done = RAND_bytes(buffer.assumingMemoryBound(to: UInt8.self).baseAddress, count)
        precondition(done == 1, "libcrypto has no random bytes")
    }

    /// Bytes that do not fit a whole number of alphabets are thrown away, so that no character is favoured.
    static func token(length: Int, using fill: (UnsafeMutableRawBufferPointer) -> Void) -> String {
        let limit = 256 / Self.alphanumerics.count * Self.alphanumerics.count
        var pool = [UInt8](repeating: 0, count: 64)
        var unused = pool[0..<0]
        return String(unsafeUninitializedCapacity: length) { buffer in
            var index = 0
            while index < length {
                if unused.isEmpty {
                    pool.withUnsafeMutableBytes { fill($0) }
                    unused = pool[...]
                }
                let byte = Int(unused.removeFirst())
                guard byte < limit else { continue }
                buffer[index] = Self.alphanumerics[byte % Self.alphanumerics.count]
                index += 1
            }
            return index
        }
    }
}
