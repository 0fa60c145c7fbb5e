/// Why a text has no QR code.
public enum QRCodeError: Error, Hashable, Sendable {
    case empty
    /// More than `QRCode.maximumLength` bytes.
    case tooLong
}

extension QRCodeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "a QR code needs a text"
        case .tooLong: "the text is longer than a QR code can hold"
        }
    }
}
