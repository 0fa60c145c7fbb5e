import ArgumentParser
import Glibc
import Logging
import PGClient

/// Long runs of PGClient with faults, on a database of their own on the server that `DATABASE_URL` names.
@main
struct PGClientSoak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "PGClientSoak",
        abstract: "Runs PGClient with faults for a long time. Ends with 1 when a promise was broken.",
        subcommands: [FaultsCommand.self, CancelsCommand.self, RestartsCommand.self, FailoversCommand.self]
    )
}

enum Soak {
    /// Lost connections are what this is about, and not worth a line each.
    static let logger: Logger = {
        var logger = Logger(label: "PGClientSoak")
        logger.logLevel = .critical
        return logger
    }()

    /// Ends the program with 1 when it is not empty.
    static func conclude(_ complaints: [String]) throws {
        for complaint in complaints.prefix(20) { print("     BROKEN: \(complaint)") }
        guard complaints.isEmpty else {
            print("     \(complaints.count) promises were broken")
            throw ExitCode(1)
        }
    }

    /// Prints how many milliseconds each recovery took, beside the target.
    static func conclude(_ event: String, _ recoveries: [Double], longest: Double, _ complaints: [String]) throws {
        let times = recoveries.map(rounded).joined(separator: ", ")
        print("     first success after each \(event), target <= \(rounded(longest)) ms: \(times) ms")
        let slow = recoveries.filter { $0 > longest }.map { "it took \(rounded($0)) ms to recover" }
        try self.conclude(complaints + slow)
    }

    static func residentMegabytes() -> Double {
        guard let file = fopen("/proc/self/statm", "r") else { return .nan }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return .nan }
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
            separator: " ")
        return fields.count > 1 ? (Double(fields[1]) ?? .nan) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576 : .nan
    }

    /// Waits until it holds; false when it does not within a minute.
    static func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard .now < end else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}

/// A figure to one decimal, as of milliseconds or megabytes.
func rounded(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15
}
