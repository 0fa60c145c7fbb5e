import Hummingbird

extension RequestContext {
    /// A captured segment of the path, percent-decoded: the router hands it out as it came.
    ///
    /// - Throws: 404 when the escapes are broken, or hide what no stored text can contain.
    func segment(_ name: String) throws(APIError) -> String {
        guard let raw = self.parameters.get(name) else { throw .notFound() }
        guard let text = PercentEncoding.decode(raw), !text.utf8.contains(0) else { throw .notFound() }
        return text
    }

    /// A segment that is the id of a row; 404 when it is no number.
    func id(_ name: String) throws(APIError) -> Int64 {
        let text = try self.segment(name)
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let id = Int64(text)
        else {
            throw .notFound()
        }
        return id
    }

    /// A segment that is a SIP address, with or without its scheme; 404 when it is none.
    func sipAddress(_ name: String) throws(APIError) -> SIPAddress {
        guard let address = try SIPAddress(self.segment(name)) else { throw .notFound() }
        return address
    }
}
