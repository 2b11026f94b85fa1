"""What int8 costs in accuracy: vectors of a dataset in float32 and in int8, their cosines, and Recall@1 and mAP of query against gallery rows.

    python Benchmarks/agreement.py PROGRAM DATA MODEL... [--by product_id]

Four pairings: each form by itself, and queries of one against a gallery of the other, as when a catalogue was embedded before.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
from safetensors import safe_open

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("data", type=pathlib.Path)
parser.add_argument("models", nargs="+")
parser.add_argument("--by", default="product_id")
parser.add_argument("--precisions", nargs=2, default=["float32", "int8"])
options = parser.parse_args()

rows = [json.loads(line) for line in open(options.data / "manifest.jsonl")]
identity = {row["image"]: row.get(options.by) for row in rows}
split = {row["image"]: row.get("split", "") for row in rows}


def vectors(model, precision, folder):
    path = f"{folder}/{precision}.safetensors"
    subprocess.run([options.program, "features", "--data", options.data, "--model", model, "--split", "all", "--precision", precision,
                    "--out", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"})
    with safe_open(path, "numpy") as file:
        key = max(file.keys(), key=lambda name: file.get_tensor(name).size)
        names = json.loads((file.metadata() or {}).get("image_paths", "null"))
        return file.get_tensor(key).astype(np.float32), names


def measure(queries, gallery, query_ids, gallery_ids):
    hits, averages = [], []
    for scores, own in zip(queries @ gallery.T, query_ids):
        order = np.argsort(-scores, kind="stable")
        relevant = (gallery_ids == own)[order]
        if not relevant.any():
            continue
        hits.append(relevant[0])
        ranks = np.flatnonzero(relevant) + 1
        averages.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return np.mean(hits), np.mean(averages)


print("| model | cosine, mean / least | R@1 float32 | int8 | int8 to float32's gallery | mAP float32 | int8 | int8 to float32's gallery |")
print("|---|---|---|---|---|---|---|---|")
for model in options.models:
    with tempfile.TemporaryDirectory() as folder:
        (plain, names), (rounded, _) = (vectors(model, precision, folder) for precision in options.precisions)
    names = names or [row["image"] for row in rows]
    cosines = (plain * rounded).sum(1)
    ids = np.array([str(identity[name]) for name in names])
    ask = np.array([split[name] == "query" for name in names])
    show = np.array([split[name] == "gallery" for name in names])
    found = [measure(q[ask], g[show], ids[ask], ids[show]) for q, g in [(plain, plain), (rounded, rounded), (rounded, plain)]]
    print(f"| {pathlib.Path(model).name} | {cosines.mean():.4f} / {cosines.min():.4f} | " + " | ".join(f"{r:.3f}" for r, _ in found)
          + " | " + " | ".join(f"{m:.3f}" for _, m in found) + " |", flush=True)
