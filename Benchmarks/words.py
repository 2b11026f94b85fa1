"""Thirty texts ask the boutique: how many of the first eight results are acceptable, by words alone, by the model alone, and by both?

    python Benchmarks/words.py PROGRAM BOUTIQUE MODEL...        called by Benchmarks/boutique.sh

The texts and what is acceptable stand in boutique-texts.jsonl; they were written before any ranking was. A result is a product, judged by its rows in
the manifest; of a text with fewer than eight acceptable products only as many places count, and a text with none is left out and counted.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

program, boutique, models = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
FIRST = 8
here = pathlib.Path(__file__).parent

products = {}
for line in (boutique / "manifest.jsonl").read_text().splitlines():
    row = json.loads(line)
    if row["split"] == "gallery":
        values = products.setdefault(row["product_id"], {})
        for key, value in row.items():
            values.setdefault(key, set()).add(str(value))

texts = [json.loads(line) for line in (here / "boutique-texts.jsonl").read_text().splitlines()]


def fits(product, text):
    return all(products[product].get(key, set()) & set(wanted) for key, wanted in text["accept"].items())


places = [min(FIRST, sum(fits(product, text) for product in products)) for text in texts]


def interval(shares):
    """95 %, by drawing texts."""
    draw = random.Random(1)
    means = sorted(sum(draw.choice(shares) for _ in shares) / len(shares) for _ in range(2000))
    return f"{means[50]:.2f}–{means[1949]:.2f}"


print(f"\n### {len(texts)} texts to the boutique: acceptable among the first {FIRST}\n")
print(f"{places.count(0)} texts name what the boutique does not have and are left out.\n")
print("| model | by | acceptable | 95 % interval |")
print("|---|---|---|---|")
lines = "".join(json.dumps({"id": str(place), "text": text["text"], "k": FIRST}) + "\n" for place, text in enumerate(texts))
work = tempfile.TemporaryDirectory()
catalog = f"{work.name}/boutique.db"
quiet = dict(check=True, capture_output=True)
subprocess.run([program, "import", str(boutique), "--catalog", catalog, "--split", "gallery"], **quiet)
for model in models:
    subprocess.run([program, "embed", "--catalog", catalog, "--model", model], **quiet)
    for basis in ("words", "vectors", "both"):
        done = subprocess.run(
            [program, "search", "--batch", "-", "--catalog", catalog, "--model", model, "--by", basis], input=lines, capture_output=True,
            text=True, check=True)
        shares = []
        for line in done.stdout.splitlines():
            answer = json.loads(line)
            place = int(answer["id"])
            if places[place]:
                found = [result["product"]["id"] for result in answer["results"]][: places[place]]
                shares.append(sum(fits(product, texts[place]) for product in found) / places[place])
                if basis == "both" and shares[-1] < 1:
                    print(f"{model}: {texts[place]['text']}: {shares[-1]:.2f}", file=sys.stderr)
        print(f"| {model} | {basis} | {sum(shares) / len(shares):.2f} | {interval(shares)} |")
