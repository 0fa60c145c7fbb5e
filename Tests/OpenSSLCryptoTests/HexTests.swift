import OpenSSLCrypto
import Testing

@Suite("Hex")
struct HexTests {
    @Test func everyByteIsReadBack() {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hex.encode(bytes)
        #expect(text.hasPrefix("000102"))
        #expect(text.hasSuffix("fdfeff"))
        #expect(Hex.decode(text) == bytes)
        #expect(Hex.decode(text.uppercased()) == bytes)
    }

    @Test(arguments: ["0", "0g", "g0", " 0", "0x", "é0", "00 ", "/0", ":0", "@0", "`0"])
    func anythingElseIsRefused(text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test func nothingIsNothing() {
        #expect(Hex.encode([]) == "")
        #expect(Hex.decode("") == [])
    }
}
