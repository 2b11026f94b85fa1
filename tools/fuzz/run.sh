#!/bin/bash
# Feeds the readers of tensor files with broken files, guided by what they reach (libFuzzer, with address checks), each for some minutes.
#
#     tools/fuzz/run.sh [MINUTES] [READER ...]      readers: safetensors index zip pickle; 10 minutes each where nothing is said
#
# It begins with the fixtures of the tests and keeps nothing but what it found wrong, in .build/fuzz/. Ends with 1 if it found something.
set -euo pipefail
cd "$(dirname "$0")/../.."
minutes=${1:-10}
shift || true
readers=("${@:-}")
[ -n "${readers[0]}" ] || readers=(safetensors index zip pickle)
place=.build/fuzz
mkdir -p $place
echo "compiling ..."
swiftc -O -swift-version 6 -parse-as-library -sanitize=fuzzer,address -module-name Fuzz \
    $(find Sources/TensorFiles -name '*.swift') tools/fuzz/Fuzz.swift -o $place/fuzzer
fixtures=Tests/TensorFilesTests/Fixtures
for reader in "${readers[@]}"; do
    corpus=$(mktemp -d)
    trap 'rm -rf "$corpus" /dev/shm/stylefinder-fuzz-*' EXIT
    mkdir -p $place/$reader
    case $reader in
        safetensors) find $fixtures Tests/CLIPTests/Fixtures/formats -name '*.safetensors' -size -64k -exec cp {} "$corpus" \; ;;
        index) find Tests -name '*.index.json' -exec cp {} "$corpus" \; ;;
        zip) find $fixtures \( -name '*.pt' -o -name '*.pth' -o -name '*.bin' \) -size -256k -exec cp {} "$corpus" \; ;;
        pickle)
            for file in $(find $fixtures \( -name '*.pt' -o -name '*.pth' -o -name '*.bin' \)); do
                python3 - "$file" "$corpus" <<'P'
import pathlib, sys, zipfile
source, corpus = map(pathlib.Path, sys.argv[1:])
try:
    archive = zipfile.ZipFile(source)
    name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
    (corpus / source.name).write_bytes(archive.read(name))
except (zipfile.BadZipFile, StopIteration):
    pass
P
            done ;;
        *) echo "readers are safetensors, index, zip and pickle, found $reader" >&2; exit 64 ;;
    esac
    echo "$reader: $(ls "$corpus" | wc -l) files to begin with, $minutes minutes"
    READER=$reader $place/fuzzer -max_total_time=$((60 * minutes)) -timeout=10 -rss_limit_mb=1500 -malloc_limit_mb=600 -max_len=300000 \
        -artifact_prefix=$place/$reader/ -print_final_stats=1 -verbosity=1 "$corpus" 2> $place/$reader.log || { tail -40 $place/$reader.log; exit 1; }
    grep -E "stat::(number_of_executed_units|peak_rss_mb)" $place/$reader.log
    rm -rf "$corpus" /dev/shm/stylefinder-fuzz-*
done
