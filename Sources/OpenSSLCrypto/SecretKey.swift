internal import COpenSSL

/// A 256-bit key, erased from memory when its last copy is gone, and never printed.
public struct SecretKey: Sendable {
    public static let byteCount = 32

    private let storage: Storage

    /// Throws `wrongKeyLength` unless there are exactly 32 bytes. The caller's array is not erased.
    public init(_ bytes: [UInt8]) throws(CryptoError) {
        guard bytes.count == Self.byteCount else { throw CryptoError.wrongKeyLength }
        self.storage = Storage { $0.copyBytes(from: bytes) }
    }

    /// A new key from the system's random generator.
    public static func random() -> SecretKey {
        SecretKey(storage: Storage { SecureRandom.fill($0) })
    }

    /// The key for one purpose, by HKDF-SHA-256 (RFC 5869) without salt, with the label as its info.
    public func derived(for label: String) -> SecretKey {
        self.withBytes { secret in
            SecretKey(
                storage: Storage { HKDF.deriveSHA256(secret: secret, salt: [], info: [UInt8](label.utf8), into: $0) })
        }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(self.storage) { body(UnsafeRawBufferPointer(self.storage.bytes)) }
    }

    private init(storage: Storage) {
        self.storage = storage
    }
}

extension SecretKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "***" }
    public var debugDescription: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretKey {
    // Written by the initialiser only, read-only until deinit: no thread sees a change.
    private final class Storage: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer

        init(_ fill: (UnsafeMutableRawBufferPointer) -> Void) {
            self.bytes = .allocate(byteCount: SecretKey.byteCount, alignment: 1)
            fill(self.bytes)
        }

        deinit {
            OPENSSL_cleanse(self.bytes.baseAddress, self.bytes.count)
            self.bytes.deallocate()
        }
    }
}
