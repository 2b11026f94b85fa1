#!/bin/bash
# Type-checks the page and bundles it: build.sh OUT writes index.html, app.HASH.js, app.HASH.css, icon.svg and a .gz of each into OUT.
# The same sources give the same bytes. React, its types, tsc and esbuild come from Debian's packages or from `npm install` beside this file.
set -euo pipefail
if [ $# -ne 1 ]; then echo "web: usage: web/build.sh OUT (the folder to write)" >&2; exit 64; fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

modules=/usr/share/nodejs
types=$modules/@types
if [ -d node_modules/react ]; then
    modules=$PWD/node_modules types=$PWD/node_modules/@types
    PATH=$PWD/node_modules/.bin:$PATH
fi
missing=()
command -v tsc >/dev/null || missing+=(node-typescript)
command -v esbuild >/dev/null || missing+=(esbuild)
[ -d "$modules/react" ] && [ -d "$types/react" ] || missing+=(node-react)
[ -d "$modules/react-dom" ] && [ -d "$types/react-dom" ] || missing+=(node-react-dom)
if [ ${#missing[@]} -gt 0 ]; then
    echo "web: the page can't be built without ${missing[*]}: apt-get install ${missing[*]}, or npm install in web/." >&2
    exit 69
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Debian's types stand outside any node_modules folder: tsc is told where.
cat >"$work/tsconfig.json" <<CONFIG
{
  "extends": "$PWD/tsconfig.json",
  "compilerOptions": {
    "baseUrl": "$types",
    "typeRoots": ["$types"],
    "paths": { "*": ["$types/*", "$modules/*", "$modules/@types/*"] }
  },
  "include": ["$PWD/src"]
}
CONFIG
tsc --project "$work/tsconfig.json"

NODE_PATH=$modules esbuild src/main.tsx src/app.css --bundle --minify --jsx=automatic --target=es2020 --charset=utf8 \
    --define:process.env.NODE_ENV='"production"' --legal-comments=none --entry-names=app.[hash] --outdir="$work/out" --log-level=warning
script=$(basename "$work"/out/app.*.js)
sheet=$(basename "$work"/out/app.*.css)
sed -e "s/{{script}}/$script/" -e "s/{{sheet}}/$sheet/" src/index.html >"$work/out/index.html"
cp src/icon.svg "$work/out/"
for file in "$work"/out/*; do gzip -n -9 -k "$file"; done

# What an earlier build left under other hashes would never be asked for again.
rm -f "$out"/app[.-]*.{js,css}{,.gz}
cp "$work"/out/* "$out/"
echo "web: $(cd "$out" && wc -c <"$script") bytes of script, $(wc -c <"$out/$script.gz") gzipped; styles $(wc -c <"$out/$sheet.gz") gzipped"
