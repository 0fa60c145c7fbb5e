import Foundation

/// Text in a header field of a mail.
enum HeaderText {
    /// Encoded words of RFC 2047, each on a line of its own; printable ASCII that stands for itself is left as it is when it is short.
    /// Line breaks and other control characters become spaces, so nothing can begin a header field of its own.
    static func encode(_ text: String) -> String {
        let clean = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control || $0.properties.isWhitespace ? " " : $0
                }))
        let isPlain = clean.utf8.count <= 60 && clean.utf8.allSatisfy { Self.isPlain($0) }
        return isPlain ? clean : self.words(clean).joined(separator: "\r\n ")
    }

    /// A time as RFC 5322, 3.3, writes it, in UTC.
    static func date(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.weekday, .day, .month, .year, .hour, .minute, .second], from: date)
        func padded(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(parts.weekday ?? 1) - 1]
        let month = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ][(parts.month ?? 1) - 1]
        let time = [parts.hour, parts.minute, parts.second].map(padded).joined(separator: ":")
        return "\(weekday), \(parts.day ?? 1) \(month) \(parts.year ?? 1970) \(time) +0000"
    }

    /// An encoded word has at most 75 characters, and no character is split: 45 bytes make 60 letters of base64.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var bytes: [UInt8] = []
        func finish() {
            if !bytes.isEmpty { words.append("=?UTF-8?B?\(Data(bytes).base64EncodedString())?=") }
            bytes = []
        }
        for scalar in text.unicodeScalars {
            let encoded = Array(String(scalar).utf8)
            if bytes.count + encoded.count > 45 { finish() }
            bytes += encoded
        }
        finish()
        return words
    }

    /// Letters, digits and what is special neither in an encoded word nor in a display name (RFC 5322, 3.2.3).
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: " !#$%&'*+-/_".utf8.contains(byte)
        }
    }
}
