import Testing

@testable import OpenSSLCrypto

@Suite("Random values")
struct SecureRandomTests {
    @Test(arguments: [0, 1, 13, 32, 40, 1000])
    func aTokenHasItsLengthAndOnlyLettersAndDigits(length: Int) {
        let token = SecureRandom.token(length: length)
        #expect(token.count == length)
        #expect(token.utf8.allSatisfy { byte in "0"..."9" ~= UnicodeScalar(byte) || isLetter(byte) })
    }

    @Test func tokensDoNotRepeat() {
        #expect(Set((0..<1000).map { _ in SecureRandom.token(length: 13) }).count == 1000)
    }

    /// 256 is no multiple of 62: a plain remainder would make the first eight letters more likely.
    @Test func everyByteValueLeadsToAnEvenSpread() {
        var next: UInt8 = 0
        let token = SecureRandom.token(length: 496) { buffer in
            for index in buffer.indices {
                buffer[index] = next
                next &+= 1
            }
        }
        let counts = Dictionary(grouping: token, by: { $0 }).mapValues(\.count)
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { $0 == 8 })
    }

    @Test func aPINHasFourDigitsAndNoLeadingZero() {
        let pins = (0..<2000).map { _ in SecureRandom.pin() }
        #expect(pins.allSatisfy { $0.utf8.count == 4 && (1000...9999).contains(Int($0) ?? 0) })
        #expect(Set(pins).count > 1000)
    }

    @Test func bytesHaveTheirCountAndDiffer() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(32).count == 32)
        #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
