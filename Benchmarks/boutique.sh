#!/bin/bash
# How well the shipped models know the drawn boutique, beside a colour histogram: pictures that the shop does not show ask, the shop's pictures
# answer. Then texts ask, and real photos for a garment of their own kind.
#   Benchmarks/boutique.sh [DATA]     DATA holds home-photos and home-photos-small; without it the last table is left out
# The boutique is the demo's (its seed, which no training saw); the real photos are held-out rows.
set -euo pipefail
cd "$(dirname "$0")/.."
program=.build/release/stylefinder
data=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
$program generate "$work/boutique" --garments 360 --test-only --seed 2026 >/dev/null 2>&1
models=()
# The variants of a model are measured by `stylefinder reproduce`.
for folder in Models/*/; do [ -e "$folder/variant.safetensors" ] || models+=("$(basename "$folder")"); done
flags=()
for model in "${models[@]}"; do flags+=(--model "$model"); done
# What small-efficientnet began with, as held-out.sh has it.
if [ -d start/efficientnet-lite0-as-it-comes ]; then flags+=(--model start/efficientnet-lite0-as-it-comes); fi
printf '### The boutique: pictures that the shop does not show, to the ones it shows\n\n'
$program evaluate --data "$work/boutique" "${flags[@]}" --color-histogram --images-only 2>/dev/null
python3 Benchmarks/texts.py $program "$work/boutique" "${models[@]}"
python3 Benchmarks/words.py $program "$work/boutique" small-efficientnet small-resnet small-vit 2>/dev/null
if [ -z "$data" ] || [ ! -d "$data/home-photos" ]; then exit 0; fi
for model in "${models[@]}"; do
    for set in "$work/boutique" "$data/home-photos" "$data/home-photos-small"; do
        $program features --data "$set" --model "$model" --split all --out "$work/$(basename "$set")-$model.safetensors" 2>/dev/null >/dev/null
    done
done
.deps/reference/bin/python Benchmarks/kinds.py "$work" "$data" "${models[@]}"
