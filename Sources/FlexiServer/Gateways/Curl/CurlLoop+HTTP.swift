import CCurl

/// An answer to an HTTP request that a neighbour was sent.
struct NeighbourAnswer: Sendable {
    let status: Int
    let body: [UInt8]

    var isSuccess: Bool { (200...299).contains(self.status) }

    /// The body as JSON; `nil` when it is none.
    var json: JSONValue? {
        try? self.body.withUnsafeBytes { try JSONParser.parse($0) }
    }

    /// The beginning of the body, for an error text.
    var excerpt: String {
        String(
            String(decoding: self.body, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
                .prefix(200))
    }
}

extension CurlLoop {
    /// Sends an HTTP request; a body of JSON makes it a POST. Certificates are verified, and no redirection is followed.
    ///
    /// - Throws: `DeliveryFailure`, temporary, when no whole answer came in time.
    func exchange(
        _ url: String, headers: [(String, String)] = [], json body: String? = nil, deadline: Duration
    ) async throws(DeliveryFailure) -> NeighbourAnswer {
        let milliseconds = max(Int(deadline.inSeconds * 1_000), 1)
        var lines = headers.map { "\($0): \($1)" } + ["Accept: application/json"]
        var options: [(CURLoption, CurlRequest.Value)] = [
            (CURLOPT_URL, .text(url)), (CURLOPT_PROTOCOLS_STR, .text("http,https")),
            (CURLOPT_NOSIGNAL, .number(1)), (CURLOPT_QUICK_EXIT, .number(1)),
            (CURLOPT_TIMEOUT_MS, .number(milliseconds)),
            (CURLOPT_CONNECTTIMEOUT_MS, .number(min(milliseconds, 10_000))),
            (CURLOPT_USERAGENT, .text("FlexiServer")),
        ]
        if let body {
            lines.append("Content-Type: application/json")
            options.append((CURLOPT_COPYPOSTFIELDS, .text(body)))
        }
        options.append((CURLOPT_HTTPHEADER, .lines(lines)))
        let response = await self.perform(CurlRequest(options))
        guard response.isComplete else { throw .temporary(response.failure) }
        return NeighbourAnswer(status: response.status, body: response.body)
    }
}
