import HTTPTypes
import Hummingbird
import Logging

/// | Method | Path     | Access |
/// |--------|----------|--------|
/// | POST   | messages | admin  |
struct MessageRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.admin.post("messages", use: self.send)
    }

    func send(_ request: Request, _ context: AdminContext) async throws -> Response {
        let message = try await SIPMessage(validating: request.json(context))
        guard let messenger = self.services.neighbours.messenger else { throw APIError.unavailable(.messenger) }
        switch try await messenger.send(message) {
        case .accepted(let id):
            context.logger.info("message sent", metadata: ["message.id": "\(id)"])
            return .json { json in json.object { json in json.member("id", id) } }
        case .unknownAddress: throw APIError.invalid("to", SIPMessage.badAddress)
        }
    }
}
