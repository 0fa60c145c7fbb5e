import Logging

/// The neighbours that are asked while a request waits, each `nil` where none is configured.
struct Neighbours: Sendable {
    var push: (any PushGateway)?
    var messenger: (any SIPMessenger)?
    var registrar: (any Registrar)?

    /// None at all.
    init() {}

    /// Nobody is spoken to before there is a request for it.
    init(_ configuration: ServerConfiguration, logger: Logger) {
        let neighbours = configuration.neighbours
        self.push = neighbours.pusherPath.map { path in
            FlexisipPusher(
                program: path, firebaseKeyFile: neighbours.firebaseKeyFile, timeout: neighbours.timeout)
        }
        self.messenger = neighbours.linphoneDaemonPath.map { path in
            LinphoneDaemon(socketPath: path, timeout: neighbours.timeout)
        }
        switch neighbours.registrar {
        case nil: break
        case .flexisip(let processIDFile, let socketDirectory)?:
            self.registrar = FlexisipRegistrar(
                processIDFile: processIDFile, socketDirectory: socketDirectory, timeout: neighbours.timeout)
        case .kamailio(let database)?:
            self.registrar = KamailioRegistrar(
                database, onlyDomain: configuration.managesManyDomains ? nil : configuration.sipDomain,
                timeout: neighbours.timeout, logger: logger)
        }
    }
}
