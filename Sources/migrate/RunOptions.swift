import ArgumentParser
import Migrator

/// How files are applied and undone.
struct RunOptions: ParsableArguments {
    @OptionGroup var settings: SettingOptions
    @OptionGroup var patience: PatienceOptions

    var options: MigratorOptions { self.patience.applied(to: self.settings.options) }
}

/// How long to wait for others.
struct PatienceOptions: ParsableArguments {
    @Option(help: "How long to wait for another run, and for tables that are locked (500ms, 30s, 5m).")
    var lockWait = WaitingTime(MigratorOptions().lockWait)

    @Option(
        help: """
            The most that a statement queues for a lock before its file is rolled back and tried again; the first attempts queue for \
            100ms. Others who come after it wait as long.
            """)
    var lockTimeout = WaitingTime(MigratorOptions().lockTimeout)

    @Option(
        help: """
            How long the building of an index waits for transactions that are older than it; nobody waits behind it meanwhile.
            """)
    var snapshotWait = WaitingTime(MigratorOptions().snapshotWait)

    func applied(to options: MigratorOptions) -> MigratorOptions {
        var options = options
        options.lockWait = self.lockWait.duration
        options.lockTimeout = self.lockTimeout.duration
        options.snapshotWait = self.snapshotWait.duration
        return options
    }
}

/// What files are told.
struct SettingOptions: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help:
            "NAME=VALUE, which migrations read as current_setting('migrate.NAME', true). Recorded, and no part of a file's hash."
    )
    var settings: [SettingArgument] = []

    var options: MigratorOptions {
        var options = MigratorOptions()
        options.settings = Dictionary(self.settings.map { ($0.name, $0.value) }) { _, last in last }
        return options
    }
}
