internal import COpenSSL

/// Hashes input that arrives in pieces.
public struct HashStream: ~Copyable {
    private let function: HashFunction
    private let context: OpaquePointer

    public init(_ function: HashFunction) {
        guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto: out of memory") }
        let done = EVP_DigestInit_ex2(context, function.implementation, nil)
        precondition(done == 1, "libcrypto: \(function.openSSLName) failed")
        self.function = function
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(self.context)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(self.context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "libcrypto: \(self.function.openSSLName) failed")
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.update($0) }
    }

    /// Adds the UTF-8 form of the text.
    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { self.update(UnsafeRawBufferPointer($0)) }
    }

    public consuming func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: self.function.byteCount) { buffer, initializedCount in
            var length: UInt32 = 0
            let done = EVP_DigestFinal_ex(self.context, buffer.baseAddress, &length)
            precondition(done == 1, "libcrypto: \(self.function.openSSLName) failed")
            initializedCount = Int(length)
        }
    }
}
