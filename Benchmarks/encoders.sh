#!/bin/bash
# The encoders in float32 and int8 beside eager PyTorch, OpenVINO (float32, and int8 by NNCF) and ONNX Runtime (int8). The peers, and the
# models that they made of ours, are kept in .deps/peers: 3 GB.
#   Benchmarks/encoders.sh [ARCHITECTURE...]       ViT-B-16-quickgelu and RN50-quickgelu where none is named
set -euo pipefail
cd "$(dirname "$0")/.."
peers=.deps/peers
if [ ! -e $peers/complete ]; then
    python3 -m venv $peers/python
    $peers/python/bin/pip install --quiet openvino nncf onnxruntime onnx onnxscript
    touch $peers/complete
fi
packages=$($peers/python/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "machine: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) cores, $(grep -o -E -w -m1 'avx2|avx_vnni|avx512f|avx512_vnni|avx512_bf16|amx_int8' /proc/cpuinfo | sort -u | tr '\n' ' '), load $(cut -d' ' -f1-3 /proc/loadavg)"
[ $# -gt 0 ] || set -- ViT-B-16-quickgelu RN50-quickgelu
for architecture in "$@"; do
    PYTHONPATH=$packages .deps/reference/bin/python Benchmarks/encoders.py .build/release/EncoderBenchmark "$architecture" 2>/dev/null
done
