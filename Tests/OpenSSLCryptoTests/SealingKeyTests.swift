import Testing

@testable import OpenSSLCrypto

@Suite("Sealed values")
struct SealingKeyTests {
    let key: SealingKey

    init() throws {
        self.key = SealingKey(try SecretKey([UInt8](repeating: 3, count: 32)))
    }

    @Test(arguments: [0, 1, 13, 16, 4096])
    func aSealedValueOpens(length: Int) throws {
        let plaintext = SecureRandom.bytes(length)
        let sealed = self.key.seal(plaintext, additionalData: [1, 2])
        #expect(sealed.count == length + 37)
        #expect(sealed.starts(with: [1] + self.key.id))
        #expect(try self.key.open(sealed, additionalData: [1, 2]) == plaintext)
    }

    @Test func theSameValueNeverLooksTheSame() {
        #expect(self.key.seal([1], additionalData: []) != self.key.seal([1], additionalData: []))
    }

    @Test func noBitCanBeChanged() {
        let sealed = self.key.seal([1, 2, 3], additionalData: [9])
        for index in sealed.indices {
            for bit in 0..<8 {
                var altered = sealed
                altered[index] ^= 1 << UInt8(bit)
                let expected: CryptoError =
                    index == 0 ? .malformedSeal : index <= 8 ? .unknownKey : .notAuthentic
                #expect(throws: expected) { try self.key.open(altered, additionalData: [9]) }
            }
        }
    }

    @Test func aValueThatWasMovedDoesNotOpen() {
        let sealed = self.key.seal([1], additionalData: [UInt8]("accounts/confirmation_key/1".utf8))
        #expect(throws: CryptoError.notAuthentic) {
            try self.key.open(sealed, additionalData: [UInt8]("accounts/confirmation_key/2".utf8))
        }
    }

    @Test func everyTruncationIsRefused() {
        let sealed = self.key.seal([1, 2, 3], additionalData: [])
        for count in 0..<sealed.count {
            #expect(throws: CryptoError.self) { try self.key.open(Array(sealed.prefix(count)), additionalData: []) }
        }
    }

    /// The case of the GCM specification (McGrew and Viega, test case 14), with our header as additional data
    /// left out: only the cipher is compared, by taking the sealed value apart.
    @Test func theCipherIsAES256GCM() throws {
        let zero = SealingKey(try SecretKey([UInt8](repeating: 0, count: 32)))
        let nonce = [UInt8](repeating: 0, count: 12)
        let sealed = zero.seal([UInt8](repeating: 0, count: 16), additionalData: [], nonce: nonce)
        #expect(Hex.encode(sealed[21..<37]) == "cea7403d4d606b6e074ec5d3baf39d18")
    }

    @Test func aRingOpensWhatAPreviousKeySealed() throws {
        let newer = SealingKey(.random())
        let old = self.key.seal([1, 2], additionalData: [])
        let ring = SealingKeyRing(current: newer, previous: [self.key])
        #expect(try ring.open(old, additionalData: []) == [1, 2])
        #expect(try ring.isOutdated(old))
        let fresh = ring.seal([3], additionalData: [])
        #expect(try !ring.isOutdated(fresh))
        #expect(try newer.open(fresh, additionalData: []) == [3])
        #expect(throws: CryptoError.unknownKey) {
            try SealingKeyRing(current: newer).open(old, additionalData: [])
        }
    }
}
