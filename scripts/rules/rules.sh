# shellcheck shell=bash
# The rules of `make check`. Each is a function that is given the root of a tree and prints what breaks the rule, one finding a line, and
# nothing when all is well. scripts/tests/rules holds a violation of each. Read by scripts/check.

swift_text=$(dirname "${BASH_SOURCE[0]}")/swift-text

# Swift files below the folders that there are. The folders' own symbolic links are not followed.
swift_files() {
    local folder
    for folder in "$@"; do
        if [[ -d $folder ]]; then
            find "$folder" -name '.build*' -prune -o -type f -name '*.swift' -print
        fi
    done
}

# FILE:LINE:TEXT of code or strings, of the files named on standard input.
text_of() { xargs -r "$swift_text" "$1"; }

# Imports of a module in files that may not: those outside the folders that may, and those inside the exceptions.
imports_outside() { # MODULE-PATTERN ALLOWED-PATTERN [EXCEPTED-PATTERN]
    local module=$1 allowed=$2 excepted=${3:-nothing}
    local attributes='(@[A-Za-z_]+(\([^)]*\))?[[:space:]]+)*' access='((public|package|internal|fileprivate|private)[[:space:]]+)?'
    local kind='((struct|class|enum|protocol|typealias|func|let|var)[[:space:]]+)?'
    swift_files Sources Tests | text_of code |
        grep -E ":[0-9]+:[[:space:]]*$attributes${access}import[[:space:]]+$kind($module)([^A-Za-z0-9_]|$)" |
        awk -F: -v allowed="^($allowed)/" -v excepted="^($excepted)/" '$1 !~ allowed || $1 ~ excepted'
}

# Only PGClient and its tests import CLibPQ.
rule_libpq_only_in_pgclient() {
    cd "$1" && imports_outside 'CLibPQ' 'Sources/PGClient|Tests/PGClientTests'
}

# Only OpenSSLCrypto imports COpenSSL.
rule_openssl_only_in_opensslcrypto() {
    cd "$1" && imports_outside 'COpenSSL' 'Sources/OpenSSLCrypto'
}

# Only QRCode imports CQREncode and CPNG.
rule_qrencode_and_png_only_in_qrcode() {
    cd "$1" && imports_outside 'CQREncode|CPNG' 'Sources/QRCode'
}

# Only the gateways of FlexiServer import CCurl.
rule_curl_only_in_gateways() {
    cd "$1" && imports_outside 'CCurl' 'Sources/FlexiServer/Gateways'
}

# Only FlexiServer and its tests import Hummingbird, and its Domain does not.
rule_hummingbird_only_in_flexiserver() {
    cd "$1" && imports_outside 'Hummingbird[A-Za-z0-9]*' '(Sources/FlexiServer|Tests/FlexiServerTests)' 'Sources/FlexiServer/Domain'
}

# OpenSSLCrypto, DigestAuth, QRCode and FlexiServer/Domain know no database.
rule_no_database_in_leaf_modules() {
    cd "$1" && imports_outside 'PGClient' 'Sources/(PGClient|PGTesting|Migrator|migrate|FlexiServer)|Tests' 'Sources/FlexiServer/Domain'
}

# FlexiServer does not know Migrator: the server never changes the schema.
rule_migrator_not_in_flexiserver() {
    cd "$1" && imports_outside 'Migrator' 'Sources/(Migrator|migrate|PGTesting)|Tests'
}

# SQL stands in *Repository.swift, PGClient, PGTesting and Migrator.
rule_sql_only_in_repositories() {
    local name='[a-z_".]+' objects='TABLE|VIEW|INDEX|FUNCTION|SCHEMA|DATABASE|ROLE|TYPE|TRIGGER|EXTENSION|SEQUENCE'
    local upper="SELECT|INSERT +INTO|UPDATE +$name|DELETE +FROM|TRUNCATE|(CREATE|ALTER|DROP) +(([A-Z]+ +)*)($objects)|GRANT|REVOKE"
    upper+="|WHERE|(ORDER|GROUP) +BY|JOIN|RETURNING|ON +CONFLICT|VALUES|SAVEPOINT|ROLLBACK|LISTEN +$name|NOTIFY +$name"
    upper+="|SET +(LOCAL|SESSION|ROLE)|LOCK +TABLE|COPY +$name"
    local lower='select +([*]|[a-z_.]+ *(, *[a-z_.]+ *)+) +from +[a-z_]|insert +into +[a-z_.]+ *\(|delete +from +[a-z_.]+ +where|update +[a-z_.]+ +set +[a-z_]+ *=|(create|alter|drop) +table'
    cd "$1" && swift_files Sources |
        grep -Ev '^Sources/(PGClient|PGTesting|Migrator)/|Repository\.swift$' | text_of strings |
        grep -E ":[0-9]+:(.*[^A-Za-z_])?(($upper)([^A-Za-z_]|$)|$lower)"
}

# No print( in Sources: output goes to the log, or through the one writer of a command line.
rule_no_print() {
    cd "$1" && swift_files Sources | text_of code | grep -E ':[0-9]+:(.*[^A-Za-z0-9_.])?((Swift\.)?(print|debugPrint|dump)|NSLog)[[:space:]]*\('
}

# Every feature folder has a test file of its name.
rule_features_have_tests() {
    local folder noun
    cd "$1" || return
    for folder in Sources/FlexiServer/Features/*/; do
        [[ -d $folder ]] || continue
        noun=$(basename "$folder")
        [[ -e Tests/FlexiServerTests/Features/${noun}Tests.swift ]] || echo "$folder: no Tests/FlexiServerTests/Features/${noun}Tests.swift"
    done
}

# Migrations are NNNN_name.sql, numbered from 0001 without gap or double, or R__name.sql.
rule_migrations_are_numbered() {
    local file name expected=1
    cd "$1" || return
    for file in migrations/*; do
        name=$(basename "$file")
        if [[ $name =~ ^([0-9]{4})_[a-z0-9_]+\.sql$ ]]; then
            if ((10#${BASH_REMATCH[1]} != expected)); then
                printf '%s: %04d was expected\n' "$file" "$expected"
                expected=$((10#${BASH_REMATCH[1]}))
            fi
            expected=$((expected + 1))
        elif [[ ! $name =~ ^R__[a-z0-9_]+\.sql$ ]]; then
            echo "$file: neither NNNN_name.sql nor R__name.sql"
        fi
    done
}

# @unchecked Sendable and nonisolated(unsafe) say on their line or the line above what makes them true.
rule_unchecked_promises_have_reasons() {
    local file line text
    cd "$1" || return
    swift_files Sources Tests Benchmarks | text_of code | grep -E '@unchecked[[:space:]]+Sendable|nonisolated\(unsafe\)' |
        while IFS=: read -r file line _; do
            text=$(sed -n "$((line > 1 ? line - 1 : 1)),${line}p" "$file")
            if ! sed -n "${line}p" "$file" | grep -q '//' && ! head -n 1 <<<"$text" | grep -qE '^[[:space:]]*//'; then
                echo "$file:$line: $(sed -n "${line}p" "$file" | sed 's/^ *//')"
            fi
        done
}

# Tests are Swift Testing's: what runs them does not run XCTest.
rule_tests_use_swift_testing() {
    cd "$1" && imports_outside 'XCTest' 'nowhere'
}

# Neither build products nor a lock file nor a clone's own state are committed.
rule_nothing_built_is_tracked() {
    cd "$1" && [[ -e .git ]] || return 0
    git ls-files | grep -E '(^|/)(\.build[^/]*|\.flexi|__pycache__)/|(^|/)Package\.resolved$'
}

# swift format finds nothing.
rule_swift_is_formatted() {
    local path
    local -a paths=()
    cd "$1" || return
    for path in Package.swift Sources Tests Benchmarks Sanitize/Package.swift; do
        if [[ -n $(swift_files_or_file "$path") ]]; then paths+=("$path"); fi
    done
    if ((${#paths[@]})); then
        swift format lint --strict --parallel --recursive "${paths[@]}" 2>&1
    fi
}

swift_files_or_file() {
    if [[ -f $1 ]]; then echo "$1"; else swift_files "$1"; fi
}

# Shell scripts: executables with a bash line, and what they read.
shell_scripts() { grep -rlE '^#!/usr/bin/env bash' scripts .ci 2>/dev/null; }

# Shell scripts are well-formed.
rule_shell_scripts_parse() {
    local file
    cd "$1" || return
    { shell_scripts; find scripts -name '*.sh'; } | while read -r file; do
        bash -n "$file" 2>&1
    done
}

# The linter shellcheck finds nothing, where it is installed.
rule_shellcheck_is_content() {
    cd "$1" && command -v shellcheck >/dev/null || return 0
    shell_scripts | xargs -r shellcheck --external-sources --check-sourced --format gcc
}

# Compose accepts docker-compose.yml, where it is installed.
rule_compose_file_is_valid() {
    cd "$1" || return
    if docker compose version >/dev/null 2>&1; then
        docker compose config --quiet 2>&1
    elif command -v docker-compose >/dev/null; then
        docker-compose config --quiet 2>&1
    fi
}

# Every setting of docs/configuration.md can be given to the container, but for what create-admin is given by compose exec.
rule_compose_file_passes_every_setting() {
    local key keys
    cd "$1" && [[ -e docs/configuration.md ]] || return 0
    # shellcheck disable=SC2016
    keys=$(grep -oE '^\| *`[A-Z][A-Z0-9_]*`' docs/configuration.md | grep -oE '[A-Z][A-Z0-9_]*' | grep -vx FLEXI_ADMIN_PASSWORD)
    [[ -n $keys ]] || echo 'docs/configuration.md: no table of keys was found'
    for key in $keys; do
        grep -qE "^ +$key: " docker-compose.yml || echo "docker-compose.yml: $key of docs/configuration.md is missing"
    done
}
