"""Real photos ask the boutique: how often is the first answer a garment of the photo's own kind, beside chance?

    python Benchmarks/kinds.py WORK DATA MODEL...        called by Benchmarks/boutique.sh, which makes the vectors in WORK

Labels of the photos are mapped to the boutique's kinds by the table below. Labels without a kind there are left out and counted. Chance is
what drawing a picture of the shop at random would hit, over the same questions.
"""

import collections
import json
import pathlib
import sys

import numpy as np
from safetensors import safe_open

KINDS = {
    "Dress": "dress", "Skirt": "skirt", "Pants": "trousers", "Shorts": "shorts", "Shoes": "shoes", "Outwear": "coat", "Blazer": "coat",
    "T-Shirt": "top", "Longsleeve": "top", "Shirt": "top", "Top": "top", "Blouse": "top", "Polo": "top", "Hoodie": "top", "Undershirt": "top",
}

work, data, models = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]


def rows(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def vectors(path):
    with safe_open(path, "np") as file:
        return file.get_tensor("features"), json.loads(file.metadata()["image_paths"])


shop = {row["image"]: row["kind"] for row in rows(work / "boutique") if row["split"] == "gallery"}
print("\n### Real photos to the boutique: is the first answer of the photo's kind?\n")
print("| photos | method | asked | left out | same kind first | chance |")
print("|---|---|---|---|---|---|")
missing = []
for name in ("home-photos", "home-photos-small"):
    held_out = [row for row in rows(data / name) if row["split"] in ("query", "gallery")]
    asked = [row for row in held_out if row["label"] in KINDS]
    left = collections.Counter(row["label"] for row in held_out if row["label"] not in KINDS)
    shares = collections.Counter(shop.values())
    chance = sum(shares[KINDS[row["label"]]] / len(shop) for row in asked) / len(asked)
    for model in models:
        gallery, names = vectors(work / f"boutique-{model}.safetensors")
        kept = [place for place, image in enumerate(names) if image in shop]
        kinds = [shop[names[place]] for place in kept]
        gallery = gallery[kept]
        features, images = vectors(work / f"{name}-{model}.safetensors")
        place = {image: number for number, image in enumerate(images)}
        first = (features[[place[row["image"]] for row in asked]] @ gallery.T).argmax(1)
        hits = sum(kinds[answer] == KINDS[row["label"]] for answer, row in zip(first, asked))
        print(f"| {name} | {model} | {len(asked)} | {sum(left.values())} | {hits / len(asked):.3f} | {chance:.3f} |")
    if left:
        missing.append(f"{name}: " + ", ".join(f"{label} {count}" for label, count in sorted(left.items())))
if missing:
    print("\nLeft out, since the boutique has no such kind: " + "; ".join(missing) + ".")
