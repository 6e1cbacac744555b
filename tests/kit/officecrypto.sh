#!/bin/sh
# Run tests/kit/officecrypto.js with npm's officecrypto-tool and SheetJS, put into a folder of their own at first use.
set -eu
home=${SHIKAKU_NPM:-/tmp/shikaku-officecrypto}
if [ ! -d "$home/node_modules/officecrypto-tool" ] || [ ! -d "$home/node_modules/xlsx" ]; then
    command -v npm >/dev/null || { echo "officecrypto: npm is missing; install the packages nodejs and npm" >&2; exit 1; }
    mkdir -p "$home"
    npm install --silent --no-save --no-audit --no-fund --prefix "$home" officecrypto-tool@0.0.19 xlsx@0.18.5 >&2
fi
NODE_PATH="$home/node_modules" exec node "$(dirname "$0")/officecrypto.js" "$@"
