import HTTPTypes
import Hummingbird
import Logging

/// | Method | Path                       | Access  |
/// |--------|----------------------------|---------|
/// | GET    | accounts/me/devices        | account |
/// | DELETE | accounts/me/devices/{uuid} | account |
struct DeviceRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.account.get("accounts/me/devices", use: self.list)
        groups.account.delete("accounts/me/devices/{uuid}", use: self.remove)
    }

    func list(_: Request, _ context: AccountContext) async throws -> Response {
        let devices = try await self.registrar().devices(of: context.account.address)
        return .json { json in
            json.object { json in
                for device in devices {
                    json.member(named: device.id.value) { json in device.write(to: &json) }
                }
            }
        }
    }

    func remove(_: Request, _ context: AccountContext) async throws -> Response {
        let device = try Device.ID(requested: context.segment("uuid"))
        let isRemoved = try await self.registrar().remove(device, of: context.account.address)
        guard isRemoved else { throw APIError.notFound() }
        context.logger.info("device removed")
        return .done
    }

    private func registrar() throws(APIError) -> any Registrar {
        guard let registrar = self.services.neighbours.registrar else { throw .unavailable(.registrar) }
        return registrar
    }
}

extension Device: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("uuid", self.id.value)
            json.member("expires_at", self.expiresAt.map(TimeText.rfc3339))
            json.member("update_time", self.updatedAt.map(TimeText.rfc3339))
            json.member("user_agent", self.userAgent)
        }
    }
}
