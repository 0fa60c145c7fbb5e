import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    static func json(status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter) throws -> Void) rethrows -> Response
    {
        var writer = JSONWriter()
        try write(&writer)
        return self.init(status: status, contentType: "application/json", body: writer.buffer)
    }

    static func json(_ value: some JSONWritable, status: HTTPResponse.Status = .ok) -> Response {
        self.json(status: status) { json in value.write(to: &json) }
    }

    static func json<Value: JSONWritable>(_ values: [Value], status: HTTPResponse.Status = .ok) -> Response {
        self.json(status: status) { json in
            json.array(values) { json, value in value.write(to: &json) }
        }
    }

    /// A success with nothing to say: `{}`, because deployed clients crash on an empty answer.
    static var done: Response {
        self.json { json in json.object { _ in } }
    }

    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        self.init(status: status, contentType: "text/plain; charset=utf-8", body: ByteBuffer(string: text))
    }

    init(status: HTTPResponse.Status = .ok, contentType: String, body: ByteBuffer) {
        self.init(status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: body))
    }
}
