import FoundationEssentials
import NIOCore
import NIOPosix

/// The control socket of Flexisip's proxy.
///
/// The proxy takes one command a connection, of at most 511 bytes, splits it at spaces, and answers with JSON or with a
/// text that begins with `Error`, until the end of the connection.
struct FlexisipRegistrar: Registrar {
    private static let maximumCommandBytes = 511
    private static let queueLimit = 64
    /// Thousands of devices.
    private static let maximumAnswerBytes = 8 * 1_024 * 1_024

    private let processIDFile: String
    private let socketDirectory: String
    private let timeout: Duration
    /// The proxy lets one connection wait besides the one it reads from.
    private let turnstile = Turnstile(width: 1, queueLimit: Self.queueLimit)

    /// The proxy names its socket, in its `/tmp`, after its process id.
    init(processIDFile: String, socketDirectory: String, timeout: Duration) {
        self.processIDFile = processIDFile
        self.socketDirectory = socketDirectory
        self.timeout = timeout
    }

    func devices(of account: SIPAddress) async throws -> [Device] {
        try await Neighbour.registrar.ask(within: self.timeout) {
            try await Device.latest(self.contacts(of: account).map(\.device))
        }
    }

    func remove(_ device: Device.ID, of account: SIPAddress) async throws -> Bool {
        try await Neighbour.registrar.ask(within: self.timeout) {
            let meant = try await self.contacts(of: account).filter { $0.device.id == device }
            for contact in meant {
                // The proxy wants the id as it stores it, quotes and brackets included.
                guard !contact.storedID.contains(where: \.isWhitespace) else {
                    throw GatewayFailure(.registrar, "the proxy cannot be told of an id with white space in it")
                }
                _ = try await self.run("REGISTRAR_DELETE \(account.uri) \(contact.storedID)")
            }
            return !meant.isEmpty
        }
    }

    private func contacts(of account: SIPAddress) async throws -> [FlexisipContact] {
        guard let answer = try await self.run("REGISTRAR_GET \(account.uri)") else { return [] }
        return try FlexisipContact.list(answer)
    }

    /// Returns the JSON of the answer; `nil` when the registrar knows nothing of the address.
    private func run(_ command: String) async throws -> ByteBuffer? {
        guard command.utf8.count <= Self.maximumCommandBytes else {
            throw GatewayFailure(.registrar, "the command is longer than the proxy reads")
        }
        let answer = try await self.turnstile.pass {
            try await UnixSocket(path: self.socketPath()).exchangeWhenTaken(
                command, maximumBytes: Self.maximumAnswerBytes)
        }
        if answer.getInteger(at: answer.readerIndex) == UInt8(ascii: "{") { return answer }
        let text = String(buffer: answer)
        // "Error 404: Not Found. …" up to Flexisip 2.4, "Error - 404 Not Found: …" after it.
        if text.hasPrefix("Error"), text.prefix(20).contains("404") { return nil }
        throw GatewayFailure(.registrar, "the proxy answered: \(text.prefix(200))")
    }

    /// Read each time: a proxy that was started again has another.
    private func socketPath() async throws -> String {
        let file = self.processIDFile
        let text: String = try await NIOThreadPool.singleton.runIfActive {
            do {
                return try String(contentsOf: URL(filePath: file), encoding: .utf8)
            } catch {
                throw GatewayFailure(.registrar, "\(file) cannot be read")
            }
        }
        guard let id = Int32(text.trimmed), id > 0 else {
            throw GatewayFailure(.registrar, "\(file) holds no process id")
        }
        return "\(self.socketDirectory)/flexisip-proxy-\(id)"
    }
}

/// One registration as Flexisip's proxy shows it. Names have dashes from 2.1 on, underscores before.
private struct FlexisipContact {
    let storedID: String
    let device: Device

    static func list(_ answer: ByteBuffer) throws -> [FlexisipContact] {
        let json: JSONValue
        do {
            json = try answer.withUnsafeReadableBytes { bytes throws(JSONParser.Failure) in try JSONParser.parse(bytes)
            }
        } catch {
            throw GatewayFailure(.registrar, "the proxy's answer is no whole JSON text")
        }
        guard case .object(let record) = json else {
            throw GatewayFailure(.registrar, "the proxy's answer is no JSON object")
        }
        switch record["contacts"] {
        case nil: return []
        case .array(let contacts)?: return try contacts.map(FlexisipContact.init)
        default: throw GatewayFailure(.registrar, "the proxy's contacts are no list")
        }
    }

    private init(_ json: JSONValue) throws {
        guard case .object(let contact) = json,
            let storedID = Self.text(contact, "unique-id", "unique_id", "line_value_copy"), !storedID.isEmpty
        else { throw GatewayFailure(.registrar, "a contact of the proxy's has no id") }
        self.storedID = storedID
        self.device = Device(
            id: Device.ID(storedID), userAgent: Self.text(contact, "user-agent", "user_agent") ?? "",
            updatedAt: Self.time(contact, "update-time", "update_time"),
            expiresAt: Self.time(contact, "expires-at", "expires_at"))
    }

    private static func text(_ contact: JSONObject, _ names: String...) -> String? {
        for name in names {
            if case .string(let text)? = contact[name] { return text }
        }
        return nil
    }

    private static func time(_ contact: JSONObject, _ names: String...) -> Date? {
        for name in names {
            switch contact[name] {
            case .integer(let seconds)? where seconds > 0: return Date(timeIntervalSince1970: Double(seconds))
            case .decimal(let seconds)? where seconds > 0: return Date(timeIntervalSince1970: seconds)
            default: continue
            }
        }
        return nil
    }
}
