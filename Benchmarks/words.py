"""Thirty texts ask the boutique: how many of the first eight results are acceptable, by words alone, by the model alone, and by both? Then a hundred
products are asked for by the caption of one of their pictures: how often are they the first result?

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

products, captions = {}, {}
for line in (boutique / "manifest.jsonl").read_text().splitlines():
    row = json.loads(line)
    if row["split"] == "gallery":
        captions.setdefault(row["product_id"], row["caption"])
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
work = tempfile.TemporaryDirectory()
catalog = f"{work.name}/boutique.db"
quiet = dict(check=True, capture_output=True)
subprocess.run([program, "import", str(boutique), "--catalog", catalog, "--split", "gallery"], **quiet)
for model in models:
    subprocess.run([program, "embed", "--catalog", catalog, "--model", model], **quiet)
BASES = ("words", "vectors", "both")


def ask(model, basis, texts):
    """The ids of the products that each text finds, best first."""
    lines = "".join(json.dumps({"id": str(place), "text": text, "k": FIRST}) + "\n" for place, text in enumerate(texts))
    done = subprocess.run(
        [program, "search", "--batch", "-", "--catalog", catalog, "--model", model, "--by", basis], input=lines, capture_output=True,
        text=True, check=True)
    answers = {int(answer["id"]): answer for answer in map(json.loads, done.stdout.splitlines())}
    return [[result["product"]["id"] for result in answers[place]["results"]] for place in range(len(texts))]


for model in models:
    for basis in BASES:
        shares = []
        for place, found in enumerate(ask(model, basis, [text["text"] for text in texts])):
            if places[place]:
                shares.append(sum(fits(product, texts[place]) for product in found[: places[place]]) / places[place])
                if basis == "both" and shares[-1] < 1:
                    print(f"{model}: {texts[place]['text']}: {shares[-1]:.2f}", file=sys.stderr)
        print(f"| {model} | {basis} | {sum(shares) / len(shares):.2f} | {interval(shares)} |")

CAPTIONS = 100
ids = sorted(products)
asked = [ids[place * len(ids) // CAPTIONS] for place in range(CAPTIONS)]
print(f"\n### {CAPTIONS} products of the boutique, asked for by the caption of a picture: first\n")
print("| model | by | first | 95 % interval |")
print("|---|---|---|---|")
for model in models:
    for basis in BASES:
        found = ask(model, basis, [captions[product] for product in asked])
        shares = [float(bool(answer) and answer[0] == product) for product, answer in zip(asked, found)]
        print(f"| {model} | {basis} | {sum(shares) / len(shares):.2f} | {interval(shares)} |")
