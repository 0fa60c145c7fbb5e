import CCurl

/// A libcurl handle with what it reads and writes. Belongs to the thread of one `CurlLoop`.
final class CurlTransfer {
    /// Longest answer that is read.
    private static let bodyLimit = 64 * 1024

    let handle: OpaquePointer
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private var mime: OpaquePointer?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var body: [UInt8] = []
    private var command = ""
    private var reply: [UInt8] = []
    private var isOver = false

    /// `nil` when libcurl does not take an option or has no memory.
    init?(_ request: CurlRequest) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = OpaquePointer(handle)
        self.errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard self.set(request.options), self.setCallbacks(), self.setAlternatives(request.alternatives) else {
            return nil
        }
    }

    deinit {
        curl_easy_cleanup(self.curl)
        curl_mime_free(self.mime)
        for list in self.lists { curl_slist_free_all(list) }
        self.errorText.deallocate()
    }

    var curl: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self.handle) }

    func response(_ result: CURLcode) -> CurlResponse {
        var status = 0
        flexi_curl_get_long(self.curl, CURLINFO_RESPONSE_CODE, &status)
        let detail = String(cString: self.errorText)
        let failure = result == CURLE_OK ? "" : detail.isEmpty ? String(cString: curl_easy_strerror(result)) : detail
        return CurlResponse(
            result: result, failure: failure, status: status, body: self.body, command: self.command,
            reply: String(decoding: self.reply, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
        )
    }

    // MARK: Options

    private func set(_ options: [(CURLoption, CurlRequest.Value)]) -> Bool {
        options.allSatisfy { option, value in
            switch value {
            case .number(let number): flexi_curl_set_long(self.curl, option, number) == CURLE_OK
            case .text(let text): flexi_curl_set_text(self.curl, option, text) == CURLE_OK
            case .lines(let lines): self.setLines(lines, of: option)
            }
        }
    }

    private func setLines(_ lines: [String], of option: CURLoption) -> Bool {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                return false
            }
            list = longer
        }
        if let list { self.lists.append(list) }
        return flexi_curl_set_list(self.curl, option, list) == CURLE_OK
    }

    private func setAlternatives(_ parts: [CurlRequest.Part]) -> Bool {
        guard !parts.isEmpty else { return true }
        self.mime = curl_mime_init(self.curl)
        guard let whole = curl_mime_addpart(self.mime), let alternatives = curl_mime_init(self.curl) else {
            return false
        }
        // From here the whole owns the alternatives.
        guard curl_mime_subparts(whole, alternatives) == CURLE_OK,
            curl_mime_type(whole, "multipart/alternative") == CURLE_OK
        else { return false }
        for part in parts {
            // An encoder keeps CRLF as the end of a line, and would escape a lone LF.
            let lines = part.content.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
            guard let added = curl_mime_addpart(alternatives),
                curl_mime_data(added, lines, lines.utf8.count) == CURLE_OK,
                curl_mime_type(added, part.type) == CURLE_OK, curl_mime_encoder(added, "quoted-printable") == CURLE_OK
            else { return false }
        }
        return flexi_curl_set_mime(self.curl, self.mime) == CURLE_OK
    }

    // MARK: Callbacks

    private func setCallbacks() -> Bool {
        // Not retained: the transfer outlives its handle, which alone calls back.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let results = [
            flexi_curl_set_pointer(self.curl, CURLOPT_ERRORBUFFER, self.errorText),
            flexi_curl_set_pointer(self.curl, CURLOPT_PRIVATE, context),
            flexi_curl_set_pointer(self.curl, CURLOPT_WRITEDATA, context),
            flexi_curl_set_pointer(self.curl, CURLOPT_DEBUGDATA, context),
            flexi_curl_set_long(self.curl, CURLOPT_VERBOSE, 1),
            flexi_curl_set_write(self.curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                CurlTransfer.from(context)?.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
            },
            // The only way to hear the replies of a mail server; nothing of it is logged.
            flexi_curl_set_debug(self.curl) { _, type, bytes, count, context in
                CurlTransfer.from(context)?.note(type, UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            },
        ]
        return results.allSatisfy { $0 == CURLE_OK }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
        context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The transfer whose handle it is.
    static func of(_ handle: UnsafeMutableRawPointer) -> CurlTransfer? {
        var context: UnsafeMutableRawPointer?
        flexi_curl_get_pointer(handle, CURLINFO_PRIVATE, &context)
        return self.from(context)
    }

    /// Fewer bytes than were given make libcurl give up.
    private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard self.body.count + bytes.count <= Self.bodyLimit else { return 0 }
        self.body += bytes
        return bytes.count
    }

    private func note(_ type: curl_infotype, _ bytes: UnsafeRawBufferPointer) {
        // The farewell says nothing about the mail.
        if type == CURLINFO_HEADER_OUT, bytes.starts(with: "QUIT".utf8) { self.isOver = true }
        if self.isOver { return }
        switch type {
        case CURLINFO_HEADER_OUT:
            self.command = String(decoding: bytes.prefix { $0 > 0x20 }.prefix(8), as: UTF8.self).uppercased()
            self.reply = []
        case CURLINFO_DATA_OUT where self.command != "body":
            self.command = "body"
            self.reply = []
        case CURLINFO_HEADER_IN where self.reply.count < 4_096:
            self.reply += bytes
        default: break
        }
    }
}
