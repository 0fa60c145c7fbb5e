internal import COpenSSL

/// HKDF with SHA-256 (RFC 5869).
public enum HKDF {
    /// Throws `wrongKeyLength` for an output longer than the 255 blocks that the RFC allows.
    public static func deriveSHA256(
        secret: [UInt8], salt: [UInt8], info: [UInt8], byteCount: Int
    ) throws(CryptoError) -> [UInt8] {
        guard (1...255 * HashFunction.sha256.byteCount).contains(byteCount) else { throw CryptoError.wrongKeyLength }
        return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initializedCount in
            secret.withUnsafeBytes { secret in
                Self.deriveSHA256(
                    secret: secret, salt: salt, info: info,
                    into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: byteCount))
            }
            initializedCount = byteCount
        }
    }

    static func deriveSHA256(
        secret: UnsafeRawBufferPointer, salt: [UInt8], info: [UInt8], into output: UnsafeMutableRawBufferPointer
    ) {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { fatalError("libcrypto does not offer HKDF") }
        defer { EVP_PKEY_CTX_free(context) }
        var length = output.count
        let done =
            EVP_PKEY_derive_init(context) == 1
            && EVP_PKEY_CTX_set_hkdf_md(context, HashFunction.sha256.implementation) == 1
            && EVP_PKEY_CTX_set1_hkdf_key(
                context, secret.bindMemory(to: UInt8.self).baseAddress, Int32(secret.count)) == 1
            && (salt.isEmpty || EVP_PKEY_CTX_set1_hkdf_salt(context, salt, Int32(salt.count)) == 1)
            && (info.isEmpty || EVP_PKEY_CTX_add1_hkdf_info(context, info, Int32(info.count)) == 1)
            && EVP_PKEY_derive(context, output.bindMemory(to: UInt8.self).baseAddress, &length) == 1
        precondition(done && length == output.count, "libcrypto: HKDF failed")
    }
}
