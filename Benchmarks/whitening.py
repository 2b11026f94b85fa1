"""Would vectors find more, centred or whitened by the statistics of the gallery? Neither is in the program; this says what
it would gain and lose.

    .deps/reference/bin/python Benchmarks/whitening.py PROGRAM BOUTIQUE DATA MODEL...

BOUTIQUE is what `stylefinder generate BOUTIQUE --garments 360 --test-only --seed 2026` drew, DATA holds studio-catalog and home-photos. Whitening
divides by the power a / 2 of the covariance's eigenvalues, each of which is raised by their mean: the larger a, the more alike all directions count.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from labels import KINDS
from safetensors import safe_open

program, boutique, data, models = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4:]


def rows(folder, model, *splits):
    """For each group of splits its rows, and their vectors."""
    with tempfile.TemporaryDirectory() as work:
        out = f"{work}/vectors.safetensors"
        command = [program, "features", "--data", folder, "--model", model, "--split", "all", "--out", out]
        subprocess.run(command, check=True, capture_output=True)
        with safe_open(out, "np") as file:
            place = {image: row for row, image in enumerate(json.loads(file.metadata()["image_paths"]))}
            vectors = file.get_tensor("features")
    everything = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    groups = [[row for row in everything if row["split"] in group] for group in splits]
    return [(group, vectors[[place[row["image"]] for row in group]]) for group in groups]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def whitening(gallery, power):
    mean = gallery.mean(0)
    values, axes = np.linalg.eigh(np.cov(gallery.T))
    scale = (np.maximum(values, 0) + values.mean()) ** (-power / 2)
    return lambda vectors: unit((vectors - mean) @ (axes * scale))


def share(scores, gallery, wanted):
    return float(np.mean([gallery[place] == value for place, value in zip(scores.argmax(1), wanted)]))


print("| model | vectors | boutique R@1 | studio, leave one out, R@1 | home photos: same kind first |")
print("|---|---|---|---|---|")
for model in models:
    (shop, shown), (queries, asked) = rows(boutique, model, ["gallery"], ["query"])
    ((studio, photos),) = rows(data / "studio-catalog", model, ["query", "gallery"])
    ((home, worn),) = rows(data / "home-photos", model, ["query", "gallery"])
    known = [place for place, row in enumerate(home) if row["label"] in KINDS]
    forms = [("as the model gives them", None), ("centred", 0.0), *((f"whitened, a = {power}", power) for power in (0.25, 0.5, 1.0))]
    for name, power in forms:
        ours, theirs = (lambda v: v, lambda v: v) if power is None else (whitening(shown, power), whitening(photos, power))
        among = ours(shown)
        others = theirs(photos) @ theirs(photos).T
        np.fill_diagonal(others, -2)
        figures = [
            share(ours(asked) @ among.T, [row["product_id"] for row in shop], [row["product_id"] for row in queries]),
            share(others, [row["product_id"] for row in studio], [row["product_id"] for row in studio]),
            share(ours(worn[known]) @ among.T, [row["kind"] for row in shop], [KINDS[home[place]["label"]] for place in known]),
        ]
        print(f"| {model} | {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
