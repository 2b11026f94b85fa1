#!/bin/bash
# The Python environment with the pinned reference implementations (tools/golden/requirements.txt), beside the libtorch of the build.
# Idempotent.
set -euo pipefail
cd "$(dirname "$0")/.."
place=$PWD/.deps/reference
stamp=$place/installed-$(cksum <tools/golden/requirements.txt | cut -d' ' -f1)
if [ -e "$stamp" ]; then exit 0; fi
echo "reference: installing the Python reference implementations"
[ -x "$place/bin/pip" ] || { rm -rf "$place"; python3 -m venv "$place"; } || { echo "reference: python3 -m venv failed; apt-get install python3-venv" >&2; exit 1; }
site=$("$place/bin/python" -c 'import site; print(site.getsitepackages()[0])')
# torch itself is the one that the build links: a second copy would cost 700 MB and could differ.
echo "$PWD/.deps/python" >"$site/libtorch.pth"
pip=("$place/bin/pip" install --quiet --disable-pip-version-check)
"${pip[@]}" typing_extensions sympy networkx jinja2 fsspec filelock "setuptools>=77.0.3"
grep -v -E '^(#|torch==)' tools/golden/requirements.txt | "${pip[@]}" -r /dev/stdin
sed -n 's/^# --no-deps: //p' tools/golden/requirements.txt | xargs "${pip[@]}" --no-deps
"$place/bin/python" - <<'PROOF'
import sys
sys.path.insert(0, "tools/golden")
import reference, torch, open_clip, transformers, pytorch_metric_learning, faiss, PIL
print("reference: torch", torch.__version__, "transformers", transformers.__version__, "open_clip", open_clip.__version__)
PROOF
touch "$stamp"
