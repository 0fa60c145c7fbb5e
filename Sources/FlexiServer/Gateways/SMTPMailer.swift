import CCurl
import Foundation

/// Sends mail to a mail server (RFC 5321).
struct SMTPMailer: Mailer {
    private let configuration: MailConfiguration.SMTP
    private let deadline: Duration
    private let loop: CurlLoop
    private let now: @Sendable () -> Date

    init(
        _ configuration: MailConfiguration.SMTP, deadline: Duration, loop: CurlLoop,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.configuration = configuration
        self.deadline = deadline
        self.loop = loop
        self.now = now
    }

    func deliver(_ mail: Mail) async throws(DeliveryFailure) {
        let response = await self.loop.perform(self.request(mail))
        guard !response.isComplete else { return }
        guard let code = Int(response.reply.prefix(3)), code >= 400 else { throw .temporary(response.failure) }
        // Before the recipient is named, a refusal is about this server or its settings, and the mail can wait for them.
        let isAboutMail = ["RCPT", "DATA", "body"].contains(response.command)
        throw DeliveryFailure(kind: isAboutMail && code >= 500 ? .permanent : .temporary, reason: response.reply)
    }

    private func request(_ mail: Mail) -> CurlRequest {
        let configuration = self.configuration
        let scheme = configuration.encryption == .ssl ? "smtps" : "smtp"
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let milliseconds = Int(self.deadline.inSeconds * 1_000)
        var options: [(CURLoption, CurlRequest.Value)] = [
            (CURLOPT_URL, .text("\(scheme)://\(host):\(configuration.port)")),
            (CURLOPT_PROTOCOLS_STR, .text("smtp,smtps")),
            (CURLOPT_PROXY, .text("")),
            (CURLOPT_NOSIGNAL, .number(1)), (CURLOPT_QUICK_EXIT, .number(1)),
            (CURLOPT_TIMEOUT_MS, .number(milliseconds)),
            (CURLOPT_CONNECTTIMEOUT_MS, .number(min(milliseconds, 10_000))),
            // A connection kept for longer may have been closed by the server meanwhile, and the mail would have to wait.
            (CURLOPT_MAXAGE_CONN, .number(5)),
            (
                CURLOPT_USE_SSL,
                .number(Int(configuration.encryption == .none ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue))
            ),
            (CURLOPT_SSL_VERIFYPEER, .number(configuration.verifiesPeer ? 1 : 0)),
            (CURLOPT_SSL_VERIFYHOST, .number(configuration.verifiesName ? 2 : 0)),
            (CURLOPT_MAIL_FROM, .text("<\(configuration.sender)>")),
            (CURLOPT_MAIL_RCPT, .lines(["<\(mail.recipient)>"])),
            (CURLOPT_HTTPHEADER, .lines(self.headers(mail))),
        ]
        if let file = configuration.authoritiesFile { options.append((CURLOPT_CAINFO, .text(file))) }
        if let username = configuration.username, let password = configuration.password {
            options.append((CURLOPT_USERNAME, .text(username)))
            options.append((CURLOPT_PASSWORD, .text(password.reveal())))
        }
        var request = CurlRequest(options)
        request.alternatives = [
            .init(type: "text/plain; charset=utf-8", content: mail.text),
            .init(type: "text/html; charset=utf-8", content: mail.html),
        ]
        return request
    }

    private func headers(_ mail: Mail) -> [String] {
        [
            "Date: \(HeaderText.date(self.now()))",
            "From: \(HeaderText.encode(self.configuration.senderName)) <\(self.configuration.sender)>",
            "To: <\(mail.recipient)>",
            "Subject: \(HeaderText.encode(mail.subject))",
            "Message-ID: <\(mail.messageID)>",
            "Content-Language: \(mail.language)",
            // No out-of-office replies to it (RFC 3834, 5).
            "Auto-Submitted: auto-generated",
        ]
    }
}
