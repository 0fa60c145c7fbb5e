/// How an account's client sends keypad tones: SIP INFO, RTP events (RFC 4733, once RFC 2833), or a SIP MESSAGE.
enum DTMFProtocol: String, Sendable, CaseIterable {
    case sipinfo
    case rfc2833
    case sipmessage
}
