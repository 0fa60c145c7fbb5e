import Foundation
import Testing

@testable import FlexiServer

@Suite("docs/configuration.md")
struct ConfigurationDocumentTests {
    @Test func everyKeyIsDocumentedAsItIsRead() throws {
        let rows = try Self.document().split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        #expect(rows == Settings.all.map(Self.row))
        // Shows what to write when it is not.
        if rows != Settings.all.map(Self.row) { Issue.record("\(Settings.all.map(Self.row).joined(separator: "\n"))") }
    }

    @Test func everyKeyIsInTheTableOnce() {
        let names = Settings.all.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test func keysWithoutMeaningAreListed() throws {
        let document = try Self.document()
        for name in Settings.withoutMeaning { #expect(document.contains("`\(name)`")) }
    }

    private static func document() throws -> String {
        try String(contentsOf: Migrations.root.appending(path: "docs/configuration.md"), encoding: .utf8)
    }

    private static func row(_ setting: any DocumentedSetting) -> String {
        let defaultText = setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`"
        let cells = ["`\(setting.name)`", setting.type, defaultText, setting.isSecret ? "yes" : "", setting.meaning]
        return "| " + cells.joined(separator: " | ") + " |"
    }
}
