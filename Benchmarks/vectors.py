"""Writes seeded sets of vectors that are like CLIP's, for benchmarks of search.

    python Benchmarks/vectors.py FOLDER [--count 100000] [--dimension 512] [--queries 1000] [--texts 1000] [--type float32] [--seed 1]

FOLDER gets `gallery.npy` [count, dimension], `pictures.npy` [queries, dimension], `texts.npy` [texts, dimension], all of unit
length, and with --truth K `pictures-truth.npy` and `texts-truth.npy` [queries, K]: the best rows by float32 dot products.
Needs numpy. The gallery is written in pieces of 65,536 rows, whatever its size; a row depends on the seed and on its number
alone, so that a small set is the beginning of a large one.

What the sets have of CLIP's vectors:

- A cone: pictures share a mean direction, and so do texts, another one (the modality gap, Liang et al. 2022, arXiv:2203.02053).
  Any two pictures have a cosine of about .5, a text and its picture of about .3.
- Clusters of clusters of uneven sizes, and in them a spectrum that decays: a few dozen directions hold most of the variance.
- A text says a part of what a picture shows. Its neighbours are pictures like that one, but it lies outside of their cloud:
  hnswlib needs two and a half to three times as long for it as for a picture at a recall of .95 of the best 100 among 100,000 (about four
  times with LAION's texts among a million, in VIBE).
- A tenth of the pictures is almost another one (the same product, photographed again).
"""

import argparse
import pathlib

import numpy

PIECE = 65_536


class World:
    """The directions that all vectors of a seed share."""

    def __init__(self, dimension, seed):
        random = numpy.random.default_rng([seed, 0])
        self.dimension, self.seed = dimension, seed
        # A rotation, so that no direction is an axis.
        self.rotation = numpy.linalg.qr(random.standard_normal((dimension, dimension)))[0].astype(numpy.float32)
        spectrum = (1 + numpy.arange(dimension) / 12) ** -0.75
        self.spectrum = (spectrum / numpy.linalg.norm(spectrum)).astype(numpy.float32)
        self.outer = self.drawn(random, 400)
        inner = self.drawn(random, 8_000)
        self.inner = 0.75 * self.outer[numpy.arange(len(inner)) % len(self.outer)] + 0.65 * inner
        weights = 1 / (10 + numpy.arange(len(inner)))
        self.weights = random.permutation(weights / weights.sum())
        self.picture_mean, self.text_mean = self.direction(random), self.direction(random)

    def drawn(self, random, count):
        """[count, dimension] of about unit length, in the world's spectrum."""
        return random.standard_normal((count, self.dimension), dtype=numpy.float32) * self.spectrum

    def direction(self, random):
        vector = random.standard_normal(self.dimension).astype(numpy.float32)
        return vector / numpy.linalg.norm(vector)

    def meanings(self, random, count):
        """What pictures show, before it becomes a vector."""
        cluster = random.choice(len(self.inner), count, p=self.weights)
        meaning = 0.7 * self.inner[cluster] + 0.7 * self.drawn(random, count)
        again = numpy.flatnonzero(random.random(count) < 0.1)
        if count > 1:
            meaning[again] = meaning[(again + 1) % count] + 0.12 * self.drawn(random, len(again))
        return meaning

    def finished(self, vectors):
        vectors = vectors @ self.rotation
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)

    def pictures(self, count, stream, piece=0):
        random = numpy.random.default_rng([self.seed, stream, piece])
        return self.finished(self.picture_mean + self.meanings(random, PIECE if stream == 1 else count)[:count])

    def texts(self, count):
        random = numpy.random.default_rng([self.seed, 3])
        said = 0.55 * self.meanings(random, count) + 0.45 * self.drawn(random, count)
        return self.finished(self.text_mean + 0.15 * self.picture_mean + said)


def best(gallery, queries, k):
    """[queries, k] row numbers, best first."""
    scores = numpy.full((len(queries), k), -numpy.inf, numpy.float32)
    rows = numpy.zeros((len(queries), k), numpy.int64)
    for start in range(0, len(gallery), PIECE):
        piece = queries @ numpy.asarray(gallery[start:start + PIECE], numpy.float32).T
        all_scores = numpy.concatenate([scores, piece], axis=1)
        all_rows = numpy.concatenate([rows, numpy.broadcast_to(numpy.arange(start, start + piece.shape[1]), piece.shape)], axis=1)
        kept = numpy.argpartition(-all_scores, k - 1, axis=1)[:, :k]
        scores, rows = (numpy.take_along_axis(a, kept, axis=1) for a in (all_scores, all_rows))
    return numpy.take_along_axis(rows, numpy.argsort(-scores, axis=1, kind="stable"), axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--type", choices=["float32", "float16"], default="float32")
    parser.add_argument("--truth", type=int, default=0, metavar="K")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    world = World(options.dimension, options.seed)
    path = options.folder / "gallery.npy"
    gallery = numpy.lib.format.open_memmap(
        path, mode="w+", dtype=options.type, shape=(options.count, options.dimension))
    for piece, start in enumerate(range(0, options.count, PIECE)):
        count = min(PIECE, options.count - start)
        gallery[start:start + count] = world.pictures(count, 1, piece)
        gallery.flush()
    queries = {"pictures": world.pictures(options.queries, 2), "texts": world.texts(options.texts)}
    gallery = numpy.load(path, mmap_mode="r")
    for name, vectors in queries.items():
        numpy.save(options.folder / f"{name}.npy", vectors)
        if options.truth:
            numpy.save(options.folder / f"{name}-truth.npy", best(gallery, vectors, options.truth))


if __name__ == "__main__":
    main()
