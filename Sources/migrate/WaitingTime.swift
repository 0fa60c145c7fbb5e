import ArgumentParser
import Migrator

/// A time on the command line: `30` and `30s` are seconds, `5m` and `5min` minutes.
struct WaitingTime: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        let unit: String
        switch argument.last {
        case "m": unit = "in"
        case let last? where last.isNumber: unit = "s"
        default: unit = ""
        }
        guard let duration = Duration(migrationSetting: argument + unit) else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { "\(self.duration.components.seconds)s" }
}
