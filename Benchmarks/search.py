"""Exact search beside faiss-cpu's IndexFlatIP: one query, one thread, five interleaved rounds, medians, and the same ids.

    python Benchmarks/search.py PROGRAM [--count 100000] [--dimension 512] [--queries 20] [--k 10]

PROGRAM is the built SearchBenchmark. A round searches every query once with each side, in turns, so that both see the same
machine; a round's figure is the median over its queries. Needs numpy, safetensors and faiss-cpu.
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

    def ours(number):
        program.stdin.write(f"search {number}\n")
        program.stdin.flush()
        milliseconds, *ids = program.stdout.readline().split()
        return float(milliseconds), [int(i) for i in ids]

    def theirs(number):
        start = time.perf_counter()
        _, ids = index.search(queries[number:number + 1], options.k)
        return (time.perf_counter() - start) * 1000, ids[0].tolist()

    rounds, differing = [], set()
    ours(0), theirs(0)
    for number_of_round in range(1, options.rounds + 1):
        times = ([], [])
        for number in range(options.queries):
            sides = (ours, theirs) if number % 2 == 0 else (theirs, ours)
            answers = {side: side(number) for side in sides}
            times[0].append(answers[ours][0])
            times[1].append(answers[theirs][0])
            if answers[ours][1] != answers[theirs][1]:
                differing.add(number)
        rounds.append([statistics.median(side) for side in times])
        print(f"round {number_of_round}: ours {rounds[-1][0]:.2f} ms, faiss {rounds[-1][1]:.2f} ms")
    program.stdin.close()
    program.wait()

ours_median, faiss_median = (statistics.median(side) for side in zip(*rounds))
print(json.dumps({
    "what": f"exact search, {options.count} x {options.dimension}, one query, one thread, k = {options.k}",
    "ours_ms": round(ours_median, 3), "faiss_ms": round(faiss_median, 3), "ratio": round(faiss_median / ours_median, 3),
    "same_ids": not differing, "faiss": faiss.__version__, "cpu": next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown"),
}))
if differing:
    raise SystemExit(f"queries with different ids: {sorted(differing)}")
