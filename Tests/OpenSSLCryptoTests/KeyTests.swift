import OpenSSLCrypto
import Testing

@Suite("HMAC, HKDF and keys")
struct KeyTests {
    struct HMACVector: Sendable {
        let key: [UInt8]
        let message: [UInt8]
        let hex: String
    }

    /// RFC 4231, test cases 1, 2, 3, 6 and 7.
    static let hmacVectors = [
        HMACVector(
            key: [UInt8](repeating: 0x0b, count: 20), message: [UInt8]("Hi There".utf8),
            hex: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        HMACVector(
            key: [UInt8]("Jefe".utf8), message: [UInt8]("what do ya want for nothing?".utf8),
            hex: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        HMACVector(
            key: [UInt8](repeating: 0xaa, count: 20), message: [UInt8](repeating: 0xdd, count: 50),
            hex: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        HMACVector(
            key: [UInt8](repeating: 0xaa, count: 131),
            message: [UInt8]("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            hex: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        HMACVector(
            key: [UInt8](repeating: 0xaa, count: 131),
            message: [UInt8](
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            hex: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]

    @Test(arguments: Self.hmacVectors)
    func theVectorsOfRFC4231Come(vector: HMACVector) {
        #expect(Hex.encode(HMACSHA256.authenticate(vector.message, key: vector.key)) == vector.hex)
    }

    @Test func anEmptyKeyAndAnEmptyMessageAreAllowed() {
        #expect(
            Hex.encode(HMACSHA256.authenticate([], key: [UInt8]()))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func aCodeIsValidForItsMessageAndItsKeyOnly() throws {
        let key = try SecretKey([UInt8](repeating: 7, count: 32))
        let code = HMACSHA256.authenticate([1, 2, 3], key: key)
        #expect(code == HMACSHA256.authenticate([1, 2, 3], key: [UInt8](repeating: 7, count: 32)))
        #expect(HMACSHA256.isValid(code, for: [1, 2, 3], key: key))
        #expect(!HMACSHA256.isValid(code, for: [1, 2, 4], key: key))
        #expect(!HMACSHA256.isValid(code.dropLast(), for: [1, 2, 3], key: key))
        #expect(!HMACSHA256.isValid(code, for: [1, 2, 3], key: .random()))
    }

    struct HKDFVector: Sendable {
        let secret: [UInt8]
        let salt: [UInt8]
        let info: [UInt8]
        let hex: String
    }

    /// RFC 5869, appendix A.1 to A.3.
    static let hkdfVectors = [
        HKDFVector(
            secret: [UInt8](repeating: 0x0b, count: 22), salt: Array(0x00...0x0c), info: Array(0xf0...0xf9),
            hex: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        HKDFVector(
            secret: Array(0x00...0x4f), salt: Array(0x60...0xaf), info: Array(0xb0...0xff),
            hex: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                + "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                + "cc30c58179ec3e87c14c01d5c1f3434f1d87"),
        HKDFVector(
            secret: [UInt8](repeating: 0x0b, count: 22), salt: [], info: [],
            hex: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ]

    @Test(arguments: Self.hkdfVectors)
    func theVectorsOfRFC5869Come(vector: HKDFVector) throws {
        let derived = try HKDF.deriveSHA256(
            secret: vector.secret, salt: vector.salt, info: vector.info, byteCount: vector.hex.utf8.count / 2)
        #expect(Hex.encode(derived) == vector.hex)
    }

    @Test(arguments: [0, -1, 255 * 32 + 1])
    func anImpossibleLengthIsRefused(byteCount: Int) {
        #expect(throws: CryptoError.wrongKeyLength) {
            try HKDF.deriveSHA256(secret: [1], salt: [], info: [], byteCount: byteCount)
        }
    }

    @Test func aDerivedKeyIsTheHKDFOfItsLabel() throws {
        let root = [UInt8](repeating: 9, count: 32)
        let expected = try HKDF.deriveSHA256(secret: root, salt: [], info: [UInt8]("nonce".utf8), byteCount: 32)
        let derived = try SecretKey(root).derived(for: "nonce")
        #expect(HMACSHA256.authenticate([1], key: derived) == HMACSHA256.authenticate([1], key: expected))
    }

    @Test func eachPurposeHasAKeyOfItsOwn() throws {
        let root = try SecretKey([UInt8](repeating: 9, count: 32))
        let codes = ["nonce", "opaque", "decoy", "code", "seal", ""].map {
            HMACSHA256.authenticate([1], key: root.derived(for: $0))
        }
        #expect(Set(codes).count == 6)
    }

    @Test(arguments: [0, 16, 31, 33])
    func aKeyOfAnotherLengthIsRefused(count: Int) {
        #expect(throws: CryptoError.wrongKeyLength) { try SecretKey([UInt8](repeating: 1, count: count)) }
    }

    @Test func aKeyIsNeverPrinted() throws {
        let key = try SecretKey([UInt8](repeating: 65, count: 32))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(text.contains("***"))
            #expect(!text.contains("65") && !text.contains("AAAA"))
        }
    }

    @Test func equalIsEqual() {
        #expect(ConstantTime.equal([UInt8](), []))
        #expect(ConstantTime.equal([1, 2], [1, 2]))
        #expect(!ConstantTime.equal([1, 2], [1, 3]))
        #expect(!ConstantTime.equal([1, 2], [1]))
        #expect(ConstantTime.equal("secret", "secret"))
        #expect(!ConstantTime.equal("secret", "Secret"))
        // Swift's == calls these equal; the bytes are not.
        #expect(!ConstantTime.equal("é", "e\u{301}"))
    }
}
