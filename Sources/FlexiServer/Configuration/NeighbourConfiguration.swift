import PGClient

/// Which programs stand beside this server, and how long each may take.
struct NeighbourConfiguration: Sendable {
    enum Registrar: Sendable {
        case flexisip(processIDFile: String, socketDirectory: String)
        case kamailio(PGConfiguration)
    }

    /// `nil` where no push notification can be sent.
    let pusherPath: String?
    let firebaseKeyFile: String?
    /// `nil` where no SIP message can be sent.
    let linphoneDaemonPath: String?
    /// `nil` where devices are not known.
    let registrar: Registrar?
    let timeout: Duration

    init(_ reader: SettingReader) throws(ConfigurationError) {
        self.pusherPath = try reader.read(Settings.pusherPath)
        self.firebaseKeyFile = try reader.read(Settings.firebaseKeyFile)
        self.linphoneDaemonPath = try reader.read(Settings.linphoneDaemonPath)
        self.registrar = try Self.registrar(reader)
        self.timeout = try .seconds(reader.read(Settings.neighbourTimeoutSeconds))
    }

    private static func registrar(_ reader: SettingReader) throws(ConfigurationError) -> Registrar? {
        // An env file of the reference system names the proxy's file and no kind.
        let implied = reader.isSet(Settings.flexisipProcessIDFile) ? RegistrarKind.flexisip : nil
        switch try reader.read(Settings.registrar) ?? implied {
        case nil: return nil
        case .flexisip?:
            return try .flexisip(
                processIDFile: reader.read(Settings.flexisipProcessIDFile),
                socketDirectory: reader.read(Settings.flexisipSocketDirectory))
        case .kamailio?:
            var database = try PGConfiguration(reader.require(Settings.registrarURL, by: "REGISTRAR=kamailio"))
            database.applicationName = "FlexiServer"
            do {
                try database.validate()
            } catch {
                throw ConfigurationError("REGISTRAR_URL cannot be read as a connection string: \(error.message)")
            }
            return .kamailio(database)
        }
    }
}
