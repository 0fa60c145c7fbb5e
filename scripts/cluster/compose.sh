# shellcheck shell=bash
# The way `compose`: the service postgres of docker-compose.yml. Read by scripts/postgres.

compose_limit_seconds=180

# Sets `compose` to the command at hand: version 2, else version 1.
find_compose() {
    compose=()
    if docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose=(docker-compose)
    fi
    ((${#compose[@]} > 0))
}

engine_answers() {
    find_compose && (cd "$root" && timeout 15 "${compose[@]}" ps -q) >/dev/null 2>&1 </dev/null
}

run_compose() {
    local cluster=$1
    shift
    [[ -v compose ]] || find_compose || fail "neither docker compose nor docker-compose is there"
    (
        cd "$root"
        if [[ $cluster != run ]]; then
            COMPOSE_PROJECT_NAME=flexi-$(clone_id)-$cluster
            export COMPOSE_PROJECT_NAME
        fi
        if is_throwaway "$cluster"; then
            export COMPOSE_FILE=${COMPOSE_FILE:-docker-compose.yml}:scripts/docker-compose.test.yml
        fi
        "${compose[@]}" "$@" </dev/null
    )
}

up_compose() {
    local cluster=$1 superuser
    local -a options=(-d)
    find_compose || fail "neither docker compose nor docker-compose is there"
    record "$cluster" compose -
    if [[ ${compose[*]} == "docker compose" ]]; then options+=(--wait); fi
    run_compose "$cluster" up "${options[@]}" postgres >&2 ||
        fail "${compose[*]} could not start the service postgres; FLEXI_POSTGRES=private does without containers"
    if [[ ${compose[*]} == docker-compose ]]; then
        await_compose_health "$cluster"
    fi
    superuser=$(url_compose "$cluster" superuser)
    make_roles "$superuser"
    say "the service postgres of docker-compose.yml is up"
}

# Version 1 of compose cannot wait.
await_compose_health() {
    local cluster=$1 deadline=$((SECONDS + compose_limit_seconds)) line
    while ((SECONDS < deadline)); do
        line=$(run_compose "$cluster" ps postgres 2>/dev/null || true)
        case $line in
            *'(healthy)'*) return ;;
            *'(unhealthy)'* | *Exit*) break ;;
        esac
        sleep 0.5
    done
    run_compose "$cluster" logs --tail=20 postgres >&2 || true
    fail "the service postgres did not become healthy"
}

down_compose() {
    if is_throwaway "$1"; then
        run_compose "$1" down -v --remove-orphans >&2
    else
        run_compose "$1" stop postgres >&2
    fi
}

is_up_compose() { [[ $(run_compose "$1" ps postgres 2>/dev/null) == *'(healthy)'* ]]; }

url_compose() {
    local cluster=$1 role=$2 variable address password
    case $role in
        superuser) variable=POSTGRES_PASSWORD ;;
        *) variable=${role^^}_PASSWORD ;;
    esac
    address=$(run_compose "$cluster" port postgres 5432 2>/dev/null) || fail "the service postgres is not up"
    password=$(run_compose "$cluster" exec -T postgres printenv "$variable" | tr -d '\r\n')
    echo "postgresql://$(role_name "$role"):$(percent_encoded "$password")@127.0.0.1:${address##*:}/$(database_of "$cluster")"
}
