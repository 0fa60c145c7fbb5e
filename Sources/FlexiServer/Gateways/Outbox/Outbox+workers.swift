import Logging
import ServiceLifecycle

extension OutboxWorker {
    /// A worker for each channel that the configuration has a driver for.
    static func all(_ services: Services, logger: Logger) throws(ConfigurationError) -> [OutboxWorker] {
        let templates = try MessageTemplates(services.configuration)
        var gateways: [OutboxCourier.Gateway] = []
        switch services.configuration.mail {
        case nil: break
        case .log: gateways.append(.mail(LogMailer()))
        case .smtp: throw ConfigurationError("MAIL_DRIVER=smtp is not there yet")
        }
        switch services.configuration.sms?.way {
        case nil: break
        case .log: gateways.append(.sms(LogSMSGateway()))
        case .webhook, .ovh: throw ConfigurationError("SMS_DRIVER is not there yet")
        }
        return gateways.map { gateway in
            OutboxWorker(
                services,
                courier: OutboxCourier(
                    gateway: gateway, templates: templates, keys: services.keys.seal,
                    host: services.configuration.sipDomain.value),
                logger: logger)
        }
    }
}
