#!/bin/bash
# Feeds the readers of files from outside with broken ones, guided by what they reach (libFuzzer, with address checks), each for some seconds.
#
#     tools/fuzz/run.sh [SECONDS] [TARGET ...]      all targets for 600 seconds where nothing is said
#
#     safetensors index zip pickle                  tensor files (TensorFiles.swift)
#     jpeg png webp gif                             pictures (Pictures.swift)
#     tiff heic avif                                pictures whose libraries are loaded, where the machine has them
#     csv jsonl catalog filter                      manifests and filters (Catalog.swift)
#     forms                                         multipart forms (Forms.swift)
#
# FUZZ_SEED makes a run that can be repeated: the same broken files in the same order, as many as the time allows.
#
# It begins with the fixtures of the tests, or with small texts that stand below, and keeps nothing but what it found wrong, in .build/fuzz/. Ends with 1 if it found something.
set -euo pipefail
# Swift's own report of a crash hides the one that names the place.
export SWIFT_BACKTRACE=enable=no
cd "$(dirname "$0")/../.."
seconds=${1:-600}
shift || true
[ "$seconds" -gt 0 ] || { echo "SECONDS is $seconds, expected one or more" >&2; exit 64; }
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(safetensors index zip pickle jpeg png webp gif tiff heic avif csv jsonl catalog filter forms)
place=.build/fuzz
mkdir -p $place
work=$(mktemp -d)
trap 'rm -rf "$work" /dev/shm/stylefinder-fuzz-*' EXIT

# The harness that a target belongs to: its file in this folder.
harness() {
    case $1 in
        safetensors | index | zip | pickle) echo TensorFiles ;;
        jpeg | png | webp | gif | tiff | heic | avif) echo Pictures ;;
        csv | jsonl | catalog | filter) echo Catalog ;;
        forms) echo Forms ;;
        *) echo "targets are safetensors, index, zip, pickle, jpeg, png, webp, gif, tiff, heic, avif, csv, jsonl, catalog, filter and forms, found $1" >&2; exit 64 ;;
    esac
}

# Compiles a harness together with the sources of the module that it feeds.
compile() {
    local swift=(swiftc -O -swift-version 6 -parse-as-library -sanitize=fuzzer,address -module-name Fuzz -package-name StyleFinder)
    case $1 in
        TensorFiles) "${swift[@]}" -I Sources/CZlib $(find Sources/TensorFiles -name '*.swift') tools/fuzz/$1.swift -lz -o $place/$1 ;;
        Pictures)
            local objects=() file
            for file in Sources/CImaging/*.c; do
                objects+=("$work/$(basename "$file").o")
                clang -O1 -g -fsanitize=fuzzer-no-link,address -I Sources/CImaging/include -c "$file" -o "${objects[-1]}"
            done
            mkdir -p "$work/modules"
            echo "module CImaging { header \"$PWD/Sources/CImaging/include/cimaging.h\" export * }" > "$work/modules/module.modulemap"
            "${swift[@]}" -I "$work/modules" $(find Sources/Imaging -name '*.swift') tools/fuzz/$1.swift "${objects[@]}" \
                -ljpeg -lpng -lwebp -lwebpdemux -lz -o $place/$1
            ;;
        Forms) "${swift[@]}" Sources/API/MultipartForm.swift tools/fuzz/$1.swift -o $place/$1 ;;
        Catalog)
            swiftc -O -wmo -swift-version 6 -parse-as-library -module-name Hashing -I Sources/CCrypto -emit-module \
                -emit-module-path "$work/Hashing.swiftmodule" -emit-object -o "$work/Hashing.o" Sources/Hashing/*.swift
            "${swift[@]}" -wmo -enable-upcoming-feature InternalImportsByDefault -I "$work" -I Sources/CCrypto \
                Sources/Catalog/{CatalogError,CatalogFilter,ExactText,FileStatus,PathText,Records}.swift $(find Sources/Catalog/{Dataset,OfficialSets} -name '*.swift') \
                tools/fuzz/$1.swift "$work/Hashing.o" -lcrypto -o $place/$1
            ;;
    esac
}

# The files that a target begins with.
seed() {
    local tensors=Tests/TensorFilesTests/Fixtures pictures=Tests/ImagingTests/Fixtures file
    local checkpoints
    checkpoints=$(find $tensors \( -name '*.pt' -o -name '*.pth' -o -name '*.bin' \) -size -256k)
    case $1 in
        safetensors) find $tensors Tests/CLIPTests/Fixtures/formats -name '*.safetensors' -size -64k -exec cp --backup=numbered {} "$2" \; ;;
        index) find Tests -name '*.index.json' -exec cp --backup=numbered {} "$2" \; ;;
        zip) cp $checkpoints "$2" ;;
        pickle) for file in $checkpoints; do unzip -p "$file" '*/data.pkl' > "$2/$(basename "$file")" 2>/dev/null || rm "$2/$(basename "$file")"; done ;;
        jpeg) find $pictures \( -name '*.jpg' -o -name '*.mpo' \) -exec cp {} "$2" \; ;;
        tiff) cp $pictures/formats/*.tif "$2" ;;
        png | webp | gif | heic | avif) find $pictures -name "*.$1" -exec cp {} "$2" \; ;;
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
            printf '[{"id":"A","images":["a//,b.jpg|c.//","\\\\x\\b.jpg","C:/d.jpg","file:///e"]}]' > "$2/paths"
            ;;
        forms)
            printf 'multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nred\r\n--b \t\r\nContent-Disposition: form-data; filename="x"; name=image\r\n\r\n\r\n--b--' > "$2/form"
            ;;
        filter)
            printf 'color=Black|White\nprice=10..50\nin_stock:yes\ncategory=Men/Tops' > "$2/filter"
            printf 'price=..5\nprice=5..' > "$2/bounds"
            ;;
    esac
    [ -n "$(ls "$2")" ] || { echo "$1 has no file to begin with" >&2; exit 70; }
}

for name in $(for target in "${targets[@]}"; do harness "$target" || exit 64; done | sort -u); do
    echo "compiling $name ..."
    compile "$name" > $place/compile.log 2>&1 || { cat $place/compile.log; exit 1; }
done
for target in "${targets[@]}"; do
    mkdir -p $place/found-$target "$work/$target"
    seed $target "$work/$target"
    echo "$target: $(ls "$work/$target" | wc -l) files to begin with, $seconds seconds"
done
# Side by side: each takes one core and waits for nothing.
declare -A running
for target in "${targets[@]}"; do
    TARGET=$target $place/$(harness $target) -seed=${FUZZ_SEED:-0} -max_total_time=$seconds -timeout=20 -rss_limit_mb=1500 -malloc_limit_mb=600 -max_len=300000 \
        -artifact_prefix=$place/found-$target/ -print_final_stats=1 "$work/$target" 2> $place/$target.log &
    running[$target]=$!
done
found=0
number() { grep -oE "$1: *[0-9]+" $place/$target.log | grep -oE '[0-9]+$'; }
for target in "${targets[@]}"; do
    if wait ${running[$target]}; then
        echo "$target: $(number number_of_executed_units) inputs, $(number peak_rss_mb) MB at most, nothing found"
    else
        found=1
        echo "$target: found something, see $place/$target.log"
        grep -aE "ERROR|SUMMARY|Fatal|Test unit written|^    #[0-9]+ .*(Fuzz|Foundation)" $place/$target.log | head -20
    fi
done
exit $found
