/// The neighbours that messages leave by, as the configuration names them.
struct Gateways: Sendable {
    let mail: (any Mailer)?
    let sms: (any SMSGateway)?

    init(mail: (any Mailer)? = nil, sms: (any SMSGateway)? = nil) {
        self.mail = mail
        self.sms = sms
    }

    init(_ configuration: ServerConfiguration) {
        let loop = CurlLoop()
        let deadline = configuration.outbox.deadline
        self.mail =
            switch configuration.mail {
            case nil: nil
            case .log: LogMailer()
            case .smtp(let smtp): SMTPMailer(smtp, deadline: deadline, loop: loop)
            }
        self.sms =
            switch configuration.sms?.way {
            case nil: nil
            case .log: LogSMSGateway()
            case .webhook(let webhook): WebhookSMSGateway(webhook, deadline: deadline, loop: loop)
            case .ovh(let ovh): OVHSMSGateway(ovh, deadline: deadline, loop: loop)
            }
    }
}
