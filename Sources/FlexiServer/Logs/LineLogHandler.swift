import FoundationEssentials
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Writes every event as one line to standard error, in one call, so that lines of several threads do not mix.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let isJSON: Bool
    private let write: @Sendable (String) -> Void

    init(level: Logger.Level, isJSON: Bool, write: @escaping @Sendable (String) -> Void) {
        self.logLevel = level
        self.isJSON = isJSON
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var metadata = self.metadata
        if let provided = self.metadataProvider?.get() { metadata.merge(provided) { _, new in new } }
        if let own = event.metadata { metadata.merge(own) { _, new in new } }
        let now = Date()
        self.write(self.isJSON ? LogLine.json(event, metadata, at: now) : LogLine.text(event, metadata, at: now))
    }
}

extension Logger {
    /// The server's logger: text where standard error is a terminal and JSON elsewhere, unless the configuration
    /// names one.
    init(_ configuration: ServerConfiguration) {
        let isJSON =
            switch configuration.logFormat {
            case .auto: !StandardStreams.isErrorTerminal
            case .text: false
            case .json: true
            }
        self.init(label: "FlexiServer") { _ in
            LineLogHandler(level: configuration.logLevel, isJSON: isJSON, write: StandardStreams.writeError)
        }
    }
}
