import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
    /// The JSON object in the body; an empty body is an empty object.
    ///
    /// - Throws: 415 for another content type, 413 above the context's limit, 422 for what is no JSON object.
    func json(_ context: some RequestContext) async throws -> JSONObject {
        guard self.isContentJSON else { throw APIError.unsupportedMediaType }
        let bytes = try await self.body(upTo: context.maxUploadSize)
        if bytes.readableBytesView.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) {
            return JSONObject()
        }
        let value = bytes.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONParser.Failure) in try JSONParser.parse(bytes) }
        }
        switch value {
        case .success(.object(let object)): return object
        case .success: throw APIError.malformedBody("The body must be a JSON object.")
        case .failure(let failure): throw APIError(failure)
        }
    }

    private func body(upTo limit: Int) async throws -> ByteBuffer {
        do {
            return try await self.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw APIError.tooLarge(maximumBytes: limit)
        } catch let error as CancellationError {
            throw error
        } catch {
            // The client has hung up.
            throw APIError.malformedBody("The body ends too early.")
        }
    }

    /// An absent content type counts as JSON.
    private var isContentJSON: Bool {
        guard let value = self.headers[.contentType] else { return true }
        let type = value.prefix { $0 != ";" }.trimmed.lowercased()
        return type.isEmpty || type == "application/json" || type.hasPrefix("application/") && type.hasSuffix("+json")
    }
}

extension APIError {
    fileprivate init(_ failure: JSONParser.Failure) {
        self =
            switch failure {
            case .malformed: .malformedBody("The body is not valid JSON.")
            case .tooDeep: .malformedBody("The body is nested too deeply.")
            case .tooManyMembers: .malformedBody("An object has more than \(JSONParser.maximumMembers) fields.")
            case .duplicate(let member): .invalid(member, "The body has this field twice.")
            }
    }
}
