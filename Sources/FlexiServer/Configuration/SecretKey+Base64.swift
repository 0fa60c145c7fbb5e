import FoundationEssentials
import OpenSSLCrypto

extension SecretKey {
    /// `nil` unless the text is the base64 form of exactly 32 bytes; white space around it is dropped.
    init?(base64 text: String) {
        guard let data = Data(base64Encoded: String(text.trimmed)) else { return nil }
        do {
            try self.init(Array(data))
        } catch {
            return nil
        }
    }
}
