import ArgumentParser
import Foundation

/// Writes the built-in templates into a folder, to be changed there.
struct TemplatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "templates", abstract: "Write the templates of mails, short messages and pages into a folder.",
        discussion: """
            Keep the files that you change and delete the others, so that they follow the program, and name the folder in \
            TEMPLATES_FOLDER. Files that are there are left alone.
            """)

    @Argument(help: "The folder; it is made where it does not exist.")
    var folder: String

    func run() async throws {
        do {
            let folder = URL(filePath: self.folder)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (name, text) in MessageTemplates.builtIn.sorted(by: { $0.key < $1.key }) {
                let file = folder.appending(path: name)
                if FileManager.default.fileExists(atPath: file.path()) {
                    StandardStreams.writeOutput("\(name) is there already\n")
                } else {
                    try Data((text + "\n").utf8).write(to: file, options: .withoutOverwriting)
                    StandardStreams.writeOutput("\(name)\n")
                }
            }
        } catch {
            throw CommandFailure("\(self.folder) cannot be written: \(error.localizedDescription)")
        }
    }
}
