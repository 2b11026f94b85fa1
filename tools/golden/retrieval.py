"""Writes Tests/RetrievalTests/Fixtures/ranking.json: ranking metrics of small, hard cases, computed with numpy from the definitions,
by sorting whole rankings; and colour histograms of synthetic pictures, their HSV made by Pillow.

    python tools/golden/retrieval.py
"""

import json
import pathlib

import numpy
from PIL import Image

FIXTURE = pathlib.Path(__file__).parents[2] / "Tests/RetrievalTests/Fixtures/ranking.json"
CUTOFFS = [1, 2, 5, 10, 40]


def ranking(scores, relevant):
    """Descending score; at equal scores what is not relevant comes first."""
    order = numpy.lexsort((relevant, -scores))
    return relevant[order]


def pictures_of(vectors, products, labels, query, gallery):
    """Scores and relevance of the gallery's pictures."""
    others = [row for row in gallery if row != query]
    return vectors[others] @ vectors[query], numpy.array([labels[row] == labels[query] for row in others])


def products_of(score):
    """The same of its products, each by its pictures beside the query; score is given their vectors and the query's."""
    def candidates(vectors, products, labels, query, gallery):
        members = {}
        for row in gallery:
            if row != query:
                members.setdefault(products[row], []).append(row)
        return (numpy.array([score(vectors[rows], vectors[query]) for rows in members.values()]),
                numpy.array([any(labels[row] == labels[query] for row in rows) for rows in members.values()]))
    return candidates


def best(pictures, query):
    return (pictures @ query).max()


def centroid(pictures, query):
    mean = pictures.astype(numpy.float64).mean(axis=0)
    return (mean / numpy.linalg.norm(mean)) @ query


def metrics(vectors, labels, queries, gallery, products=None, candidates=pictures_of):
    rows, without, firsts = [], 0, []
    for query in queries:
        relevant = ranking(*candidates(vectors, products, labels, query, gallery))
        count = int(relevant.sum())
        if count == 0:
            without += 1
            continue
        hits = numpy.cumsum(relevant)
        precision = hits / numpy.arange(1, len(relevant) + 1)
        firsts.append(int(numpy.argmax(relevant)) + 1)
        padded = numpy.concatenate([relevant, numpy.zeros(max(CUTOFFS), bool)])
        rows.append(
            [float(padded[:k].any()) for k in CUTOFFS] + [padded[:k].sum() / k for k in CUTOFFS] + [
                (precision * relevant).sum() / count, relevant[:count].sum() / count,
                (precision * relevant)[:count].sum() / count, 1 / firsts[-1]])
    means = numpy.mean(rows, axis=0).tolist()
    n = len(CUTOFFS)
    return {
        "queries": len(queries), "without": without, "recall": means[:n], "precision": means[n:2 * n], "map": means[2 * n],
        "r_precision": means[2 * n + 1], "map_at_r": means[2 * n + 2], "mrr": means[2 * n + 3],
        "median_rank": float(numpy.median(firsts))}


def case(name, count, dimension, label_count, generator):
    # Entries of 1/2: dot products are exact in single precision, so that ties are ties in every implementation.
    vectors = numpy.zeros((count, dimension), numpy.float32)
    for row in vectors:
        row[generator.choice(dimension, 4, replace=False)] = generator.choice([-0.5, 0.5], 4)
    labels = generator.integers(0, label_count, count).tolist()
    split = generator.permutation(count).tolist()
    queries, gallery = split[: count // 3], split[count // 4:]
    return {
        "name": name, "dimension": dimension, "vectors": (2 * vectors).astype(int).ravel().tolist(), "labels": labels,
        "queries": queries, "gallery": gallery, "cutoffs": CUTOFFS, "expected": metrics(vectors, labels, queries, gallery),
        "leave_one_out": metrics(vectors, labels, range(count), range(count))}


def product_case(name, candidates, vectors, products, labels, generator):
    """At the level of products; vectors of any numbers, as float32."""
    count = len(products)
    split = generator.permutation(count).tolist()
    queries, gallery = split[: count // 3], split[count // 4:]
    return {
        "name": name, "dimension": vectors.shape[1], "vectors": [float(value) for value in vectors.ravel()], "products": products,
        "labels": labels, "queries": queries, "gallery": gallery, "cutoffs": CUTOFFS,
        "expected": metrics(vectors, labels, queries, gallery, products, candidates),
        "leave_one_out": metrics(vectors, labels, range(count), range(count), products, candidates)}


def product_cases(generator):
    halves = numpy.zeros((70, 6), numpy.float32)
    for row in halves:
        row[generator.choice(6, 4, replace=False)] = generator.choice([-0.5, 0.5], 4)
    products = generator.integers(0, 17, 70).tolist()
    yield product_case("best picture, many ties", products_of(best), halves, products, products, generator)
    yield product_case(
        "best picture, other labels", products_of(best), halves, products, generator.integers(0, 6, 70).tolist(), generator)
    # No two scores are so near each other that single precision could turn them round.
    spread = generator.standard_normal((90, 16)).astype(numpy.float32)
    spread /= numpy.linalg.norm(spread, axis=1, keepdims=True)
    products = generator.integers(0, 25, 90).tolist()
    yield product_case("centroid", products_of(centroid), spread, products, products, generator)
    yield product_case(
        "centroid, other labels", products_of(centroid), spread, products, generator.integers(0, 6, 90).tolist(), generator)


def ndkl(ranked, gallery):
    """Geyik, Ambler and Kenthapadi 2019: prefix by prefix, written as the formula is."""
    values = sorted(set(gallery))
    desired = numpy.array([gallery.count(value) / len(gallery) for value in values])
    total = normalizer = 0.0
    for i in range(1, len(ranked) + 1):
        shares = numpy.array([ranked[:i].count(value) / i for value in values])
        kept = shares > 0
        divergence = float((shares[kept] * numpy.log(shares[kept] / desired[kept])).sum())
        total += divergence / numpy.log2(i + 1)
        normalizer += 1 / numpy.log2(i + 1)
    return total / normalizer


def skew_case(generator):
    gallery = generator.choice(["black", "white", "red", "blue", "green"], 60, p=[0.4, 0.3, 0.15, 0.1, 0.05]).tolist()
    first = [generator.choice(gallery, length).tolist() for length in (10, 10, 10, 3, 1)]
    return {"gallery": gallery, "first": first, "ndkl": float(numpy.mean([ndkl(ranked, gallery) for ranked in first]))}


def hsv(pixels):
    """Pillow's HSV: three whole numbers 0...255 a pixel."""
    image = Image.fromarray(pixels.reshape(1, -1, 3).astype(numpy.uint8), "RGB")
    return numpy.asarray(image.convert("HSV")).reshape(-1, 3).astype(int)


def histogram(pixels):
    hue, saturation, value = hsv(pixels).T
    kept = ~((value > 230) & (saturation < 20))
    bins = (hue * 12 // 256) * 9 + (saturation * 3 // 256) * 3 + value * 3 // 256
    counts = numpy.bincount(bins[kept], minlength=108)
    if counts.sum() == 0:
        counts[:] = 1
    vector = numpy.sqrt(counts)
    return (vector / numpy.linalg.norm(vector)).tolist()


def every_color():
    """A sum over all 2^24 colours in which each counts with a weight of its own, modulo 2^64."""
    total = 0
    for red in range(256):
        green, blue = numpy.mgrid[0:256, 0:256]
        pixels = numpy.stack([numpy.full_like(green, red), green, blue], axis=-1)
        hue, saturation, value = hsv(pixels).astype(numpy.uint64).T
        index = numpy.arange(red << 16, (red + 1) << 16, dtype=numpy.uint64)
        weights = index * numpy.uint64(0x9E3779B97F4A7C15) | numpy.uint64(1)
        total += int((((hue << 16) | (saturation << 8) | value) * weights).sum())
    return str(total % 2**64)


def pictures(generator):
    yield "noise", generator.integers(0, 256, (9, 7, 3))
    yield "pastel", generator.integers(200, 256, (8, 8, 3))
    yield "dark", generator.integers(0, 30, (5, 6, 3))
    yield "grey", numpy.repeat(numpy.arange(0, 256, 5).reshape(-1, 1, 1), 3, axis=2)
    yield "white", numpy.full((4, 4, 3), 250)
    yield "corners", numpy.array([[[r, g, b] for r in (0, 85, 170, 255)] for g in (0, 128, 255) for b in (0, 127, 255)])


generator = numpy.random.default_rng(20)
content = {
    "rankings": [case("many ties", 40, 6, 9, generator), case("few relevant", 60, 12, 45, generator)],
    "every_color": every_color(),
    "pictures": [
        {"name": name, "width": picture.shape[1], "height": picture.shape[0], "pixels": picture.ravel().tolist(),
         "histogram": histogram(picture)} for name, picture in pictures(generator)],
}
# A generator of their own: what was there before stays as it is.
generator = numpy.random.default_rng(21)
content["products"] = list(product_cases(generator))
content["skew"] = skew_case(generator)
FIXTURE.write_text(json.dumps(content, separators=(",", ":")) + "\n")
print(f"{FIXTURE}: {FIXTURE.stat().st_size} bytes")
