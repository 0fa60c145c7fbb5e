internal import CQREncode

/// A QR code (ISO/IEC 18004) of error correction level H, which stays readable with 30 % of it hidden.
public struct QRCode: Hashable, Sendable {
    /// Bytes of ASCII text that the largest code of level H holds; other text has one byte less.
    public static let maximumLength = 1273

    /// Extended Channel Interpretation of UTF-8.
    private static let utf8Designator: UInt32 = 26
    /// Light modules that have to surround a code.
    static let quietZone = 4

    /// Modules on each side, without the quiet zone.
    let width: Int
    /// Row by row from the top left; `true` is dark.
    let modules: [Bool]

    /// Encodes the UTF-8 form of the text, which a text that is not ASCII declares: scanners would guess otherwise.
    public init(text: String) throws(QRCodeError) {
        let bytes = Array(text.utf8)
        let needsDeclaration = bytes.contains { $0 >= 0x80 }
        guard !bytes.isEmpty else { throw QRCodeError.empty }
        guard bytes.count <= Self.maximumLength - (needsDeclaration ? 1 : 0) else { throw QRCodeError.tooLong }
        guard let input = QRinput_new2(0, QR_ECLEVEL_H) else { fatalError("libqrencode: out of memory") }
        defer { QRinput_free(input) }
        let isAppended =
            (!needsDeclaration || QRinput_appendECIheader(input, Self.utf8Designator) == 0)
            && QRinput_append(input, QR_MODE_8, Int32(bytes.count), bytes) == 0
        guard isAppended, let code = QRcode_encodeInput(input) else { fatalError("libqrencode: out of memory") }
        defer { QRcode_free(code) }
        self.width = Int(code.pointee.width)
        // The lowest bit of each byte is the colour; the others tell the module's role.
        self.modules = UnsafeBufferPointer(start: code.pointee.data, count: self.width * self.width).map { $0 & 1 == 1 }
    }

    func isDark(row: Int, column: Int) -> Bool {
        self.modules[row * self.width + column]
    }
}
