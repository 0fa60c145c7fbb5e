/// The hash that most callers mean: checksums of files, and tokens at rest.
public enum SHA256 {
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { HashFunction.sha256.hash(bytes) }
    public static func hash(_ bytes: [UInt8]) -> [UInt8] { HashFunction.sha256.hash(bytes) }
    /// Hashes the UTF-8 form of the text.
    public static func hash(_ text: String) -> [UInt8] { HashFunction.sha256.hash(text) }
    public static func stream() -> HashStream { HashStream(.sha256) }
}
