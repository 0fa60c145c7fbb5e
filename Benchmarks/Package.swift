// swift-tools-version:6.2
import PackageDescription

// The programs that `make bench` and `make soak` run. A package of its own, so that nobody who uses PGClient builds them.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "FlexiServer", path: ".."),
        // Command lines of the programs.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // PGClient takes a logger.
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "PGClientBench",
            dependencies: [
                .product(name: "PGClient", package: "FlexiServer"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        )
    ]
)

for target in package.targets {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
