/// Seals with the current key and opens what any key of the ring sealed, so that keys can be changed.
public struct SealingKeyRing: Sendable {
    private let current: SealingKey
    private let keys: [[UInt8]: SealingKey]

    public init(current: SealingKey, previous: [SealingKey] = []) {
        self.current = current
        self.keys = Dictionary(([current] + previous).map { ($0.id, $0) }) { first, _ in first }
    }

    public func seal(_ plaintext: [UInt8], additionalData: [UInt8]) -> [UInt8] {
        self.current.seal(plaintext, additionalData: additionalData)
    }

    /// Throws `malformedSeal`, `unknownKey` or `notAuthentic`.
    public func open(_ sealed: [UInt8], additionalData: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard let key = self.keys[try SealFormat(sealed).keyID] else { throw CryptoError.unknownKey }
        return try key.open(sealed, additionalData: additionalData)
    }

    /// Whether the value should be sealed again, because a previous key sealed it.
    public func isOutdated(_ sealed: [UInt8]) throws(CryptoError) -> Bool {
        try SealFormat(sealed).keyID != self.current.id
    }
}
