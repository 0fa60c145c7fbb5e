import Migrator

extension DeploymentPlan {
    /// What a person reads.
    func lines(writtenTo file: String?) -> [String] {
        var lines = [self.heading]
        for file in self.files { lines += file.lines }
        lines += self.notes.map { "note: \($0)" }
        if let file {
            lines.append("Written to \(file). `migrate apply --plan \(file)` applies this and nothing else.")
        }
        return lines
    }

    private var heading: String {
        let version = self.server.currentVersion.map { "at version \($0)" } ?? "with nothing applied"
        let count = self.files.isEmpty ? "nothing is pending" : "\(self.files.count) pending"
        return """
            \(self.server.database) on cluster \(self.server.systemIdentifier), PostgreSQL \
            \(self.server.serverVersion / 10_000).\(self.server.serverVersion % 10_000), \(version): \(count)
            """
    }
}

extension DeploymentPlan.File {
    fileprivate var lines: [String] {
        let kind = self.isTransaction ? "one transaction" : "statement by statement"
        let time = self.milliseconds.map { ", \($0) ms without rows" } ?? ""
        var lines = ["\(self.file) (\(kind)\(time))"]
        // What reads and writes of an application take as well is in nobody's way.
        let remarkable = self.locks.filter { $0.mode > .rowExclusive || $0.isRewritten }
        for lock in remarkable { lines += lock.lines }
        if remarkable.isEmpty, self.milliseconds != nil { lines.append("    locks nothing that was there before") }
        for session in self.waitsFor { lines.append("    waits now for \(session.text)") }
        for finding in self.findings {
            lines.append("    squawk: line \(finding.line): \(finding.rule): \(finding.message)")
        }
        if let unknown { lines.append("    not known: \(unknown)") }
        if let failure {
            lines += ("fails: " + failure).split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
        }
        return lines
    }
}

extension DeploymentPlan.Lock {
    fileprivate var lines: [String] {
        var size = ""
        if let bytes, let rows { size = " (\(Self.text(bytes: bytes)), about \(rows) rows)" }
        let rewrite = self.isRewritten ? "; every row is written anew or taken away" : ""
        return [
            "    line \(self.line): \(self.mode.rawValue) on \(self.relation)\(size), blocks \(self.mode.blocks)\(rewrite)"
        ] + self.blockers.map { "        in the way now: \($0.text), with \($0.mode.rawValue)" }
    }

    private static func text(bytes: Int64) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var value = bytes
        var unit = 0
        while value >= 10_240, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(value) \(units[unit])"
    }
}

extension DeploymentPlan.Session {
    fileprivate var text: String {
        let name = self.applicationName.isEmpty ? "" : ", \(self.applicationName)"
        return "pid \(self.pid) (\(self.user)\(name)), since \(self.age) s"
    }
}
