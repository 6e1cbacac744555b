# The environment of everything that runs, in one place. Source it; it starts nothing and makes nothing.
#
#   SHIKAKU_VAR        folder of all that a running system keeps (default var/ of the checkout)
#   SHIKAKU_PORT_BASE  first port; another base lets a second stack run beside the first (default 8400)
#   SHIKAKU_BIN        folder of the programs (default build/release/bin)
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

# Services with a schema, in the order of the flow. portal keeps nothing.
SHIKAKU_SCHEMAS=(vault intake residence intermediate records certificates legacy_sync staff audit)
SHIKAKU_SERVICES=(audit staff vault residence intermediate records certificates legacy_sync intake portal)

# PostgreSQL refuses to run as root, so root hands its folder to this account.
SHIKAKU_PG_USER=
[[ $EUID -ne 0 ]] || SHIKAKU_PG_USER=postgres
: "${SHIKAKU_PG_BIN:=/usr/lib/postgresql/15/bin}"

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
if [[ -z ${SHIKAKU_RUN:-} ]]; then
    if [[ -L $SHIKAKU_VAR/run ]]; then
        SHIKAKU_RUN=$(readlink "$SHIKAKU_VAR/run")
    else
        SHIKAKU_RUN=$SHIKAKU_VAR/run
    fi
fi
: "${SHIKAKU_KEYS:=$SHIKAKU_VAR/keys}"
: "${SHIKAKU_AUTHORITIES:=$SHIKAKU_VAR/authorities}"
: "${SHIKAKU_LOG:=$SHIKAKU_VAR/log}"
: "${SHIKAKU_WITNESS:=$SHIKAKU_VAR/witness/heads}"
: "${SHIKAKU_PKCS11_MODULE:=/usr/lib/softhsm/libsofthsm2.so}"
export SHIKAKU_RUN SHIKAKU_KEYS SHIKAKU_AUTHORITIES SHIKAKU_LOG SHIKAKU_WITNESS SHIKAKU_PKCS11_MODULE

# The connection string of a role: a service's name, `owner` (migrations only) or `postgres` (the cluster's own).
settings_dsn() {
    local user=shikaku_$1
    [[ $1 != postgres ]] || user=postgres
    printf 'host=%s/pg port=5432 dbname=%s user=%s passfile=%s/%s/db-password' \
        "$SHIKAKU_RUN" "${SHIKAKU_DATABASE_NAME:-shikaku}" "$user" "$SHIKAKU_KEYS" "$1"
}
