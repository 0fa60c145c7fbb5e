import ArgumentParser

/// `NAME=VALUE`.
struct SettingArgument: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        guard let match = argument.wholeMatch(of: #/(?<name>[A-Za-z_][A-Za-z0-9_]*)=(?<value>(?s:.*))/#) else {
            return nil
        }
        self.name = String(match.name)
        self.value = String(match.value)
    }
}
