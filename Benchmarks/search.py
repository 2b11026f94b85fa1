"""Exhaustive search beside faiss-cpu's IndexFlatIP: one query, one thread, five interleaved rounds, medians. Of floats the ids have to be the same,
of codes (int8, the best scored again from float16) recall is told: the share of faiss's k hits that are found.

    python Benchmarks/search.py PROGRAM [--count 100000] [--dimension 512] [--queries 20] [--k 10] [--vectors FOLDER --of pictures|texts] [--graph]

PROGRAM is the built SearchBenchmark. A round searches every query once with each side, in turns, so that all see the same
machine; a round's figure is the median over its queries. The vectors are random ones, whose neighbours are all about equally far: recall is harder
there than among pictures; or with --vectors those that vectors.py made, which are like CLIP's, searched by pictures or by texts. --graph also searches
by a graph, which takes a minute or more to build. Needs numpy, safetensors and faiss-cpu.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"
import faiss  # noqa: E402
import numpy  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--count", type=int, default=100_000)
parser.add_argument("--dimension", type=int, default=512)
parser.add_argument("--queries", type=int, default=20)
parser.add_argument("--k", type=int, default=10)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--vectors", type=pathlib.Path)
parser.add_argument("--of", choices=["pictures", "texts"], default="pictures")
parser.add_argument("--graph", action="store_true")
options = parser.parse_args()


def unit_vectors(count, seed):
    vectors = numpy.random.default_rng(seed).standard_normal((count, options.dimension)).astype(numpy.float32)
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def save(vectors, path):
    save_file({"features": vectors}, path, {"image_paths": json.dumps([str(i) for i in range(len(vectors))])})
    return path


if options.vectors:
    gallery = numpy.load(options.vectors / "gallery.npy").astype(numpy.float32)
    queries = numpy.load(options.vectors / f"{options.of}.npy")[:options.queries].astype(numpy.float32)
    options.count, options.dimension = gallery.shape
else:
    gallery, queries = unit_vectors(options.count, 1), unit_vectors(options.queries, 2)
faiss.omp_set_num_threads(1)
index = faiss.IndexFlatIP(options.dimension)
index.add(gallery)

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    program = subprocess.Popen(
        [options.program, save(gallery, folder / "gallery"), save(queries, folder / "queries"), str(options.k)] + ["graph"] * options.graph,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(program.stdout.readline().strip())

    def ours(form):
        def search(number):
            program.stdin.write(f"{form} {number}\n")
            program.stdin.flush()
            milliseconds, *ids = program.stdout.readline().split()
            return float(milliseconds), [int(i) for i in ids]
        return search

    def theirs(number):
        start = time.perf_counter()
        _, ids = index.search(queries[number:number + 1], options.k)
        return (time.perf_counter() - start) * 1000, ids[0].tolist()

    sides = {name: ours(name) for name in ["floats", "codes"] + ["graph"] * options.graph} | {"faiss": theirs}
    rounds, differing, found = [], set(), {"codes": 0, "graph": 0}
    for side in sides.values():
        side(0)
    for number_of_round in range(1, options.rounds + 1):
        times = {name: [] for name in sides}
        for number in range(options.queries):
            order = list(sides) if number % 2 == 0 else list(sides)[::-1]
            answers = {name: sides[name](number) for name in order}
            for name in sides:
                times[name].append(answers[name][0])
            if answers["floats"][1] != answers["faiss"][1]:
                differing.add(number)
            for name in found.keys() & sides.keys():
                found[name] += len(set(answers[name][1]) & set(answers["faiss"][1]))
        rounds.append({name: statistics.median(side) for name, side in times.items()})
        print(f"round {number_of_round}: " + ", ".join(f"{name} {value:.2f} ms" for name, value in rounds[-1].items()))
    program.stdin.close()
    program.wait()

medians = {name: statistics.median(one[name] for one in rounds) for name in sides}
asked = options.rounds * options.queries * options.k
print(json.dumps({
    "what": f"{options.count} x {options.dimension}, one query{f' of {options.of}' if options.vectors else ''}, one thread, k = {options.k}",
    "ms": {name: round(value, 3) for name, value in medians.items()},
    "ratio_to_faiss": {name: round(medians["faiss"] / medians[name], 3) for name in sides if name != "faiss"},
    "same_ids_of_floats": not differing, "recall": {name: round(found[name] / asked, 4) for name in found if name in sides},
    "faiss": faiss.__version__,
    "cpu": next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown"),
}))
if differing:
    raise SystemExit(f"queries with different ids: {sorted(differing)}")
