internal import COpenSSL

/// The hash functions that SIP, HTTP Digest and the SMS gateways need.
public enum HashFunction: Hashable, Sendable, CaseIterable {
    case md5
    case sha1
    case sha256
    /// SHA-512/256 of FIPS 180-4, with its own initial values: not a SHA-512 that was cut.
    case sha512Truncated256

    /// Length of the result in bytes.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256, .sha512Truncated256: 32
        }
    }

    /// Fetches every algorithm once, so that a server finds out at its start, and not at its first request.
    ///
    /// After it returned, hashing does not fail. Without it, hashing with a function that the installation
    /// refuses ends the process.
    public static func requireAll() throws(CryptoError) {
        for function in Self.allCases where Implementation.fetched[function] == nil {
            throw CryptoError.algorithmUnavailable(function.openSSLName)
        }
    }

    public func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: self.byteCount) { buffer, initializedCount in
            var length: UInt32 = 0
            let done = EVP_Digest(
                bytes.baseAddress, bytes.count, buffer.baseAddress, &length, self.implementation, nil)
            precondition(done == 1 && Int(length) == self.byteCount, "libcrypto: \(self.openSSLName) failed")
            initializedCount = Int(length)
        }
    }

    public func hash(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { self.hash($0) }
    }

    /// Hashes the UTF-8 form of the text.
    public func hash(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { self.hash(UnsafeRawBufferPointer($0)) }
    }

    var openSSLName: String {
        switch self {
        case .md5: "MD5"
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sha512Truncated256: "SHA512-256"
        }
    }

    var implementation: OpaquePointer {
        guard let implementation = Implementation.fetched[self] else {
            fatalError("libcrypto does not offer \(self.openSSLName)")
        }
        return implementation
    }
}

/// Fetched once: an implicit fetch costs more than hashing a short input.
private enum Implementation {
    // Written once by the initialiser of a static, never freed; an EVP_MD is immutable and its reference
    // count is atomic, so any thread may use it.
    nonisolated(unsafe) static let fetched: [HashFunction: OpaquePointer] = {
        var fetched: [HashFunction: OpaquePointer] = [:]
        for function in HashFunction.allCases {
            fetched[function] = EVP_MD_fetch(nil, function.openSSLName, nil)
        }
        return fetched
    }()
}
