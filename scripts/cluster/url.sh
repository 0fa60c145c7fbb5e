# shellcheck shell=bash
# The way `url`: a server that somebody else runs. Read by scripts/postgres.

up_url() {
    local may_make_roles
    may_make_roles=$(PGCONNECT_TIMEOUT=10 run_psql "$DATABASE_URL" -qAt \
        -c "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") ||
        fail "the server of DATABASE_URL does not answer"
    if [[ $may_make_roles == t ]]; then
        make_roles "$DATABASE_URL"
    fi
    record "$1" url -
    say "using DATABASE_URL"
}
