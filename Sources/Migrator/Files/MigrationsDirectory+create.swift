public import FoundationEssentials

extension MigrationsDirectory {
    /// How a new file is to be numbered and applied.
    public enum NewFile: Sendable {
        /// The next number, written as wide as those there are, or the time where those there are are times.
        case next
        /// The time in UTC, as `20261124120000`.
        case timestamp
        case repeatable
    }

    /// Makes a file and returns its name. Nothing that is there is overwritten.
    ///
    /// Throws `MigrationFailure` when the slug is none, the directory cannot be read, or the file is there already. Blocks the calling
    /// thread.
    public static func create(
        _ slug: String, _ kind: NewFile = .next, withoutTransaction: Bool = false, in path: String, now: Date = .now
    ) throws(MigrationFailure) -> String {
        let files = try self.load(path)
        let prefix =
            switch kind {
            case .next: Self.nextNumber(after: files, now)
            case .timestamp: Self.timestamp(now)
            case .repeatable: "R_"
            }
        let name = prefix + "_" + slug + ".sql"
        guard let parsed = MigrationFile.parse(name) else {
            throw MigrationFailure(
                .usage, "“\(slug)” cannot be a part of a file's name",
                hint: "Use letters, digits, underscores, dashes and dots, as in add_notes.")
        }
        let newest = files.compactMap(\.version).max() ?? 0
        if case .versioned(let version) = parsed.kind, version <= newest {
            throw MigrationFailure(.usage, "\(newest) is there already, which is later than \(version)")
        }
        do {
            try Data(Self.template(kind, withoutTransaction).utf8).write(
                to: URL(filePath: path + "/" + name), options: .withoutOverwriting)
        } catch {
            throw MigrationFailure(.failed, "the file \(path)/\(name) cannot be written", system: error)
        }
        return name
    }

    private static func nextNumber(after files: [MigrationFile], _ now: Date) -> String {
        let versioned = files.filter { $0.version != nil }
        guard let last = versioned.last, let version = last.version else { return "0001" }
        let width = last.fileName.prefix { $0.isNumber }.count
        // Times of this century have fourteen digits.
        // Two files of one second get two numbers all the same.
        guard width < 14 else { return String(max(Int64(Self.timestamp(now)) ?? 0, version + 1)) }
        let digits = String(version + 1)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func timestamp(_ now: Date) -> String {
        now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))
            .filter { $0.isASCII && $0.isNumber }
    }

    private static func template(_ kind: NewFile, _ withoutTransaction: Bool) -> String {
        if case .repeatable = kind {
            return """
                -- Applied after the numbered files, and again whenever it has changed: CREATE OR REPLACE, not CREATE.

                """
        }
        guard withoutTransaction else {
            return """
                -- Applied once, in one transaction. What was released is never edited.


                """
        }
        return """
            -- migrate:no-transaction
            -- Statement by statement, and taken up where it stopped: for CREATE INDEX CONCURRENTLY, VACUUM and the like.


            """
    }
}
