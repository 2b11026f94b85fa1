#!/bin/bash
# Gathers one folder that runs wherever it is moved: bin, lib with run paths relative to itself, share/stylefinder with models, recipes and page.
#   tools/dist.sh OUT          after `make build web`
# Everything but glibc goes along, so it runs on any Linux whose glibc is not older than this machine's.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist}
program=.build/release/stylefinder
fail() { echo "dist: $1" >&2; exit 1; }
[ -x $program ] || fail "there is no $program; make it with: make build"
[ -f .build/page/index.html ] || fail "there is no page; make it with: make web"
[ "$(uname)" = Linux ] || fail "only Linux folders are made."
if ! command -v patchelf >/dev/null; then
    echo "dist: installing patchelf"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq patchelf >/dev/null; } || fail "patchelf is missing, which sets run paths: apt-get install patchelf"
fi

# Built beside its place: a folder that is in use or half made is never mixed with the new one.
new=$out.new
rm -rf "$new"
mkdir -p "$new/bin" "$new/lib" "$new/share/stylefinder"
cp $program "$new/bin/stylefinder"
strip --strip-unneeded "$new/bin/stylefinder"
ldd $program | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | while read -r library; do
    case $(basename "$library") in
        # glibc belongs to the system, as does the loader that goes with it.
        libc.so.6 | libm.so.6 | libdl.so.2 | librt.so.1 | libpthread.so.0 | libresolv.so.2 | ld-linux*) continue ;;
    esac
    cp -L "$library" "$new/lib/"
done
chmod u+w "$new"/lib/*
for library in "$new"/lib/*; do patchelf --set-rpath '$ORIGIN' "$library"; done
patchelf --set-rpath '$ORIGIN/../lib' "$new/bin/stylefinder"
cp -r Models Recipes "$new/share/stylefinder/"
cp -r .build/page "$new/share/stylefinder/page"
cp LICENSE NOTICE "$new/share/stylefinder/"
cp docs/stylefinder.service "$new/share/stylefinder/"

# The proof: from another directory, under another name, with an empty environment, nothing is found outside the folder.
proof=$(mktemp -d "$PWD/.dist.XXXXXX")
trap 'rm -rf "$proof"' EXIT
mv "$new" "$proof/moved"
(cd / && env -i "$proof/moved/bin/stylefinder" models list --json) | grep -q '"id"' || fail "the folder does not run after it was moved."
[ -f "$proof/moved/share/stylefinder/page/index.html" ] || fail "the folder has no page."
stray=$(env -i ldd "$proof/moved/bin/stylefinder" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' \
    | grep -v "^$(realpath "$proof")/" | grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv)\.so\.[0-9]+$' || true)
[ -z "$stray" ] || fail "these libraries are still found outside the folder: $stray"
rm -rf "$out"
mv "$proof/moved" "$out"
echo "dist: $out, $(du -sh "$out" | cut -f1); it runs from any directory, also after it is moved"
