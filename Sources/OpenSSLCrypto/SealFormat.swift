/// Takes a sealed value apart; `SealingKey` documents the form.
struct SealFormat {
    static let version: UInt8 = 1
    static let idLength = 8
    static let nonceLength = 12
    static let tagLength = 16

    let keyID: [UInt8]
    let nonce: [UInt8]
    let ciphertext: [UInt8]
    let tag: [UInt8]

    init(_ sealed: [UInt8]) throws(CryptoError) {
        let headerLength = 1 + Self.idLength + Self.nonceLength
        guard sealed.count >= headerLength + Self.tagLength, sealed[0] == Self.version else {
            throw CryptoError.malformedSeal
        }
        self.keyID = Array(sealed[1...Self.idLength])
        self.nonce = Array(sealed[(1 + Self.idLength)..<headerLength])
        self.ciphertext = Array(sealed[headerLength..<(sealed.count - Self.tagLength)])
        self.tag = Array(sealed.suffix(Self.tagLength))
    }
}
