"""Image embedding beside eager PyTorch (open_clip): five interleaved rounds, medians.

    python Benchmarks/encode.py PROGRAM MODEL_FOLDER ARCHITECTURE [--threads 2] [--batches 1 16]

PROGRAM is the built EncoderBenchmark, MODEL_FOLDER a model of ARCHITECTURE (ViT-B-16-quickgelu or RN50-quickgelu; the values of the
weights do not matter to the time). Both get prepared pixels and give unit vectors in float32.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("folder")
parser.add_argument("architecture")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/golden"))
import reference  # noqa: E402, F401
import open_clip  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(options.threads)
model = open_clip.create_model(options.architecture, pretrained=None).eval()
side = model.visual.image_size[0] if isinstance(model.visual.image_size, (tuple, list)) else model.visual.image_size

program = subprocess.Popen(
    [options.program, options.folder, str(options.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(program.stdout.readline().strip())


def ours(count):
    program.stdin.write(f"{count}\n")
    program.stdin.flush()
    return float(program.stdout.readline())


def theirs(count):
    pixels = torch.rand(count, 3, side, side) * 2 - 1
    start = time.perf_counter()
    with torch.no_grad():
        torch.nn.functional.normalize(model.encode_image(pixels), dim=-1).numpy()
    return (time.perf_counter() - start) * 1000


for count in options.batches:
    repeats = max(1, 4 // count)
    ours(count), theirs(count)
    rounds = []
    for number in range(options.rounds):
        sides = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        times = {side: statistics.median(side(count) for _ in range(repeats)) for side in sides}
        rounds.append((times[ours], times[theirs]))
    mine, peer = (statistics.median(column) for column in zip(*rounds))
    print(json.dumps({
        "what": f"{options.architecture} image embedding, batch {count}, {options.threads} threads, fp32",
        "ours_ms": round(mine, 1), "pytorch_ms": round(peer, 1), "ratio": round(peer / mine, 3),
        "round_ratios": [round(b / a, 3) for a, b in rounds], "torch": torch.__version__,
    }), flush=True)
program.stdin.close()
program.wait()
