"""Prepares the data folders that the shipped models learn from: every row says its kind, and drawn garments are for training.

    python tools/training_data.py PHOTOS GARMENTS OUT

PHOTOS holds studio-catalog, venia-catalog, home-photos and home-photos-small, each with manifest.jsonl and images; GARMENTS is a folder that
`stylefinder generate` made. OUT gets a folder of each name with a manifest of its own and a link to the pictures.

A `kind` is what the drawn garments call it (dress, top, skirt, trousers, shorts, coat, shoes, bag), from the label of a home photo or the
category of a studio photo; a row that is none of them keeps what its label says, in lower case, or has no kind. Splits of photos stay as they
are: rows with split query and gallery are never trained on. Those of drawn garments become `train`, since the boutique has another seed.
"""

import argparse
import json
import pathlib

LABELS = {
    "Dress": "dress", "Skirt": "skirt", "Pants": "trousers", "Shorts": "shorts", "Shoes": "shoes", "Outwear": "coat", "Blazer": "coat",
    "T-Shirt": "top", "Longsleeve": "top", "Shirt": "top", "Top": "top", "Blouse": "top", "Polo": "top", "Hoodie": "top", "Undershirt": "top",
}
# The last part of a category, by the first of these words that it holds.
CATEGORIES = {
    "skirt": "skirt", "dress": "dress", "jacket": "coat", "coat": "coat", "pants & shorts": None, "short": "shorts", "pant": "trousers",
    "hood": "top", "tee": "top", "tank": "top", "blouse": "top", "shirt": "top", "sweater": "top",
}


def kind(row):
    if row.get("kind"):
        return row["kind"]
    if row.get("label"):
        return LABELS.get(row["label"], row["label"].lower())
    leaf = row.get("category", "").split("/")[-1].lower()
    return next((found for word, found in CATEGORIES.items() if word in leaf), None)


def prepare(source, target, drawn):
    target.mkdir(parents=True, exist_ok=True)
    lines = []
    for line in (source / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if found := kind(row):
            row["kind"] = found
        if drawn and row["split"] in ("query", "gallery"):
            row["split"] = "train"
        lines.append(json.dumps(row, ensure_ascii=False))
    (target / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    images = target / "images"
    if not images.exists():
        images.symlink_to((source / "images").resolve())
    print(f"{target}: {len(lines)} rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("garments", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    for name in ("studio-catalog", "home-photos", "home-photos-small", "venia-catalog"):
        prepare(arguments.photos / name, arguments.out / name, drawn=False)
    prepare(arguments.garments, arguments.out / "garments", drawn=True)


if __name__ == "__main__":
    main()
