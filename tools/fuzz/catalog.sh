#!/bin/bash
# Feeds the readers of manifests and filters with broken texts, guided by what they reach (libFuzzer, with address checks), each for some seconds.
#
#     tools/fuzz/catalog.sh [SECONDS] [READER ...]      readers: csv jsonl catalog filter; all of them for 60 seconds where nothing is said
#
# It begins with small texts of its own and keeps nothing but what it found wrong, in .build/fuzz/. Ends with 1 if it found something.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
[ "$seconds" -gt 0 ] || { echo "SECONDS is $seconds, expected one or more" >&2; exit 64; }
readers=("$@")
[ ${#readers[@]} -gt 0 ] || readers=(csv jsonl catalog filter)
place=.build/fuzz
mkdir -p $place
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "compiling ..."
{
    swiftc -O -wmo -swift-version 6 -parse-as-library -module-name Hashing -I Sources/CCrypto -emit-module -emit-module-path "$work/Hashing.swiftmodule" \
        -emit-object -o "$work/Hashing.o" Sources/Hashing/*.swift &&
    swiftc -O -wmo -swift-version 6 -enable-upcoming-feature InternalImportsByDefault -parse-as-library -sanitize=fuzzer,address -module-name Fuzz \
        -package-name StyleFinder -I "$work" -I Sources/CCrypto Sources/Catalog/{CatalogError,CatalogFilter,ExactText,FileStatus,Records}.swift \
        Sources/Catalog/Dataset/*.swift tools/fuzz/Catalog.swift "$work/Hashing.o" -lcrypto -o $place/catalog-fuzzer
} > $place/compile.log 2>&1 || { cat $place/compile.log; exit 1; }

# The texts that a reader begins with.
seed() {
    case $1 in
        csv)
            printf 'image,product_id,title,price\na.jpg,P,"say ""hi"", you",19.99\n' > "$2/comma"
            printf 'sep=;\r\nImage;Product ID;Preis\r\np\\a.jpg;P;1.299,00\r\n;;\r\n' > "$2/semicolon"
            printf 'image\tproduct_id\turl\ra.jpg,b.jpg\tP\tjavascript:x\r' > "$2/tab"
            printf 'image,product_id,in_stock,split\nR\xf6cke.jpg,Gru\xcc\x88n,yes,train\n' > "$2/encodings"
            ;;
        jsonl)
            printf '{"image":"a.jpg","product_id":1,"price":NaN,"attributes":{"fit":["a","b"]}},\n{"image":"a"}\n' > "$2/lines"
            printf '[{"image":"a.jpg","product_id":"\\u00e4\\ud83d\\ude00","url":"https://a.example"}]' > "$2/array"
            printf '{\n "image": "b.jpg",\n "product_id": "P", "x": [1.5e3, true, null, {}]\n}\n{"image":"c","product_id":"d"}' > "$2/pretty"
            ;;
        catalog)
            printf '[{"id":"A","categories":["x","y"],"price":12.5,"images":["a.jpg",{"file":"b.jpg","view":"back"}],"variants":[{"s":1}]}]' > "$2/catalog"
            ;;
        filter)
            printf 'color=Black|White\nprice=10..50\nin_stock:yes\ncategory=Men/Tops' > "$2/filter"
            printf 'price=..5\nprice=5..' > "$2/bounds"
            ;;
        *) echo "readers are csv, jsonl, catalog and filter, found $1" >&2; exit 64 ;;
    esac
}

found=0
for reader in "${readers[@]}"; do
    mkdir -p $place/$reader "$work/$reader"
    seed $reader "$work/$reader"
    number() { grep -oE "$1: *[0-9]+" $place/$reader.log | grep -oE '[0-9]+$'; }
    if READER=$reader $place/catalog-fuzzer -max_total_time=$seconds -timeout=10 -rss_limit_mb=1000 -max_len=20000 -print_final_stats=1 \
        -artifact_prefix=$place/$reader/ "$work/$reader" 2> $place/$reader.log; then
        echo "$reader: $(number number_of_executed_units) inputs, $(number peak_rss_mb) MB at most, nothing found"
    else
        found=1
        echo "$reader: found something, see $place/$reader.log"
        grep -E "ERROR|SUMMARY|Fatal|Test unit written" $place/$reader.log | head -8
    fi
done
exit $found
