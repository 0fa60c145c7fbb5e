import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OpenSSLCrypto

extension Response {
    /// An HTML page for people. It is not kept by anybody, runs no script and loads nothing, can be framed by nobody, and sends its
    /// address, which may hold a code, to nobody.
    static func page(_ html: String, in language: Language, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response(
            status: status, contentType: "text/html; charset=utf-8", body: ByteBuffer(string: html))
        response.headers[.cacheControl] = "no-store"
        response.headers[.contentLanguage] = language.rawValue
        response.headers[.vary] = "Accept-Language"
        response.headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src \(Self.styleSources(html)); form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    /// The hashes of the page's own style sheets (CSP Level 3, 2.3.1); no other style applies.
    private static func styleSources(_ html: String) -> String {
        let sheets = html.matches(of: /<style>([\s\S]*?)<\/style>/).map { String($0.output.1) }
        let hashes = sheets.map { "'sha256-\(Data(SHA256.hash($0)).base64EncodedString())'" }
        return hashes.isEmpty ? "'none'" : hashes.joined(separator: " ")
    }
}
