"""Peak resident memory of the commands that meet a whole catalogue: import, embed, search.

    python Benchmarks/memory.py PROGRAM [--model small-vit] [--images 50000] [--products 10000] [--work FOLDER]

Pictures are generated: one solid colour each, so that every file differs. `embed` runs over --images pictures; `search` over a catalogue
of --products products. Memory is the kernel's own figure (wait4's ru_maxrss) for each process.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--model", default="small-vit")
parser.add_argument("--images", type=int, default=50_000)
parser.add_argument("--products", type=int, default=10_000)
parser.add_argument("--work", help="a folder for pictures and catalogues; a temporary one where it is left out")
options = parser.parse_args()


def generate(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:06}.png"
        if not path.exists():
            color = (number % 251, number // 251 % 251, number // 63001 % 251)
            Image.new("RGB", (160 + number % 97, 160), color).save(path, compress_level=1)


def run(*arguments):
    start = time.perf_counter()
    process = subprocess.Popen([options.program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with {process.returncode}")
    return {"peak_mb": round(usage.ru_maxrss / 1024, 1), "seconds": round(time.perf_counter() - start, 1)}


with tempfile.TemporaryDirectory() as temporary:
    work = pathlib.Path(options.work or temporary)
    for name, count in {"search": options.products, "embed": options.images}.items():
        pictures, catalog = work / name, work / f"{name}.db"
        generate(pictures, count)
        steps = {"import": run("import", pictures, "--catalog", catalog)}
        steps["embed"] = run("embed", "--catalog", catalog, "--model", options.model)
        query = pictures / "000123.png"
        steps["search"] = run("search", query, "--catalog", catalog, "--model", options.model, "--json")
        for step, figures in steps.items():
            print(json.dumps({"what": step, "images": count, "model": options.model, **figures}), flush=True)
