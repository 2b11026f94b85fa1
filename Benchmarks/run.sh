#!/bin/bash
# Every figure as a ratio to its peer, measured in turns in one run. The encoders need `make golden` first.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.deps/reference/bin/python
built=.build/release
echo "machine: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
$python Benchmarks/decode.py --program $built/ImagingBenchmark
$python Benchmarks/search.py $built/SearchBenchmark
$built/CatalogBenchmark
$python Benchmarks/evaluate.py $built/stylefinder
for model in .deps/golden/models/*; do
    case "$(basename "$model")" in
        vit*) $python Benchmarks/encode.py $built/EncoderBenchmark "$model" ViT-B-16-quickgelu ;;
        rn50*|resnet*) $python Benchmarks/encode.py $built/EncoderBenchmark "$model" RN50-quickgelu ;;
    esac
done
$python Benchmarks/load.py $built/EncoderBenchmark
for recipe in $(grep -l "\"tower\"" Recipes/small-*.json); do $python Benchmarks/train_step.py $built/TrainingBenchmark "$recipe"; done
$built/DeviceBenchmark views 192 20
$python Benchmarks/serve.py $built/stylefinder
$python Benchmarks/memory.py $built/stylefinder
