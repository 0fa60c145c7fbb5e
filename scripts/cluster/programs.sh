# shellcheck shell=bash
# PostgreSQL's programs. Read by scripts/postgres.

# Every folder that has a server in it: PATH's first, then distributions' versioned folders, newest first.
bin_directories() {
    local directory
    local -a directories
    IFS=: read -ra directories <<<"$PATH"
    for directory in "${directories[@]}"; do
        if [[ -x $directory/initdb ]]; then dirname "$(readlink -f "$directory/initdb")"; fi
    done
    for directory in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        if [[ -x $directory/initdb ]]; then echo "$directory"; fi
    done | sort -rV
}

major_version() { "$1/postgres" --version | grep -oE '[0-9]+' | head -n 1; }

# The programs to use, of the version that made the data where there are some.
find_bin() {
    local wanted=${1:-} directory
    while read -r directory; do
        [[ -x $directory/pg_ctl && -x $directory/postgres ]] || continue
        if [[ -z $wanted || $(major_version "$directory") == "$wanted" ]]; then
            echo "$directory"
            return
        fi
    done < <(bin_directories)
    if [[ -n $wanted ]]; then
        fail "the data were made by PostgreSQL $wanted, which is not installed any more"
    fi
    fail "PostgreSQL's server is not installed; scripts/setup installs it"
}

find_psql() {
    command -v psql || {
        local bin
        bin=$(find_bin) && echo "$bin/psql"
    }
}

percent_encoded() {
    local LC_ALL=C text=$1 i character
    for ((i = 0; i < ${#text}; i++)); do
        character=${text:i:1}
        case $character in
            [a-zA-Z0-9._~-]) printf '%s' "$character" ;;
            *) printf '%%%02X' "'$character" ;;
        esac
    done
}

percent_decoded() {
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}

# psql on a URL, whose password does not show in the list of processes.
run_psql() {
    local url=$1 psql
    shift
    psql=$(find_psql)
    if [[ $url =~ ^(postgres(ql)?://[^:/@]*):([^@/]*)@(.*)$ ]]; then
        PGPASSWORD=$(percent_decoded "${BASH_REMATCH[3]}") "$psql" -X -d "${BASH_REMATCH[1]}@${BASH_REMATCH[4]}" "$@"
    else
        "$psql" -X -d "$url" "$@"
    fi
}

make_roles() {
    run_psql "$1" -q -v ON_ERROR_STOP=1 \
        -v owner_role="$(role_name owner)" -v app_role="$(role_name app)" -v sip_role="$(role_name sip)" \
        -f "$root/scripts/roles.sql"
}
