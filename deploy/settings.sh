# The environment of everything that runs, in one place. Source it; it starts nothing and makes nothing.
#
#   SHIKAKU_VAR        folder of all that a running system keeps (default var/ of the checkout)
#   SHIKAKU_PORT_BASE  first port; another base lets a second stack run beside the first (default 8400)
#   SHIKAKU_BIN        folder of the programs (default build/release/bin)
#   SHIKAKU_OWN_CLUSTERS   services whose schema lies in a PostgreSQL cluster of its own, e.g. 'vault' (default: none)
#   SHIKAKU_BACKUP_REPOS   folders of the backups, with : between; each has everything (default var/backup)
#   SHIKAKU_BACKUP_KEEP    full backups that are kept in each (default 2)
#   SHIKAKU_VAULT_DSN …    a service's connection string, where its database is not one of ours
#
# Everything below can be set from outside as well; what is set is left as it is.
# shellcheck shell=bash

SHIKAKU_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
: "${SHIKAKU_VAR:=$SHIKAKU_ROOT/var}"
[[ $SHIKAKU_VAR == /* ]] || SHIKAKU_VAR=$PWD/$SHIKAKU_VAR
: "${SHIKAKU_PORT_BASE:=8400}"
: "${SHIKAKU_BIN:=$SHIKAKU_ROOT/build/release/bin}"
[[ $SHIKAKU_BIN == /* ]] || SHIKAKU_BIN=$PWD/$SHIKAKU_BIN
export SHIKAKU_ROOT SHIKAKU_VAR SHIKAKU_PORT_BASE SHIKAKU_BIN

# What was derived for another stack and inherited from it must not be mixed with this one.
if [[ -n ${SHIKAKU_DERIVED_FOR:-} && $SHIKAKU_DERIVED_FOR != "$SHIKAKU_VAR $SHIKAKU_PORT_BASE" ]]; then
    unset SHIKAKU_RUN SHIKAKU_BUS SHIKAKU_KEYS SHIKAKU_AUTHORITIES SHIKAKU_LOG SHIKAKU_WITNESS SHIKAKU_PORTAL_SOCKET \
        SHIKAKU_JPKI_ROOTS SHIKAKU_CARD_ROOTS SHIKAKU_EXPORT_DIR SHIKAKU_HTTPS_PORT SHIKAKU_DSN SHIKAKU_ADMIN_PORT \
        SHIKAKU_BACKUP_REPOS
    for derived in "${!SHIKAKU_@}"; do
        [[ $derived != *_URL ]] || unset "$derived"
    done
fi
export SHIKAKU_DERIVED_FOR="$SHIKAKU_VAR $SHIKAKU_PORT_BASE"

# Services with a schema, in the order of the flow. portal keeps nothing.
SHIKAKU_SCHEMAS=(vault intake residence intermediate records certificates legacy_sync staff audit)
SHIKAKU_SERVICES=(audit staff vault residence intermediate records certificates legacy_sync intake portal)

# The PostgreSQL clusters: `main`, and those of single services. A cluster lies in var/PLACE, its socket in run/PLACE.
: "${SHIKAKU_OWN_CLUSTERS:=}"
export SHIKAKU_OWN_CLUSTERS
read -ra SHIKAKU_CLUSTERS <<<"main $SHIKAKU_OWN_CLUSTERS"
for cluster in "${SHIKAKU_CLUSTERS[@]:1}"; do
    [[ " ${SHIKAKU_SCHEMAS[*]} " == *" $cluster "* ]] || {
        echo "SHIKAKU_OWN_CLUSTERS: $cluster is no service with a schema" >&2
        exit 64
    }
done
settings_cluster() {
    [[ " ${SHIKAKU_CLUSTERS[*]:1} " == *" $1 "* ]] && printf '%s' "$1" || printf main
}
settings_place() {
    [[ $1 == main ]] && printf pg || printf 'pg-%s' "$1"
}
# The key folder of a cluster's own roles: `owner` and `postgres` of main, `owner-vault` and `postgres-vault` of vault.
settings_role_keys() {
    [[ $2 == main ]] && printf '%s/%s' "$SHIKAKU_KEYS" "$1" || printf '%s/%s-%s' "$SHIKAKU_KEYS" "$1" "$2"
}

# PostgreSQL refuses to run as root, so root hands its folder to this account.
SHIKAKU_PG_USER=
[[ $EUID -ne 0 ]] || SHIKAKU_PG_USER=postgres
: "${SHIKAKU_PG_BIN:=/usr/lib/postgresql/15/bin}"

# Run a command as the account that owns the clusters, in a folder it can stand in.
settings_as_pg_user() {
    if [[ -n $SHIKAKU_PG_USER ]]; then
        (cd / && exec 9>&- && exec setpriv --reuid="$SHIKAKU_PG_USER" --regid="$SHIKAKU_PG_USER" --init-groups \
            env -i PATH=/usr/bin:/bin LC_ALL=C "$@")
    else
        (cd / && exec 9>&- && exec env -i PATH=/usr/bin:/bin LC_ALL=C "$@")
    fi
}

# A socket's path ends at 107 bytes, and the database's account must reach it. A checkout in a long or closed folder
# keeps its sockets under /run, XDG_RUNTIME_DIR or /tmp, and var/run is then a link to that place.
settings_short_place() {
    local sum
    sum=$(printf '%s' "$SHIKAKU_VAR" | sha256sum)
    if [[ $EUID -eq 0 && -d /run ]]; then
        printf '/run/shikaku-%s' "${sum:0:12}"
    else
        printf '%s/shikaku-%s' "${XDG_RUNTIME_DIR:-/tmp}" "${sum:0:12}"
    fi
}
settings_run_find() {
    SHIKAKU_RUN=$SHIKAKU_VAR/run
    [[ ! -L $SHIKAKU_RUN ]] || SHIKAKU_RUN=$(readlink "$SHIKAKU_RUN")
    export SHIKAKU_RUN SHIKAKU_BUS=$SHIKAKU_RUN
}
[[ -n ${SHIKAKU_RUN:-} ]] || settings_run_find
: "${SHIKAKU_BUS:=$SHIKAKU_RUN}"
: "${SHIKAKU_KEYS:=$SHIKAKU_VAR/keys}"
: "${SHIKAKU_AUTHORITIES:=$SHIKAKU_VAR/authorities}"
: "${SHIKAKU_LOG:=$SHIKAKU_VAR/log}"
: "${SHIKAKU_WITNESS:=$SHIKAKU_VAR/witness/heads}"
: "${SHIKAKU_PROGRAMMES:=$SHIKAKU_ROOT/deploy/programmes}"
: "${SHIKAKU_RIGHTS:=$SHIKAKU_ROOT/deploy/rights/roles.json}"
: "${SHIKAKU_ANALYSES:=$SHIKAKU_ROOT/deploy/analyses}"
: "${SHIKAKU_KNOWN_PASSWORDS:=$SHIKAKU_ROOT/deploy/known-passwords.txt}"
: "${SHIKAKU_PKCS11_MODULE:=/usr/lib/softhsm/libsofthsm2.so}"
export SHIKAKU_RUN SHIKAKU_BUS SHIKAKU_KEYS SHIKAKU_AUTHORITIES SHIKAKU_LOG SHIKAKU_WITNESS
: "${SHIKAKU_JPKI_ROOTS:=$SHIKAKU_KEYS/jpki-roots}"
: "${SHIKAKU_CARD_ROOTS:=$SHIKAKU_KEYS/card-roots}"
: "${SHIKAKU_EXPORT_DIR:=$SHIKAKU_VAR/export}"
: "${SHIKAKU_BACKUP_REPOS:=$SHIKAKU_VAR/backup}"
: "${SHIKAKU_BACKUP_KEEP:=2}"
export SHIKAKU_BACKUP_REPOS SHIKAKU_BACKUP_KEEP
export SHIKAKU_JPKI_ROOTS SHIKAKU_CARD_ROOTS SHIKAKU_EXPORT_DIR
export SHIKAKU_PROGRAMMES SHIKAKU_RIGHTS SHIKAKU_ANALYSES SHIKAKU_KNOWN_PASSWORDS SHIKAKU_PKCS11_MODULE

# Here all services run as one user, on whatever kernel there is: the walls of the vault's process that a machine may lack
# are tried, and the journal says which are missing. Where a real number lies: required (services/vault/README.md).
: "${SHIKAKU_VAULT_SANDBOX:=required,-user,-memory,-files}"
export SHIKAKU_VAULT_SANDBOX

# Ports, all on 127.0.0.1: +1… admin ports, +21… stand-ins, +43 the front door (8443).
declare -A SHIKAKU_PORTS=([haproxy]=$((SHIKAKU_PORT_BASE + 43)))
SHIKAKU_DOUBLES=(double-juki double-ipn double-moj double-payment double-mynaportal double-jpki double-kaigi
    double-hoikushi double-ginou)
settings_ports() {
    local i
    for i in "${!SHIKAKU_SERVICES[@]}"; do
        SHIKAKU_PORTS[${SHIKAKU_SERVICES[i]}]=$((SHIKAKU_PORT_BASE + 1 + i))
    done
    for i in "${!SHIKAKU_DOUBLES[@]}"; do
        SHIKAKU_PORTS[${SHIKAKU_DOUBLES[i]}]=$((SHIKAKU_PORT_BASE + 21 + i))
    done
}
settings_ports

# The outside systems; here their stand-ins.
settings_urls() {
    local double name
    for double in "${SHIKAKU_DOUBLES[@]}"; do
        name=SHIKAKU_${double#double-}_URL
        name=${name^^}
        [[ -n ${!name:-} ]] || printf -v "$name" 'http://127.0.0.1:%d' "${SHIKAKU_PORTS[$double]}"
        export "${name?}"
    done
}
settings_urls
: "${SHIKAKU_NETWORK_URL:=$SHIKAKU_IPN_URL}"
: "${SHIKAKU_NOTICE_URL:=$SHIKAKU_MYNAPORTAL_URL}"
: "${SHIKAKU_CRL_URL:=$SHIKAKU_JPKI_URL}"
export SHIKAKU_NETWORK_URL SHIKAKU_NOTICE_URL SHIKAKU_CRL_URL
: "${SHIKAKU_HTTPS_PORT:=${SHIKAKU_PORTS[haproxy]}}"
: "${SHIKAKU_HTTPS_ADDRESS:=127.0.0.1}"
: "${SHIKAKU_PUBLIC_URL:=https://localhost:$SHIKAKU_HTTPS_PORT}"
: "${SHIKAKU_PORTAL_SOCKET:=$SHIKAKU_RUN/portal.http}"
export SHIKAKU_HTTPS_PORT SHIKAKU_HTTPS_ADDRESS SHIKAKU_PUBLIC_URL SHIKAKU_PORTAL_SOCKET

# What differs from service to service.
settings_of() {
    export SHIKAKU_ADMIN_PORT=${SHIKAKU_PORTS[$1]:-0}
    local given=SHIKAKU_${1^^}_DSN
    SHIKAKU_DSN=${!given:-$(settings_dsn "$1")}
    [[ $1 != portal ]] || SHIKAKU_DSN=
    export SHIKAKU_DSN
}

# Where a cluster listens: on its socket here, or, run by others, on the host SHIKAKU_PGHOST (main), SHIKAKU_PGHOST_VAULT …; over
# a network always verified, by the stack's own authority or SHIKAKU_PGCA, SHIKAKU_PGCA_VAULT ….
settings_pghost() {
    local given=SHIKAKU_PGHOST_${1^^}
    [[ $1 != main ]] || given=SHIKAKU_PGHOST
    printf '%s' "${!given:-$SHIKAKU_RUN/$(settings_place "$1")}"
}
settings_pgca() {
    local given=SHIKAKU_PGCA_${1^^}
    [[ $1 != main ]] || given=SHIKAKU_PGCA
    printf '%s' "${!given:-$SHIKAKU_KEYS/peers/bus-ca.pem}"
}

# The connection string of a role: a service's name, `owner` (migrations only) or `postgres` (the cluster's own). These two
# are of the cluster that is named second, else of `main`.
settings_dsn() {
    local user=shikaku_$1 cluster keys=$SHIKAKU_KEYS/$1
    cluster=$(settings_cluster "$1")
    if [[ $1 == owner || $1 == postgres ]]; then
        cluster=${2:-main}
        keys=$(settings_role_keys "$1" "$cluster")
    fi
    [[ $1 != postgres ]] || user=postgres
    local host verified=
    host=$(settings_pghost "$cluster")
    [[ $host == /* ]] || verified=" sslmode=verify-full sslrootcert=$(settings_pgca "$cluster")"
    printf 'host=%s port=5432 dbname=%s user=%s passfile=%s/db-password%s' \
        "$host" "${SHIKAKU_DATABASE_NAME:-shikaku}" "$user" "$keys" "$verified"
}
