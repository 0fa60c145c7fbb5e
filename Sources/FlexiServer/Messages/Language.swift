/// A language that mails, short messages and pages are written in; the raw value is its tag of BCP 47.
enum Language: String, CaseIterable, Codable, Sendable {
    case english = "en"
    case french = "fr"

    /// The one that an `Accept-Language` header (RFC 9110, 12.5.4) likes best; `nil` where it names none of them before `*`, or there
    /// is no header. Of two that are liked as well the one named first counts.
    init?(accepted header: String?) {
        var best: (language: Language?, quality: Double) = (nil, 0)
        for range in (header ?? "").split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let tag = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            let language = Language(rawValue: String(tag.prefix { $0 != "-" }))
            guard language != nil || tag == "*", quality > best.quality else { continue }
            best = (language, quality)
        }
        guard let language = best.language else { return nil }
        self = language
    }
}
