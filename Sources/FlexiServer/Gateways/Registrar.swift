import FoundationEssentials

/// Knows from which devices an account is reachable at the moment (RFC 3261, 10).
protocol Registrar: Sendable {
    /// The devices, those that were heard of last first. Throws `GatewayFailure`.
    func devices(of account: SIPAddress) async throws -> [Device]

    /// Makes the registrar forget the device, until it registers again. `false` when the account has no such device.
    /// Throws `GatewayFailure`.
    func remove(_ device: Device.ID, of account: SIPAddress) async throws -> Bool
}

/// Something that an account has registered with.
struct Device: Hashable, Sendable {
    /// What tells a device from the account's others: its instance id (RFC 5626, 4.1), such as `urn:uuid:…`, or what the
    /// registrar made up for one that has none.
    struct ID: Hashable, Sendable {
        let value: String

        /// Drops the quotes and angle brackets in which instance ids travel.
        init(_ text: some StringProtocol) {
            var text = Substring(text)
            for (open, close) in [("\"", "\""), ("<", ">")] as [(Character, Character)]
            where text.count >= 2 && text.first == open && text.last == close {
                text = text.dropFirst().dropLast()
            }
            self.value = String(text)
        }

        /// As clients name a device: a bare UUID stands for its URN.
        init(requested text: String) {
            self.init(UUID(uuidString: text) == nil ? text : "urn:uuid:\(text)")
        }
    }

    let id: ID
    let userAgent: String
    let updatedAt: Date?
    let expiresAt: Date?
}

extension Device {
    /// Each device once, by what was heard of it last, and those heard of last first.
    static func latest(_ devices: [Device]) -> [Device] {
        var seen: Set<ID> = []
        return devices.sorted { ($0.updatedAt ?? .distantPast) > ($1.updatedAt ?? .distantPast) }
            .filter { seen.insert($0.id).inserted }
    }
}
