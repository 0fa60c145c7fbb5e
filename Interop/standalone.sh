#!/usr/bin/env bash
# Builds the program that PGClient's documentation shows, in a package of its own, and runs it against the server of the PG* variables.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
package=$root/.flexi/interop-standalone

mkdir -p "$package/Sources/Notes"
cat >"$package/Package.swift" <<END
// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "Notes",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "FlexiServer", path: "$root"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "Notes",
            dependencies: [
                .product(name: "PGClient", package: "FlexiServer"), .product(name: "Logging", package: "swift-log"),
            ])
    ]
)
END
# The block of the page that has @main in it.
awk '/^```swift/ { inside = 1; block = ""; next }
    /^```/ { if (inside && block ~ /@main/) printf "%s", block; inside = 0 }
    inside { block = block $0 "\n" }' "$root/Sources/PGClient/PGClient.docc/PGClient.md" >"$package/Sources/Notes/Notes.swift"

swift build --package-path "$package" --product Notes
notes=$(swift build --package-path "$package" --show-bin-path)/Notes
"$notes" buy milk
output=$("$notes" "it's raining")
expected=$'kept, as note 2\n2: it\'s raining\n1: buy milk'
[[ $output == "$expected" ]] || {
    echo "interop: the program of the documentation printed: $output" >&2
    exit 1
}
echo "interop: the program of the documentation runs ($(wc -l <"$package/Sources/Notes/Notes.swift") lines)"
