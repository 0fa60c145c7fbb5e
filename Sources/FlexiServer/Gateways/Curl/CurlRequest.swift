import CCurl

/// One transfer for libcurl to make.
struct CurlRequest: Sendable {
    enum Value: Sendable {
        case number(Int)
        case text(String)
        case lines([String])
    }

    /// One part of a mail, sent as quoted-printable.
    struct Part: Sendable {
        let type: String
        let content: String
    }

    /// Options beside those that every transfer has.
    var options: [(CURLoption, Value)]
    /// The parts of a mail that say the same, the best one last (RFC 2046, 5.1.4); empty where no mail is sent.
    var alternatives: [Part] = []

    init(_ options: [(CURLoption, Value)]) {
        self.options = options
    }
}

/// How a transfer ended.
struct CurlResponse: Sendable {
    let result: CURLcode
    /// What libcurl says where it failed; empty otherwise.
    let failure: String
    /// Of HTTP; 0 where there was no answer.
    let status: Int
    let body: [UInt8]
    /// The last command of a mail session, `body` for the mail itself, and the reply to it.
    let command: String
    let reply: String

    var isComplete: Bool { self.result == CURLE_OK }
}
