# shellcheck shell=bash
# Runs the functions of a test script whose names begin with test_, each in a folder of its own that is removed afterwards, a few at a time.
# A test fails by `fail`, or by a command that fails. Read by the scripts beside it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
tests_at_a_time=4

fail() {
    echo "$*" >&2
    exit 1
}

expect_equal() { # WHAT ACTUAL EXPECTED
    [[ $2 == "$3" ]] || fail "$1: expected \"$3\", got \"$2\""
}

expect_match() { # WHAT ACTUAL PATTERN
    [[ $2 =~ $3 ]] || fail "$1: expected something like \"$3\", got \"$2\""
}

# Replaced where a test leaves something behind that is not in its folder.
clean_up() { :; }

clean_up_after() { # STATUS
    set +e
    clean_up >/dev/null 2>&1
    exit "$1"
}

run_test() { # NAME FOLDER
    (
        set -euo pipefail
        cd "$2"
        trap 'clean_up_after $?' EXIT
        "$1"
    ) >"$2.output" 2>&1
    echo $? >"$2.status"
}

run_tests() {
    local name scratch failed=0
    local suite=${0##*/}
    local -a names
    mapfile -t names < <(compgen -A function test_)
    scratch=$(mktemp -d)
    set +e
    for name in "${names[@]}"; do
        while (($(jobs -rp | wc -l) >= tests_at_a_time)); do wait -n; done
        mkdir "$scratch/$name"
        run_test "$name" "$scratch/$name" &
    done
    wait
    for name in "${names[@]}"; do
        if [[ $(cat "$scratch/$name.status") != 0 ]]; then
            echo "$suite: $name failed"
            sed 's/^/    /' "$scratch/$name.output"
            failed=$((failed + 1))
        fi
    done
    rm -rf "$scratch"
    echo "$suite: ${#names[@]} tests, $failed failed"
    ((failed == 0))
}
