#!/bin/bash
# Feeds the readers of tensor files with broken files, guided by what they reach (libFuzzer, with address checks), each for some minutes.
#
#     tools/fuzz/run.sh [MINUTES] [READER ...]      readers: safetensors index zip pickle; all of them for 10 minutes where nothing is said
#
# It begins with the fixtures of the tests and keeps nothing but what it found wrong, in .build/fuzz/. Ends with 1 if it found something.
set -euo pipefail
cd "$(dirname "$0")/../.."
minutes=${1:-10}
shift || true
[ "$minutes" -gt 0 ] || { echo "MINUTES is $minutes, expected one or more" >&2; exit 64; }
readers=("$@")
[ ${#readers[@]} -gt 0 ] || readers=(safetensors index zip pickle)
place=.build/fuzz
mkdir -p $place
echo "compiling ..."
swiftc -O -swift-version 6 -parse-as-library -sanitize=fuzzer,address -module-name Fuzz -package-name StyleFinder \
    $(find Sources/TensorFiles -name '*.swift') tools/fuzz/Fuzz.swift -o $place/fuzzer > $place/compile.log 2>&1 \
    || { cat $place/compile.log; exit 1; }
fixtures=Tests/TensorFilesTests/Fixtures
work=$(mktemp -d)
trap 'rm -rf "$work" /dev/shm/stylefinder-fuzz-*' EXIT

# The files that a reader begins with.
seed() {
    local checkpoints
    checkpoints=$(find $fixtures \( -name '*.pt' -o -name '*.pth' -o -name '*.bin' \) -size -256k)
    case $1 in
        safetensors) find $fixtures Tests/CLIPTests/Fixtures/formats -name '*.safetensors' -size -64k -exec cp --backup=numbered {} "$2" \; ;;
        index) find Tests -name '*.index.json' -exec cp --backup=numbered {} "$2" \; ;;
        zip) cp $checkpoints "$2" ;;
        pickle) for file in $checkpoints; do unzip -p "$file" '*/data.pkl' > "$2/$(basename "$file")" 2>/dev/null || rm "$2/$(basename "$file")"; done ;;
        *) echo "readers are safetensors, index, zip and pickle, found $1" >&2; exit 64 ;;
    esac
    [ -n "$(ls "$2")" ] || { echo "$1 has no file to begin with" >&2; exit 70; }
}

for reader in "${readers[@]}"; do
    mkdir -p $place/$reader "$work/$reader"
    seed $reader "$work/$reader"
    echo "$reader: $(ls "$work/$reader" | wc -l) files to begin with, $minutes minutes"
done
# Side by side: each takes one core and waits for nothing.
declare -A running
for reader in "${readers[@]}"; do
    READER=$reader $place/fuzzer -max_total_time=$((60 * minutes)) -timeout=20 -rss_limit_mb=1500 -malloc_limit_mb=600 -max_len=300000 \
        -artifact_prefix=$place/$reader/ -print_final_stats=1 "$work/$reader" 2> $place/$reader.log &
    running[$reader]=$!
done
found=0
number() { grep -oE "$1: *[0-9]+" $place/$reader.log | grep -oE '[0-9]+$'; }
for reader in "${readers[@]}"; do
    if wait ${running[$reader]}; then
        echo "$reader: $(number number_of_executed_units) inputs, $(number peak_rss_mb) MB at most, nothing found"
    else
        found=1
        echo "$reader: found something, see $place/$reader.log"
        grep -E "ERROR|SUMMARY|Fatal|Test unit written" $place/$reader.log | head -8
    fi
done
exit $found
