"""Exhaustive search beside faiss-cpu's IndexFlatIP: one query, one thread, five interleaved rounds, medians. Of floats the ids have to be the same,
of codes (int8, the best scored again from float16) recall is told: the share of faiss's k hits that are found.

    python Benchmarks/search.py PROGRAM [--count 100000] [--dimension 512] [--queries 20] [--k 10]

PROGRAM is the built SearchBenchmark. A round searches every query once with each side, in turns, so that all see the same
machine; a round's figure is the median over its queries. The vectors are random ones, whose neighbours are all about equally far: recall is harder
there than among pictures. Needs numpy, safetensors and faiss-cpu.
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
options = parser.parse_args()


def unit_vectors(count, seed):
    vectors = numpy.random.default_rng(seed).standard_normal((count, options.dimension)).astype(numpy.float32)
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def save(vectors, path):
    save_file({"features": vectors}, path, {"image_paths": json.dumps([str(i) for i in range(len(vectors))])})
    return path


gallery, queries = unit_vectors(options.count, 1), unit_vectors(options.queries, 2)
faiss.omp_set_num_threads(1)
index = faiss.IndexFlatIP(options.dimension)
index.add(gallery)

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    program = subprocess.Popen(
        [options.program, save(gallery, folder / "gallery"), save(queries, folder / "queries"), str(options.k)],
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

    sides = {"floats": ours("floats"), "codes": ours("codes"), "faiss": theirs}
    rounds, differing, found = [], set(), 0
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
            found += len(set(answers["codes"][1]) & set(answers["faiss"][1]))
        rounds.append({name: statistics.median(side) for name, side in times.items()})
        print(f"round {number_of_round}: " + ", ".join(f"{name} {value:.2f} ms" for name, value in rounds[-1].items()))
    program.stdin.close()
    program.wait()

medians = {name: statistics.median(one[name] for one in rounds) for name in sides}
print(json.dumps({
    "what": f"exhaustive search, {options.count} x {options.dimension}, one query, one thread, k = {options.k}",
    "floats_ms": round(medians["floats"], 3), "codes_ms": round(medians["codes"], 3), "faiss_ms": round(medians["faiss"], 3),
    "ratio_of_floats": round(medians["faiss"] / medians["floats"], 3), "ratio_of_codes": round(medians["faiss"] / medians["codes"], 3),
    "same_ids_of_floats": not differing, "recall_of_codes": found / (options.rounds * options.queries * options.k), "faiss": faiss.__version__,
    "cpu": next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown"),
}))
if differing:
    raise SystemExit(f"queries with different ids: {sorted(differing)}")
