import Subprocess
import SystemPackage

/// Flexisip's program `flexisip_pusher`, run once for each notification.
///
/// Its arguments are given as a vector, never through a shell. Of this server's environment, where its secrets are, the
/// program sees `PATH` alone.
struct FlexisipPusher: PushGateway {
    /// What one device's notifications may cost: this many programs run at a time, and a short queue waits.
    private static let width = 4
    private static let queueLimit = 64
    private static let maximumOutputBytes = 256 * 1_024

    private let program: String
    private let firebaseKeyFile: String?
    private let timeout: Duration
    private let turnstile = Turnstile(width: Self.width, queueLimit: Self.queueLimit)

    /// `firebaseKeyFile` is the path of a service account's key, which the program reads itself.
    init(program: String, firebaseKeyFile: String?, timeout: Duration) {
        self.program = program
        self.firebaseKeyFile = firebaseKeyFile
        self.timeout = timeout
    }

    /// Exit status 0 says that every push service has taken the notification. The program is killed when time runs
    /// out or the task is cancelled.
    func send(_ payload: Secret<String>, to device: PushDevice) async throws {
        try await Neighbour.pusher.ask(within: self.timeout) {
            try await self.turnstile.pass {
                let result = try await run(
                    .path(FilePath(self.program)), arguments: Arguments(self.arguments(payload, device)),
                    environment: .custom(["PATH": "/usr/local/bin:/usr/bin:/bin"]), platformOptions: Self.killedWhole,
                    output: .bytes(limit: Self.maximumOutputBytes), error: .combinedWithOutput)
                guard result.terminationStatus.isSuccess else {
                    let said = Self.redacted(result.standardOutput, payload, device)
                    throw GatewayFailure(.pusher, "\(result.terminationStatus): \(said)")
                }
            }
        }
    }

    /// The program may be a script: what it has started dies with it.
    private static let killedWhole: PlatformOptions = {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        return options
    }()

    private func arguments(_ payload: Secret<String>, _ device: PushDevice) -> [String] {
        var arguments = [
            "--pn-provider", device.provider.rawValue, "--pn-param", device.parameter, "--pn-prid", device.resourceID,
        ]
        switch device.provider {
        case .apple, .appleSandbox: arguments += ["--apple-push-type", "Background"]
        case .firebase:
            if let firebaseKeyFile { arguments += ["--key", firebaseKeyFile] }
        }
        return arguments + ["--customPayload", payload.reveal()]
    }

    /// The end of what the program printed, without what it was told in confidence.
    private static func redacted(_ output: [UInt8], _ payload: Secret<String>, _ device: PushDevice) -> String {
        var text = String(decoding: output, as: UTF8.self)
        for secret in [payload.reveal(), device.resourceID] { text = text.replacing(secret, with: "…") }
        return String(text.suffix(500))
    }
}
