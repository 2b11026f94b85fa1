#!/bin/bash
# The tables of held-out real photos: the shipped models beside MobileNet's vectors and a colour histogram, in one run.
#   Benchmarks/held-out.sh DATA        DATA holds studio-catalog, home-photos, home-photos-small and mobilenet-v1
# Only rows with split query and gallery are measured; the models were trained on train rows and chosen on val rows.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:-../shared/data}
models=()
# The variants of a model are measured by `stylefinder reproduce`.
for folder in Models/*/; do [ -e "$folder/variant.safetensors" ] || models+=(--model "$(basename "$folder")"); done
# What small-efficientnet began with: tools/efficientnet_start.py --no-head --out start/efficientnet-lite0-as-it-comes
start=start/efficientnet-lite0-as-it-comes
if [ -d $start ]; then models+=(--model $start); else echo "$start is not there and left out" >&2; fi
measure() {
    local set=$1 title=$2
    shift 2
    printf '\n### %s\n\n' "$title"
    .build/release/stylefinder evaluate --data "$data/$set" "${models[@]}" \
        --features "$data/mobilenet-v1/$set.safetensors" --color-histogram "$@" 2>/dev/null
}
measure studio-catalog "Studio photos, query to gallery"
measure studio-catalog "Studio photos, back to front" --query view=back --gallery view=main
measure studio-catalog "Studio photos, leave one out" --leave-one-out
measure home-photos "Home photos, leave one out, relevant: same label" --leave-one-out --relevant-by label
measure home-photos-small "Small home photos, leave one out, relevant: same label" --leave-one-out --relevant-by label
