import CAPIDocument
import Hummingbird
import NIOCore

/// | Method | Path         | Access |
/// |--------|--------------|--------|
/// | GET    | openapi.yaml | public |
struct APIDocumentRoutes: Sendable {
    /// Part of the program: never missing, and never another version's.
    private static let document = ByteBuffer(
        bytes: UnsafeBufferPointer(start: flexi_api_document(), count: flexi_api_document_size()))

    func add(to groups: RouteGroups) {
        groups.open.get("openapi.yaml", use: self.show)
    }

    func show(_: Request, _: PublicContext) -> Response {
        // The type is RFC 9512's.
        Response(contentType: "application/yaml", body: Self.document)
    }
}
