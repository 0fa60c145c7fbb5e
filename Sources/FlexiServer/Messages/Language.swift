/// A language that mails, short messages and pages are written in; the raw value is its tag of BCP 47.
enum Language: String, CaseIterable, Codable, Sendable {
    case english = "en"
    case french = "fr"

    /// The one that an `Accept-Language` header (RFC 9110, 12.5.4) likes best; `fallback` where it knows none of them or there is
    /// no header. Of two that are liked as well the one named first counts.
    init(accepted header: String?, otherwise fallback: Language) {
        var best: (language: Language, quality: Double)?
        for range in (header ?? "").split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let tag = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            let language = tag == "*" ? fallback : Language(rawValue: String(tag.prefix { $0 != "-" }))
            guard let language, quality > 0, quality > best?.quality ?? 0 else { continue }
            best = (language, quality)
        }
        self = best?.language ?? fallback
    }
}
