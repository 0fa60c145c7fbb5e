/// Sends push notifications to phones.
protocol PushGateway: Sendable {
    /// Hands a JSON text to an app that runs on the device, without showing anything to its user.
    ///
    /// Throws `GatewayFailure` when it is not known to be on its way.
    func send(_ payload: Secret<String>, to device: PushDevice) async throws
}

/// Where a device takes push notifications (RFC 8599, 4.1): each part a text of characters that occur there.
struct PushDevice: Hashable, Sendable {
    enum Provider: String, CaseIterable, Sendable {
        case firebase = "fcm"
        case apple = "apns"
        case appleSandbox = "apns.dev"
    }

    let provider: Provider
    /// Which app: a Firebase project, or an Apple team and bundle.
    let parameter: String
    /// The device's own token, or an Apple device's several.
    let resourceID: String

    /// `nil` when `parameter` or `resourceID` is malformed.
    init?(provider: Provider, parameter: String, resourceID: String) {
        guard Self.isParameter(parameter), Self.isResourceID(resourceID) else { return nil }
        self.provider = provider
        self.parameter = parameter
        self.resourceID = resourceID
    }

    static func isParameter(_ text: String) -> Bool {
        self.isPlain(text, maximumBytes: 255, punctuation: "-._&")
    }

    static func isResourceID(_ text: String) -> Bool {
        self.isPlain(text, maximumBytes: 1_024, punctuation: "-._:&")
    }

    /// Begins with a letter or a digit, so that no program takes it for an option.
    private static func isPlain(_ text: String, maximumBytes: Int, punctuation: StaticString) -> Bool {
        let allowed = String(describing: punctuation).utf8
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: false
            }
        }
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= maximumBytes else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || allowed.contains($0) }
    }
}
