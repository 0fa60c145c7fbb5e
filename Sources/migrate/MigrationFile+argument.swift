public import ArgumentParser
public import Migrator

/// `7` or `R__slug`.
extension MigrationFile.Identity: ExpressibleByArgument {}
