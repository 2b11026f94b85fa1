"""How long a checkpoint takes to load, and how much memory, beside open_clip in Python: ViT-B/16 from safetensors and from .pt.

    python Benchmarks/load.py PROGRAM [--golden .deps/golden/models] [--rounds 5]

Both sides load in a process of their own, in turns, from a warm page cache, and stop when the model could answer: ours opens the checkpoint,
looks for values that are no numbers and packs the weights (EncoderBenchmark's `load`); open_clip builds the model and loads the weights.
`with_fingerprint` is when ours knows the SHA-256 of its files as well, which it takes beside that and the peer does not. Time is measured inside the process, without Python's imports and without the start of either program. Memory is the
kernel's own figure (wait4's ru_maxrss) for the whole process.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("program", help="EncoderBenchmark")
parser.add_argument("--stylefinder", default=".build/release/stylefinder", help="writes the .pt beside the golden model")
parser.add_argument("--golden", default=".deps/golden/models")
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()
# As the Makefile sets it: threads that spin while they wait would take the core that the fingerprint is taken on.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

PEER = """
import sys, time
sys.path.insert(0, "tools/golden")
import reference, torch, open_clip
start = time.perf_counter()
model = open_clip.create_model("ViT-B-16-quickgelu", pretrained=None)
if sys.argv[1].endswith(".safetensors"):
    from safetensors.torch import load_file
    state = load_file(sys.argv[1])
else:
    state = torch.load(sys.argv[1], weights_only=True, map_location="cpu")
model.load_state_dict(state)
model.eval()
print(time.perf_counter() - start)
"""


def run(*command):
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    numbers = [float(word) for word in text.split()[-2:] if word[0].isdigit()]
    return numbers[-1], usage.ru_maxrss / 1024, numbers[0]


with tempfile.TemporaryDirectory() as temporary:
    golden = next(path for path in pathlib.Path(options.golden).iterdir() if path.name.startswith("vit"))
    for ending in ("safetensors", "pt"):
        file = pathlib.Path(temporary) / f"ViT-B-16.{ending}"
        subprocess.run([options.stylefinder, "models", "convert", golden, "--out", file, "--names", "openai"], check=True)
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(run(options.program, "load", file, "quick_gelu"))
            theirs.append(run(sys.executable, "-W", "ignore", "-c", PEER, file))
        seconds, peer = (statistics.median(side[0] for side in sides) for sides in (ours, theirs))
        print(json.dumps({
            "what": f"load ViT-B/16 from .{ending}", "seconds": round(seconds, 3), "peer_seconds": round(peer, 3),
            "share_of_peer": round(seconds / peer, 3),
            "with_fingerprint": round(statistics.median(side[2] for side in ours), 3), "weights_mb": round(file.stat().st_size / 2**20),
            "peak_mb": round(max(side[1] for side in ours)), "peer_peak_mb": round(max(side[1] for side in theirs))}), flush=True)
