"""The first eight products that the boutique answers with: to held-out pictures of its own, how many are of the same kind, and of the same colour or
pattern too? To real photos, how often is the first of the photo's own kind, beside chance, and do the same few products come again and again?

    python Benchmarks/kinds.py WORK DATA MODEL...        called by Benchmarks/boutique.sh, which makes the vectors in WORK

Labels of the photos are mapped to the boutique's kinds by labels.py. Labels without a kind there are left out and counted. Chance is
what drawing a picture of the shop at random would hit, over the same questions.
"""

import collections
import json
import pathlib
import sys

import numpy as np
from labels import KINDS
from safetensors import safe_open

work, data, models = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]


def rows(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def vectors(path):
    with safe_open(path, "np") as file:
        return file.get_tensor("features"), json.loads(file.metadata()["image_paths"])


def products(scores, ids):
    """The places of the best picture of each of the first eight products."""
    chosen = []
    for place in np.argsort(-scores):
        if all(ids[place] != ids[other] for other in chosen):
            chosen.append(place)
        if len(chosen) == FIRST:
            break
    return chosen


FIRST, HUBS = 8, 10
manifest = {row["image"]: row for row in rows(work / "boutique")}
shop = {image: row["kind"] for image, row in manifest.items() if row["split"] == "gallery"}
gallery = {}

print(f"\n### The boutique: the first {FIRST} products for a picture that the shop does not show\n")
print("| method | asked | same kind | same kind, and colour or pattern |")
print("|---|---|---|---|")
for model in models:
    features, names = vectors(work / f"boutique-{model}.safetensors")
    kept = [place for place, image in enumerate(names) if image in shop]
    shown, about = gallery[model] = features[kept], [manifest[names[place]] for place in kept]
    ids = [row["product_id"] for row in about]
    kind, alike, asked = 0, 0, 0
    for image, feature in zip(names, features):
        query = manifest[image]
        if query["split"] != "query":
            continue
        asked += 1
        for place in products(shown @ feature, ids):
            row = about[place]
            same = row["kind"] == query["kind"]
            kind += same
            alike += same and (row["color"] == query["color"] or row["pattern"] == query["pattern"])
    print(f"| {model} | {asked} | {kind / asked / FIRST:.3f} | {alike / asked / FIRST:.3f} |")

print("\n### Real photos to the boutique: is the first answer of the photo's kind?\n")
print(f"The last column is the share of the first {FIRST} places that the {HUBS} most frequent products fill.\n")
print("| photos | method | asked | left out | same kind first | chance | ten products |")
print("|---|---|---|---|---|---|---|")
missing = []
for name in ("home-photos", "home-photos-small"):
    held_out = [row for row in rows(data / name) if row["split"] in ("query", "gallery")]
    asked = [row for row in held_out if row["label"] in KINDS]
    left = collections.Counter(row["label"] for row in held_out if row["label"] not in KINDS)
    shares = collections.Counter(shop.values())
    chance = sum(shares[KINDS[row["label"]]] / len(shop) for row in asked) / len(asked)
    for model in models:
        shown, about = gallery[model]
        ids = [row["product_id"] for row in about]
        features, images = vectors(work / f"{name}-{model}.safetensors")
        place = {image: number for number, image in enumerate(images)}
        found = [products(shown @ features[place[row["image"]]], ids) for row in asked]
        hits = sum(about[first[0]]["kind"] == KINDS[row["label"]] for first, row in zip(found, asked))
        often = collections.Counter(ids[chosen] for first in found for chosen in first)
        hubs = sum(count for _, count in often.most_common(HUBS)) / sum(often.values())
        print(
            f"| {name} | {model} | {len(asked)} | {sum(left.values())} | {hits / len(asked):.3f} | {chance:.3f} | {hubs:.3f} |")
    if left:
        missing.append(f"{name}: " + ", ".join(f"{label} {count}" for label, count in sorted(left.items())))
if missing:
    print("\nLeft out, since the boutique has no such kind: " + "; ".join(missing) + ".")
