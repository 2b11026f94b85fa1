"""An evaluation of the size of DeepFashion's In-shop test split beside numpy: the same figures from the same vectors.

    python Benchmarks/evaluate.py PROGRAM [--rounds 3]

PROGRAM is the built stylefinder. 14,218 queries, 12,612 in the gallery, 3,985 products, vectors of 512 numbers drawn from a seed. Ours is
`evaluate --features` from its start to its end: reading manifest and vectors, ranking, slices, skew and intervals. numpy's is the ranking and the
means alone, of vectors that are in memory already: a matrix product of blocks of queries with the gallery, and a full sort of each row. Both use all
cores. Needs numpy and safetensors.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

import numpy
from safetensors.numpy import save_file

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()

PRODUCTS, QUERIES, GALLERY, DIMENSION = 3985, 14218, 12612, 512
generator = numpy.random.default_rng(1)


def products(count):
    """Every product at least once, as in In-shop."""
    drawn = numpy.concatenate([numpy.arange(PRODUCTS), generator.integers(0, PRODUCTS, count - PRODUCTS)])
    generator.shuffle(drawn)
    return drawn


labels = numpy.concatenate([products(QUERIES), products(GALLERY)])
vectors = generator.standard_normal((PRODUCTS, DIMENSION)).astype(numpy.float32)[labels]
vectors += 2.2 * generator.standard_normal(vectors.shape).astype(numpy.float32)
vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)


def numpy_figures():
    queries, gallery = vectors[:QUERIES], vectors[QUERIES:]
    wanted, owners = labels[:QUERIES], labels[QUERIES:]
    first, precision = [], []
    for start in range(0, QUERIES, 256):
        scores = queries[start:start + 256] @ gallery.T
        relevant = owners[numpy.argsort(-scores, axis=1)] == wanted[start:start + 256, None]
        first.append(relevant[:, :10].cumsum(axis=1) > 0)
        hits = relevant.cumsum(axis=1)
        precision.append((relevant * hits / numpy.arange(1, GALLERY + 1)).sum(axis=1) / hits[:, -1])
    found = numpy.concatenate(first).mean(axis=0)
    return {"1": found[0], "5": found[4], "10": found[9], "map": float(numpy.concatenate(precision).mean())}


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    kinds, colors, views = [f"Women/Kind {i}" for i in range(23)], ["red", "blue", "black", "white"], ["front", "side", "back", "full"]
    names = [f"img/{product:04d}/{row:05d}.jpg" for row, product in enumerate(labels)]
    with open(folder / "manifest.jsonl", "w") as manifest:
        for row, (name, product) in enumerate(zip(names, labels)):
            manifest.write(json.dumps({
                "image": name, "product_id": f"id_{product:08d}", "category": kinds[product % 23], "color": colors[row % 4],
                "view": views[row % 7 % 4], "split": "query" if row < QUERIES else "gallery"}) + "\n")
    save_file({"features": vectors}, folder / "vectors.safetensors", {"image_paths": json.dumps(names)})
    command = [options.program, "evaluate", "--data", folder, "--features", folder / "vectors.safetensors", "--json"]
    ours, theirs = [], []
    for number in range(options.rounds):
        start = time.perf_counter()
        report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        expected = numpy_figures()
        theirs.append(time.perf_counter() - start)
        print(f"round {number + 1}: ours {ours[-1]:.2f} s, numpy {theirs[-1]:.2f} s")

found = {**{k: report["recall_at"][k] for k in ("1", "5", "10")}, "map": report["map"]}
# Scores that differ in their last bit may change places.
differing = {key: (found[key], float(expected[key])) for key in found if abs(found[key] - expected[key]) > 2e-4}
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({
    "what": f"evaluate, {QUERIES} queries x {GALLERY} x {DIMENSION}, with slices, skew and intervals", "ours_s": round(statistics.median(ours), 2),
    "numpy_s": round(statistics.median(theirs), 2), "ratio": round(statistics.median(theirs) / statistics.median(ours), 2),
    "our_memory_mb": round(memory), "same_figures": not differing, "cpu": next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown"),
}))
if differing:
    raise SystemExit(f"figures that differ: {differing}")
