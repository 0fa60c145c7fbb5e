import FoundationEssentials
import Logging
import NIOCore

/// One event as a line of text: for people, or as a JSON object for machines.
enum LogLine {
    /// Under which Hummingbird files the id of a request; lines call it `request.id`.
    static let requestIDKey = "hb.request.id"

    /// `2026-11-24T10:15:00.000000Z info request answered http.path=/api/ping …`
    static func text(_ event: LogEvent, _ metadata: Logger.Metadata, at now: Date) -> String {
        var line = TimeText.rfc3339(now)
        line += " \(event.level.rawValue) "
        Self.appendPrintable("\(event.message)", to: &line)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(Self.shown(key))="
            Self.appendPrintable("\(value)", to: &line)
        }
        if let error = event.error {
            line += " error="
            Self.appendPrintable(String(reflecting: error), to: &line)
        }
        return line + "\n"
    }

    static func json(_ event: LogEvent, _ metadata: Logger.Metadata, at now: Date) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("time", TimeText.rfc3339(now))
            json.member("level", event.level.rawValue)
            json.member("message", "\(event.message)")
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
                json.member(named: Self.shown(key)) { json in
                    switch value {
                    case .stringConvertible(let number as Int): json.value(number)
                    case .string(let text): json.value(text)
                    default: json.value("\(value)")
                    }
                }
            }
            if let error = event.error { json.member("error", String(reflecting: error)) }
        }
        return String(buffer: json.buffer) + "\n"
    }

    private static func shown(_ key: String) -> String {
        key == self.requestIDKey ? "request.id" : key
    }

    /// Whatever could end the line or steer a terminal is written as an escape.
    private static func appendPrintable(_ text: String, to line: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}
