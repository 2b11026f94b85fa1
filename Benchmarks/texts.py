"""Texts ask the boutique: how many of the first eight results are of the right kind, and of the right colour, beside chance?

    python Benchmarks/texts.py PROGRAM BOUTIQUE MODEL...        called by Benchmarks/boutique.sh

Every text is "a photo of a COLOUR KIND" for a pair that the shop shows at least four garments of. A result is a product; its colour is that of the
picture shown. Chance is what eight garments drawn from the shop would hit, over the same texts.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

program, boutique, models = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
FIRST, LEAST = 8, 4

rows = [json.loads(line) for line in (boutique / "manifest.jsonl").read_text().splitlines()]
shop = [row for row in rows if row["split"] == "gallery"]
kind = {row["product_id"]: row["kind"] for row in shop}
garments = collections.defaultdict(set)
for row in shop:
    garments[row["color"], row["kind"]].add(row["product_id"])
pairs = sorted(pair for pair, found in garments.items() if len(found) >= LEAST)


def chance(place):
    """The share of garments that a text's kind or colour fits, over all texts."""
    everything = {(row["product_id"], row["color"], row["kind"]) for row in shop}
    return sum(sum(garment[1 + place] == pair[place] for garment in everything) for pair in pairs) / (len(pairs) * len(everything))


def ask(address, text, model):
    # The model alone: what words find is measured by words.py.
    body = json.dumps({"text": text, "model": model, "top_k": FIRST, "by": "vectors"}).encode()
    request = urllib.request.Request(f"{address}api/v1/search", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["results"]


print("\n### Texts to the boutique: the first eight results\n")
print("| method | texts | right kind | chance | right colour | chance | both |")
print("|---|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    catalog, log = work / "shop.db", work / "server.log"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([program, "import", boutique, "--catalog", catalog, "--split", "gallery"], **quiet)
    for model in models:
        subprocess.run([program, "embed", "--catalog", catalog, "--model", model], **quiet)
    names = [argument for model in models for argument in ("--model", model)]
    server = subprocess.Popen([program, "serve", "--catalog", catalog, "--port", "0", *names], stderr=log.open("w"))
    try:
        while not (found := re.search(r"Open (http\S+)", log.read_text())):
            if server.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.1)
        served = [entry["id"] for entry in json.load(urllib.request.urlopen(f"{found[1]}api/v1/models"))["models"]]
        for model in served:
            right = collections.Counter()
            for color, wanted in pairs:
                for result in ask(found[1], f"a photo of a {color} {wanted}", model):
                    is_kind = kind[result["product"]["id"]] == wanted
                    is_color = result["image"]["color"] == color
                    right.update({"kind": is_kind, "color": is_color, "both": is_kind and is_color})
            total = FIRST * len(pairs)
            print(
                f"| {model} | {len(pairs)} | {right['kind'] / total:.3f} | {chance(1):.3f} | {right['color'] / total:.3f} | {chance(0):.3f} "
                f"| {right['both'] / total:.3f} |")
    finally:
        server.terminate()
        server.wait(timeout=30)
