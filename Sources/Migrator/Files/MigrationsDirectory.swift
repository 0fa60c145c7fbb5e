import FoundationEssentials
import Glibc

/// The directory that holds the migrations; its subdirectories are not looked at.
public enum MigrationsDirectory {
    /// Reads what may differ in the catalog; empty when there is no such file.
    public static func ignoreList(_ path: String) throws(MigrationFailure) -> IgnoreList {
        let file = path + "/" + IgnoreList.fileName
        guard FileManager.default.fileExists(atPath: file) else { return IgnoreList([]) }
        guard let text = String(validating: try Self.contents(of: file), as: UTF8.self) else {
            throw MigrationFailure(.failed, "the file \(file) is no UTF-8")
        }
        return IgnoreList(text: text)
    }

    /// Reads every `.sql` file, the versioned ones in the order of their numbers, then the repeatable ones by name.
    ///
    /// Throws `MigrationFailure` when the directory cannot be read, a file's name is none of a migration, or a file is no UTF-8.
    /// Reading blocks the calling thread.
    public static func load(_ path: String) throws(MigrationFailure) -> [MigrationFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            let isNone = [.ENOENT, .ENOTDIR].contains(error.posixCode)
            throw MigrationFailure(
                isNone ? .usage : .failed, "the directory \(path) cannot be read", system: error,
                hint: isNone ? "Name the directory of the migrations with --directory." : nil)
        }
        var files: [MigrationFile] = []
        for name in names.sorted() where name.hasSuffix(".sql") && !name.hasPrefix(".") {
            let bytes = Array(try Self.contents(of: path + "/" + name))
            do {
                guard let file = try MigrationFile(fileName: name, bytes: bytes) else {
                    throw MigrationFailure(
                        .failed, "\(name) is no name of a migration",
                        hint: "Migrations are called 0001_what_it_does.sql or R__what_it_makes.sql.")
                }
                files.append(file)
            } catch let error as MalformedText {
                throw MigrationFailure(
                    .failed, "the file is no UTF-8, or holds a NUL",
                    place: .init(fileName: name, position: error.position))
            } catch let error as MigrationFailure {
                throw error
            } catch {
                throw MigrationFailure(.failed, "\(error)")
            }
        }
        return files.sorted { left, right in
            switch (left.version, right.version) {
            case (let left?, let right?) where left != right: left < right
            case (.some, nil): true
            case (nil, .some): false
            default: left.fileName < right.fileName
            }
        }
    }

    private static func contents(of file: String) throws(MigrationFailure) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: file))
        } catch {
            throw MigrationFailure(.failed, "the file \(file) cannot be read", system: error)
        }
    }
}
