internal import COpenSSL

/// Seals values for storage with AES-256-GCM.
///
/// A sealed value is: one version byte (1), the key's id (8 bytes), the nonce (12 random bytes), the ciphertext and
/// the tag (16 bytes). Version and id are authenticated together with the additional data.
public struct SealingKey: Sendable {
    /// Derived from the key, so that equal keys have equal ids; tells nothing about the key.
    public let id: [UInt8]

    private let key: SecretKey

    /// The key is a derived one; nothing else may be done with it.
    public init(_ key: SecretKey) {
        self.key = key
        self.id = Array(HMACSHA256.authenticate([UInt8]("sealing key id".utf8), key: key).prefix(SealFormat.idLength))
    }

    /// `additionalData` says where the value belongs (table, column, row): a value that was moved does not open.
    public func seal(_ plaintext: [UInt8], additionalData: [UInt8]) -> [UInt8] {
        self.seal(plaintext, additionalData: additionalData, nonce: SecureRandom.bytes(SealFormat.nonceLength))
    }

    /// Tests choose the nonce; two values sealed with one nonce would betray each other.
    func seal(_ plaintext: [UInt8], additionalData: [UInt8], nonce: [UInt8]) -> [UInt8] {
        precondition(nonce.count == SealFormat.nonceLength)
        var sealed = [SealFormat.version] + self.id
        let authenticated = sealed + additionalData
        let context = AESGCM.context()
        defer { EVP_CIPHER_CTX_free(context) }
        let started = self.key.withBytes {
            EVP_EncryptInit_ex2(context, AESGCM.implementation, $0.bindMemory(to: UInt8.self).baseAddress, nonce, nil)
        }
        precondition(started == 1, "libcrypto: AES-256-GCM failed")
        AESGCM.add(authenticated, to: context)
        sealed += nonce
        sealed += [UInt8](unsafeUninitializedCapacity: plaintext.count + SealFormat.tagLength) {
            buffer, initializedCount in
            var written: Int32 = 0
            var tail: Int32 = 0
            let done =
                EVP_EncryptUpdate(context, buffer.baseAddress, &written, plaintext, AESGCM.length(plaintext)) == 1
                && EVP_EncryptFinal_ex(context, buffer.baseAddress.map { $0 + Int(written) }, &tail) == 1
                && EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(SealFormat.tagLength),
                    buffer.baseAddress.map { $0 + plaintext.count }) == 1
            precondition(done && Int(written + tail) == plaintext.count, "libcrypto: AES-256-GCM failed")
            initializedCount = plaintext.count + SealFormat.tagLength
        }
        return sealed
    }

    /// Throws `malformedSeal`, `unknownKey` when another key sealed the value, or `notAuthentic`.
    public func open(_ sealed: [UInt8], additionalData: [UInt8]) throws(CryptoError) -> [UInt8] {
        let seal = try SealFormat(sealed)
        guard seal.keyID == self.id else { throw CryptoError.unknownKey }
        let context = AESGCM.context()
        defer { EVP_CIPHER_CTX_free(context) }
        let started = self.key.withBytes {
            EVP_DecryptInit_ex2(
                context, AESGCM.implementation, $0.bindMemory(to: UInt8.self).baseAddress, seal.nonce, nil)
        }
        precondition(started == 1, "libcrypto: AES-256-GCM failed")
        AESGCM.addToDecryption([SealFormat.version] + self.id + additionalData, to: context)
        var tag = seal.tag
        var isAuthentic = false
        let plaintext = [UInt8](unsafeUninitializedCapacity: seal.ciphertext.count + 1) { buffer, initializedCount in
            var written: Int32 = 0
            var tail: Int32 = 0
            let done =
                EVP_DecryptUpdate(
                    context, buffer.baseAddress, &written, seal.ciphertext, AESGCM.length(seal.ciphertext)) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(SealFormat.tagLength), &tag) == 1
            precondition(done, "libcrypto: AES-256-GCM failed")
            isAuthentic = EVP_DecryptFinal_ex(context, buffer.baseAddress.map { $0 + Int(written) }, &tail) == 1
            // What came out of a forgery is not handed on.
            if !isAuthentic { OPENSSL_cleanse(buffer.baseAddress, Int(written)) }
            initializedCount = isAuthentic ? Int(written + tail) : 0
        }
        guard isAuthentic else { throw CryptoError.notAuthentic }
        return plaintext
    }
}

private enum AESGCM {
    // Written once by the initialiser of a static, never freed; an EVP_CIPHER is immutable and its reference
    // count is atomic, so any thread may use it.
    nonisolated(unsafe) static let implementation: OpaquePointer = {
        guard let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
            fatalError("libcrypto does not offer AES-256-GCM")
        }
        return cipher
    }()

    static func context() -> OpaquePointer {
        guard let context = EVP_CIPHER_CTX_new() else { fatalError("libcrypto: out of memory") }
        return context
    }

    static func add(_ additionalData: [UInt8], to context: OpaquePointer) {
        var ignored: Int32 = 0
        let done = EVP_EncryptUpdate(context, nil, &ignored, additionalData, Self.length(additionalData))
        precondition(done == 1, "libcrypto: AES-256-GCM failed")
    }

    static func addToDecryption(_ additionalData: [UInt8], to context: OpaquePointer) {
        var ignored: Int32 = 0
        let done = EVP_DecryptUpdate(context, nil, &ignored, additionalData, Self.length(additionalData))
        precondition(done == 1, "libcrypto: AES-256-GCM failed")
    }

    static func length(_ bytes: [UInt8]) -> Int32 {
        guard let length = Int32(exactly: bytes.count) else { fatalError("a sealed value is shorter than 2 GiB") }
        return length
    }
}
