import OpenSSLCrypto
import Testing

@Suite("Hash functions")
struct HashFunctionTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let function: HashFunction
        let message: String
        let hex: String
        var testDescription: String { "\(self.function) of \(self.message.prefix(12))…" }
    }

    /// RFC 1321, FIPS 180-4 with its published examples.
    static let vectors = [
        Vector(function: .md5, message: "", hex: "d41d8cd98f00b204e9800998ecf8427e"),
        Vector(function: .md5, message: "abc", hex: "900150983cd24fb0d6963f7d28e17f72"),
        Vector(
            function: .md5,
            message: "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            hex: "57edf4a22be3c955ac49da2e2107b67a"),
        Vector(function: .sha1, message: "", hex: "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        Vector(function: .sha1, message: "abc", hex: "a9993e364706816aba3e25717850c26c9cd0d89d"),
        Vector(
            function: .sha256, message: "", hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Vector(
            function: .sha256, message: "abc", hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Vector(
            function: .sha256, message: "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            hex: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        Vector(
            function: .sha512Truncated256, message: "",
            hex: "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"),
        Vector(
            function: .sha512Truncated256, message: "abc",
            hex: "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        Vector(
            function: .sha512Truncated256,
            message: "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            hex: "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a"),
    ]

    @Test(arguments: Self.vectors)
    func thePublishedVectorsCome(vector: Vector) {
        #expect(Hex.encode(vector.function.hash(vector.message)) == vector.hex)
        #expect(vector.function.hash([UInt8](vector.message.utf8)).count == vector.function.byteCount)
    }

    @Test(arguments: HashFunction.allCases)
    func piecesHashLikeTheWhole(function: HashFunction) {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        for cut in [0, 1, 63, 64, 65, 999, 1000] {
            var stream = HashStream(function)
            stream.update(Array(message[..<cut]))
            stream.update(Array(message[cut...]))
            #expect(stream.finish() == function.hash(message))
        }
    }

    @Test func aMillionLettersHashAsFIPSSays() {
        var stream = SHA256.stream()
        let piece = String(repeating: "a", count: 1000)
        for _ in 0..<1000 { stream.update(piece) }
        #expect(
            Hex.encode(stream.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func anAbandonedStreamIsHarmless() {
        for _ in 0..<1000 {
            var stream = HashStream(.md5)
            stream.update("unfinished")
        }
    }

    @Test func everyAlgorithmIsThereAtTheStart() throws {
        try HashFunction.requireAll()
    }

    @Test func manyThreadsHashAtOnce() async {
        let expected = SHA256.hash("shared")
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask { (0..<500).allSatisfy { _ in SHA256.hash("shared") == expected } }
            }
            for await agreed in group { #expect(agreed) }
        }
    }
}
