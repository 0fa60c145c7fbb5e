# shellcheck shell=bash
# The way `private`: a server of this clone's own. Read by scripts/postgres.

port=5432 # Only names the socket; nothing listens on TCP.
start_limit_seconds=60

# PostgreSQL does not run as root. Data that are there decide, so that they stay readable.
server_user() {
    local data=$1/data
    if [[ $(id -u) != 0 ]]; then
        id -un
    elif [[ -d $data ]]; then
        stat -c %U "$data"
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

as_server_user() {
    (
        cd /
        if [[ $(id -un) == "$user" ]]; then
            exec "$@"
        fi
        exec runuser -u "$user" -- "$@"
    )
}

# Makes the folder for data and log, and says whether the server could work in it.
make_home() {
    install -d -m 0700 "$1" 2>/dev/null || return 1
    if [[ $(id -u) == 0 ]]; then
        chown "$user" "$1" 2>/dev/null || return 1
    fi
    # The other user's shell is meant to expand this.
    # shellcheck disable=SC2016
    as_server_user sh -c 'cd "$1" && [ -w . ]' sh "$1" 2>/dev/null
}

# Below .flexi, or where the server's user can go when the clone lies in a closed place such as /root. Sets `place`: `inside`, which stays
# true when the clone is moved, or a path.
choose_place() {
    local cluster=$1
    place=inside
    user=$(server_user "$state/postgres/$cluster")
    if make_home "$state/postgres/$cluster"; then
        return
    fi
    rmdir "$state/postgres/$cluster" 2>/dev/null || true
    [[ $(id -u) == 0 ]] || fail "$state/postgres/$cluster belongs to somebody else"
    place=/var/lib/flexiserver/$(clone_id)/$cluster
    mkdir -p "$(dirname "$place")"
    chmod 0711 /var/lib/flexiserver "$(dirname "$place")"
    user=$(server_user "$place")
    make_home "$place" || fail "the user $user can work neither below $state nor below /var/lib/flexiserver"
}

# Sets home, user, data, log and sockets of the private cluster in `place`. A socket's path may have 107 bytes, so the folder for it has a
# short name of its own.
open_place() {
    local cluster=$1
    home=$place
    if [[ $place == inside ]]; then
        home=$state/postgres/$cluster
    fi
    user=$(server_user "$home")
    data=$(readlink -m "$home/data")
    log=$home/log
    sockets=/tmp/flexi-$(clone_id)-$cluster
}

# The folder in /tmp might have been made by somebody else.
make_socket_directory() {
    local uid
    uid=$(id -u "$user")
    if mkdir -m 0700 "$sockets" 2>/dev/null; then
        [[ $(id -u) != 0 ]] || chown "$user" "$sockets"
    fi
    [[ -d $sockets && ! -L $sockets && $(stat -c '%u %a' "$sockets") == "$uid 700" ]] ||
        fail "$sockets is not a folder of $user's own that is closed to others; remove it"
}

postmaster_pid() { head -n 1 "$data/postmaster.pid" 2>/dev/null; }

# A number in postmaster.pid may have passed to another process since; the working directory tells.
postmaster_is_alive() {
    local pid
    pid=$(postmaster_pid) && [[ -n $pid && $(readlink "/proc/$pid/cwd") == "$data" ]]
}

# PostgreSQL refuses to start while the number that a crash left in its lock file belongs to a living process. The file itself must stay: by
# its other lines PostgreSQL sees that orphaned backends still write.
release_stale_locks() {
    local pid ended
    rm -f "$sockets/.s.PGSQL.$port" "$sockets/.s.PGSQL.$port.lock"
    if pid=$(postmaster_pid) && [[ -n $pid && -d /proc/$pid ]]; then
        ended=$(sh -c 'echo $$')
        as_server_user sed -i "1s/.*/$ended/" "$data/postmaster.pid"
    fi
}

private_answers() { "$bin/pg_isready" -q -t 5 -h "$sockets" -p $port; }

make_cluster() {
    local output
    local -a options=(--auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8)
    if is_throwaway "$1"; then
        options+=(--no-sync)
    else
        options+=(--data-checksums)
    fi
    # Under another name first: a half-made cluster is not taken for a whole one.
    as_server_user rm -rf "$data.new"
    if ! output=$(as_server_user "$bin/initdb" "${options[@]}" -D "$data.new" 2>&1); then
        echo "$output" >&2
        fail "initdb failed"
    fi
    as_server_user mv "$data.new" "$data"
}

start_private() {
    local cluster=$1 deadline
    local settings="-p $port -c listen_addresses= -c unix_socket_directories=$sockets -c unix_socket_permissions=0700"
    if is_throwaway "$cluster"; then
        settings+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=1000"
    fi
    if ! postmaster_is_alive; then
        release_stale_locks
        deadline=$((SECONDS + 20))
        # After a crash the backends of before may need a moment to notice that they are orphans.
        until as_server_user "$bin/pg_ctl" -D "$data" -l "$log" -o "$settings" -w -t $start_limit_seconds start >/dev/null 2>&1; do
            if ((SECONDS >= deadline)) || ! tail -n 3 "$log" | grep -q 'in use'; then
                tail -n 20 "$log" >&2
                fail "the server did not start"
            fi
            sleep 0.5
        done
    fi
    deadline=$((SECONDS + start_limit_seconds))
    until private_answers; do
        ((SECONDS < deadline)) || fail "the server does not answer; its log is $log"
        sleep 0.1
    done
}

up_private() {
    local cluster=$1 wanted='' superuser
    if ! recorded "$cluster" || [[ $way != private || ($place != inside && ! -d $place/data) ]]; then
        choose_place "$cluster"
    fi
    open_place "$cluster"
    make_home "$home" || fail "$home belongs to somebody else"
    if [[ -e $data/PG_VERSION ]]; then
        wanted=$(cat "$data/PG_VERSION")
    fi
    bin=$(find_bin "$wanted")
    record "$cluster" private "$place"
    make_socket_directory
    if [[ -z $wanted ]]; then
        make_cluster "$cluster"
    fi
    start_private "$cluster"
    if ! is_throwaway "$cluster"; then
        echo "SELECT 'CREATE DATABASE flexi' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'flexi') \\gexec" |
            run_psql "$(private_url postgres superuser)" -q -v ON_ERROR_STOP=1
    fi
    superuser=$(private_url "$(database_of "$cluster")" superuser)
    make_roles "$superuser"
    say "a private PostgreSQL $(cat "$data/PG_VERSION") is up, data in $data"
}

down_private() {
    local cluster=$1 mode=fast
    open_place "$cluster"
    if postmaster_is_alive; then
        bin=$(find_bin "$(cat "$data/PG_VERSION")")
        ! is_throwaway "$cluster" || mode=immediate
        as_server_user "$bin/pg_ctl" -D "$data" -m $mode -w -t $start_limit_seconds stop >/dev/null
    fi
    rm -rf "$sockets"
    if is_throwaway "$cluster"; then
        rm -rf "$home"
        if [[ $place != inside ]]; then rmdir -p --ignore-fail-on-non-empty "$(dirname "$place")"; fi
    fi
}

is_up_private() {
    open_place "$1"
    [[ -e $data/PG_VERSION ]] || return 1
    bin=$(find_bin "$(cat "$data/PG_VERSION")")
    postmaster_is_alive && private_answers
}

private_url() { echo "postgresql:///$1?host=$sockets&port=$port&user=$(role_name "$2")"; }

url_private() {
    open_place "$1"
    private_url "$(database_of "$1")" "$2"
}
