"""Search over codes beside its peers, one thread: exact passes beside faiss-cpu, walks over a graph beside hnswlib and usearch.

    python Benchmarks/search_peers.py LIBRARY FOLDER [--k 100] [--recall 0.95] [--rounds 3] [--cpu-time] [--no-usearch]

LIBRARY is the shared object of the CVector target:

    clang++ -std=c++20 -O2 -fPIC -shared -I Sources/CVector/include Sources/CVector/*.cpp -o LIBRARY

FOLDER is what `vectors.py --truth K` wrote, with K at least k. Needs numpy, faiss-cpu, hnswlib and usearch. Graphs of peers are kept in
FOLDER and used again; their time of building is then not shown.

A walk's breadth (ef) is raised until the recall is reached, and its time interpolated between the two breadths beside it; ours
returns 1.5 k rows by codes, which are rescored in float16 within the time; with --coding 1 the graph, built over int8 codes, is
walked over 4-bit codes, and the int8 codes are counted no longer. In a round each side answers every query once,
in turns, so that all see the same machine; the figures are medians over queries, and their ratios medians over rounds.
--cpu-time counts the time of the thread instead of the clock's: for machines that others use, too.
"""

import argparse
import ctypes
import json
import os
import pathlib
import statistics
import time

os.environ["OMP_NUM_THREADS"] = "1"
import faiss  # noqa: E402
import hnswlib  # noqa: E402
import numpy  # noqa: E402
from ctypes import byref, c_float, c_int, c_size_t, c_uint32, c_uint64, c_void_p  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("library")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--k", type=int, default=100)
parser.add_argument("--recall", type=float, default=0.95)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--queries", type=int, default=200)
parser.add_argument("--degree", type=int, default=0)
parser.add_argument("--breadth", type=int, default=0)
parser.add_argument("--coding", type=int, choices=[0, 1], default=0, help="0: int8; 1: rotated 4-bit codes")
parser.add_argument("--rescored", type=float, default=1.5, help="rows rescored, in k")
parser.add_argument("--threads", type=int, default=2, help="of the builds")
parser.add_argument("--cpu-time", action="store_true")
parser.add_argument("--no-usearch", action="store_true")
parser.add_argument("--no-exact", action="store_true")
options = parser.parse_args()
clock = time.thread_time if options.cpu_time else time.perf_counter
build_clock = time.process_time if options.cpu_time else time.perf_counter


class Codes(ctypes.Structure):
    _fields_ = [("coding", c_int), ("width", c_size_t), ("count", c_size_t), ("codes", c_void_p), ("scales", c_void_p),
                ("sums", c_void_p)]


class Queries(ctypes.Structure):
    _fields_ = [("count", c_size_t), ("codes", c_void_p), ("scales", c_void_p), ("sums", c_void_p)]


class GraphOptions(ctypes.Structure):
    _fields_ = [("degree", c_uint32), ("breadth", c_uint32), ("slack", c_float), ("threads", c_uint32), ("seed", c_uint64)]


class Request(ctypes.Structure):
    _fields_ = [("mode", c_int), ("k", c_size_t), ("breadth", c_size_t), ("limit", c_size_t), ("admitted", c_void_p),
                ("deleted", c_void_p)]


class Report(ctypes.Structure):
    _fields_ = [("found", c_size_t), ("scored", c_size_t), ("expanded", c_size_t), ("limited", c_int)]


library = ctypes.CDLL(options.library)
library.cv_allocate_bytes.restype = library.cv_walk_create.restype = c_void_p
library.cv_width.restype = c_size_t
level = library.cv_best_level()


def at(array):
    return c_void_p(array.ctypes.data)


def allocated(shape, dtype):
    """An array in memory of cv_allocate_bytes: on huge pages, as the index has it."""
    size = int(numpy.prod(shape)) * numpy.dtype(dtype).itemsize
    memory = (ctypes.c_char * size).from_address(library.cv_allocate_bytes(c_size_t(size)))
    return numpy.frombuffer(memory, dtype).reshape(shape)


class Coded:
    """Rows in one coding."""

    def __init__(self, coding, count, dimension):
        self.coding, self.dimension = coding, dimension
        self.width = library.cv_width(coding, c_size_t(dimension))
        self.codes = allocated((count, self.width // (1 + coding)), numpy.int8)
        self.scales, self.sums = numpy.zeros(count, numpy.float32), numpy.zeros(count, numpy.int32)
        self.rows = Codes(coding, self.width, count, at(self.codes), at(self.scales), at(self.sums))
        self.nbytes = self.codes.nbytes + self.scales.nbytes + (self.sums.nbytes if coding == 0 else 0)

    def encode(self, start, rows):
        if self.coding == 0:
            library.cv_encode(at(rows), c_size_t(len(rows)), c_size_t(self.dimension), c_size_t(self.dimension),
                              at(self.codes[start:]), at(self.scales[start:]), at(self.sums[start:]))
        else:
            # Named, so that it lives until the call is over.
            rotated = self.rotated(rows)
            library.cv_encode4(at(rotated), c_size_t(len(rows)), c_size_t(self.width), at(self.codes[start:]),
                               at(self.scales[start:]))

    def rotated(self, rows):
        out = numpy.zeros((len(rows), self.width), numpy.float32)
        library.cv_rotate(c_uint64(1), at(rows), c_size_t(len(rows)), c_size_t(self.dimension), c_size_t(self.dimension), at(out))
        return out

    def query(self, query):
        vector = query[None] if self.coding == 0 else self.rotated(query[None])
        self.kept = numpy.zeros(self.width, numpy.int8), numpy.zeros(1, numpy.float32), numpy.zeros(1, numpy.int32)
        library.cv_encode(at(vector), c_size_t(1), c_size_t(vector.shape[1]), c_size_t(vector.shape[1]), *map(at, self.kept))
        return Queries(1, *map(at, self.kept))


class Ours:
    """What is timed are the calls of the library, and not how Python passes them their arguments."""

    name = "ours"

    def __init__(self, gallery):
        self.count, self.dimension = gallery.shape
        self.coded = Coded(0, *gallery.shape)
        self.walked = Coded(1, *gallery.shape) if options.coding == 1 else self.coded
        self.halves = allocated(gallery.shape, numpy.uint16)
        for start in range(0, self.count, 65_536):
            rows = numpy.ascontiguousarray(gallery[start:start + 65_536], numpy.float32)
            library.cv_halves_of_floats(level, at(rows), c_size_t(rows.size), at(self.halves[start:]))
            self.coded.encode(start, rows)
            if options.coding == 1:
                self.walked.encode(start, rows)
        self.walk = c_void_p(library.cv_walk_create(c_size_t(self.count)))
        self.scores = numpy.zeros(self.count, numpy.float32)

    def build(self):
        self.graph, length = c_void_p(), c_size_t()
        wanted = GraphOptions(options.degree, options.breadth, 0, options.threads, 1)
        status = library.cv_graph_build(level, byref(self.coded.rows), byref(wanted), None, byref(self.graph), byref(length))
        if status:
            raise SystemExit(f"the graph was not built: status {status}")
        return (length.value + self.walked.nbytes) / self.count

    def exact(self, query, k):
        asked = self.coded.query(query)
        start = clock()
        library.cv_code_scores(level, byref(asked), byref(self.coded.rows), c_size_t(0), c_size_t(self.count), at(self.scores))
        rows = numpy.argpartition(-self.scores, 2 * k)[:2 * k].astype(numpy.uint32)
        elapsed = clock() - start
        best, more = self.rescored(query, rows, k)
        return elapsed + more, best

    def rescored(self, query, rows, k):
        scores = numpy.zeros(len(rows), numpy.float32)
        arguments = (level, at(query), c_size_t(1), at(self.halves), at(rows), c_size_t(len(rows)), c_size_t(self.dimension),
                     c_size_t(self.dimension), at(scores))
        start = clock()
        library.cv_half_scores_of_rows(*arguments)
        elapsed = clock() - start
        return rows[numpy.argsort(-scores, kind="stable")[:k]], elapsed

    def search(self, query, k, breadth):
        wanted = max(k, min(breadth, int(k * options.rescored)))
        rows, scores, report = numpy.zeros(wanted, numpy.uint32), numpy.zeros(wanted, numpy.float32), Report()
        request, asked = Request(0, wanted, breadth, 0, None, None), self.walked.query(query)
        arguments = (level, self.graph, byref(self.walked.rows), byref(asked), c_size_t(0), byref(request), self.walk, at(rows),
                     at(scores), byref(report))
        start = clock()
        library.cv_graph_search(*arguments)
        elapsed = clock() - start
        best, more = self.rescored(query, rows[:report.found], k)
        return elapsed + more, best


class HNSWLib:
    name = "hnswlib"

    def __init__(self, gallery):
        self.count, self.dimension = gallery.shape
        self.gallery = gallery
        self.index = hnswlib.Index("ip", self.dimension)

    def build(self):
        path = str(options.folder / "hnswlib-16-200")
        if os.path.exists(path):
            self.index.load_index(path, self.count)
        else:
            self.index.init_index(self.count, M=16, ef_construction=200, random_seed=1)
            self.index.set_num_threads(options.threads)
            for start in range(0, self.count, 65_536):
                self.index.add_items(numpy.asarray(self.gallery[start:start + 65_536], numpy.float32))
            self.index.save_index(path)
        self.index.set_num_threads(1)
        return os.path.getsize(path) / self.count

    def search(self, query, k, breadth):
        self.index.set_ef(breadth)
        start = clock()
        rows, _ = self.index.knn_query(query[None], k, num_threads=1)
        return clock() - start, rows[0]


class USearch:
    name = "usearch"

    def __init__(self, gallery):
        from usearch.index import Index
        self.gallery = gallery
        self.index = Index(ndim=gallery.shape[1], metric="ip", dtype="i8", connectivity=16, expansion_add=200)

    def build(self):
        path = options.folder / "usearch-i8-16-200"
        if path.exists():
            self.index.load(path)
        else:
            self.index.add(numpy.arange(len(self.gallery)), numpy.asarray(self.gallery, numpy.float32), threads=options.threads)
            self.index.save(path)
        return path.stat().st_size / len(self.gallery)

    def search(self, query, k, breadth):
        self.index.expansion_search = breadth
        start = clock()
        rows = self.index.search(query, k, threads=1).keys
        return clock() - start, rows


def recall_of(side, queries, truth, breadth):
    hits = [len(set(side.search(q, options.k, breadth)[1].tolist()) & set(t.tolist())) for q, t in zip(queries, truth)]
    return statistics.mean(hits) / options.k


def breadths(side, queries, truth):
    """The two breadths beside the recall, and where between them it lies; None where it is out of reach."""
    low, low_recall = options.k, recall_of(side, queries, truth, options.k)
    if low_recall >= options.recall:
        return low, low, 0.0
    while low < 16 * options.k:
        high = int(low * 1.3)
        high_recall = recall_of(side, queries, truth, high)
        if high_recall >= options.recall:
            return low, high, (options.recall - low_recall) / (high_recall - low_recall)
        low, low_recall = high, high_recall
    return None


gallery = numpy.load(options.folder / "gallery.npy", mmap_mode="r")
result = {"count": len(gallery), "dimension": gallery.shape[1], "k": options.k, "recall": options.recall}
ours = Ours(gallery)
sides = [ours, HNSWLib(gallery)] + ([] if options.no_usearch else [USearch(gallery)])

if not options.no_exact:
    flat = faiss.IndexFlatIP(gallery.shape[1])
    flat.add(numpy.asarray(gallery, numpy.float32))
    queries = numpy.load(options.folder / "pictures.npy")
    truth = numpy.load(options.folder / "pictures-truth.npy")
    rounds, hits = [], 0
    for _ in range(options.rounds):
        times = ([], [])
        for number in range(20):
            def theirs():
                start = clock()
                flat.search(queries[number:number + 1], 10)
                return clock() - start
            elapsed, rows = ours.exact(queries[number], 10)
            hits += len(set(rows.tolist()) & set(truth[number, :10].tolist()))
            times[0].append(elapsed)
            times[1].append(theirs())
        rounds.append([statistics.median(side) * 1e3 for side in times])
    result["exact"] = {
        "ours_ms": statistics.median(r[0] for r in rounds), "faiss_ms": statistics.median(r[1] for r in rounds),
        "ratio": statistics.median(r[1] / r[0] for r in rounds), "recall_at_10": hits / (options.rounds * 200)}
    del flat
    print(json.dumps(result["exact"]), flush=True)

for side in sides:
    start = build_clock()
    result[side.name] = {"bytes_a_vector": side.build(), "build_or_load_s": build_clock() - start}
    print(side.name, json.dumps(result[side.name]), flush=True)

for kind in ("pictures", "texts"):
    queries = numpy.load(options.folder / f"{kind}.npy")[:options.queries]
    truth = numpy.load(options.folder / f"{kind}-truth.npy")[:options.queries, :options.k]
    places = {side: breadths(side, queries, truth) for side in sides}
    rounds = []
    for _ in range(options.rounds):
        times = {side: ([], []) for side in sides}
        for number, query in enumerate(queries):
            for turn in range(len(sides)):
                side = sides[(number + turn) % len(sides)]
                for end in range(2 if places[side] else 0):
                    times[side][end].append(side.search(query, options.k, places[side][end])[0])
        rounds.append({
            side.name: 1e6 * (statistics.median(times[side][0]) * (1 - places[side][2])
                              + statistics.median(times[side][1]) * places[side][2])
            for side in sides if places[side]})
    result[kind] = {
        side.name: {"ef": places[side][:2], "us": statistics.median(r[side.name] for r in rounds),
                    "ratio_to_ours": statistics.median(r[side.name] / r["ours"] for r in rounds)}
        for side in sides if places[side] and places[ours]}
    print(kind, json.dumps(result[kind]), flush=True)
print(json.dumps(result))
