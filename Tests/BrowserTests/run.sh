#!/bin/bash
# The browser tests twice: against the stand-in, which shows every trouble, and against the real server with a small drawn boutique, at the root,
# under a base path, and with a copy of the catalogue that its keeper changes; then requests made from the API's own description, right ones and
# wrong ones, those that change something to the copy alone. Needs a release build and the built page (`make build web`).
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/bootstrap.sh "${TORCH_VERSION:-2.13.0}" browser
place=$PWD/.deps/browser
stamp=$place/installed-$(cksum <Tests/BrowserTests/requirements.txt | cut -d' ' -f1)
if [ ! -e "$stamp" ]; then
    echo "browser: installing Playwright and pytest"
    [ -x "$place/bin/pip" ] || { rm -rf "$place"; python3 -m venv "$place"; }
    "$place/bin/pip" install --quiet --disable-pip-version-check -r Tests/BrowserTests/requirements.txt
    touch "$stamp"
fi
export STYLEFINDER_PAGE=$PWD/.build/page
pytest=("$place/bin/python" -m pytest -q -p no:cacheprovider)
(cd Tests/BrowserTests && "${pytest[@]}")

work=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill -TERM "$server" 2>/dev/null && wait "$server" || true; done
    rm -rf "$work"
}
trap finish EXIT
# Prints the address once the server is ready; ends if the server does.
address() {
    while kill -0 "$1" 2>/dev/null; do
        found=$(sed -n 's/^Open \(http[^ ]*\) in a browser.*/\1/p' "$2")
        if [ -n "$found" ]; then echo "$found"; return; fi
        sleep 0.2
    done
    cat "$2" >&2
    echo "browser: the server has ended" >&2
    return 1
}
.build/release/stylefinder demo --port 0 --folder "$work/demo" --garments 40 2>"$work/server.log" &
servers+=($!)
STYLEFINDER_URL=$(address $! "$work/server.log")
# The port of a shop whose pages may call the second server: any free one.
STYLEFINDER_SHOP_PORT=$("$place/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
.build/release/stylefinder serve --port 0 --catalog "$work/demo/boutique.db" --base-path /finder \
    --allow-origin "http://127.0.0.1:$STYLEFINDER_SHOP_PORT" 2>"$work/based.log" &
servers+=($!)
STYLEFINDER_BASED_URL=$(address $! "$work/based.log")
# The boutique's pictures are its folder's: a server deletes and replaces only what was sent to it.
"$place/bin/python" -c 'import sqlite3, sys; source, copy = map(sqlite3.connect, sys.argv[1:]); source.backup(copy)' "$work/demo/boutique.db" "$work/managed.db"
STYLEFINDER_MANAGED_TOKEN=$("$place/bin/python" -c 'import secrets; print(secrets.token_hex(32))')
(umask 077 && echo "$STYLEFINDER_MANAGED_TOKEN" >"$work/admin.token")
.build/release/stylefinder serve --port 0 --catalog "$work/managed.db" --model small-efficientnet --admin-token-file "$work/admin.token" 2>"$work/managed.log" &
servers+=($!)
STYLEFINDER_MANAGED_URL=$(address $! "$work/managed.log")
export STYLEFINDER_URL STYLEFINDER_BASED_URL STYLEFINDER_SHOP_PORT STYLEFINDER_MANAGED_URL STYLEFINDER_MANAGED_TOKEN
(cd Tests/BrowserTests && "${pytest[@]}")
# No status that is not described, no body of another form, no error of the server's own. Left out are the checks that would have every described
# filter name a key of this catalogue, and every number refused that comes as a text.
settings=$PWD/Tests/BrowserTests/schemathesis.toml
# made URL PHASES OPTION…
made() {
    (cd "$work" && "$place/bin/schemathesis" --config-file "$settings" run "${1}openapi.json" --phases "$2" --max-time 60 --seed 1 --request-timeout 30 \
        --exclude-checks positive_data_acceptance,negative_data_rejection "${@:3}")
}
made "$STYLEFINDER_URL" examples,coverage,fuzzing --max-examples 40
# What takes the admin token, with it; also one call after another, as what is deleted must be gone. Last of all: the copy is not what it was.
changes=()
for operation in putProduct deleteProduct addImage replaceImage deleteImage putModel deleteModel duplicates; do changes+=(--include-operation-id "$operation"); done
made "$STYLEFINDER_MANAGED_URL" coverage,fuzzing,stateful --max-examples 20 -H "Authorization: Bearer $STYLEFINDER_MANAGED_TOKEN" "${changes[@]}"
