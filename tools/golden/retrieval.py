"""Writes Tests/RetrievalTests/Fixtures/ranking.json: ranking metrics of small, hard cases, computed with numpy from the definitions,
by sorting whole rankings; and colour histograms of synthetic pictures.

    python tools/golden/retrieval.py
"""

import json
import pathlib

import numpy

FIXTURE = pathlib.Path(__file__).parents[2] / "Tests/RetrievalTests/Fixtures/ranking.json"
CUTOFFS = [1, 2, 5, 10, 40]


def ranking(scores, relevant):
    """Descending score; at equal scores what is not relevant comes first."""
    order = numpy.lexsort((relevant, -scores))
    return relevant[order]


def metrics(vectors, labels, queries, gallery):
    rows, without, firsts = [], 0, []
    for query in queries:
        others = [row for row in gallery if row != query]
        relevant = ranking(vectors[others] @ vectors[query], numpy.array([labels[row] == labels[query] for row in others]))
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


def histogram(pixels):
    """Plain, slow, and in whole numbers wherever a bin is decided."""
    counts = numpy.zeros(108)
    for r, g, b in pixels.reshape(-1, 3).tolist():
        high, low = max(r, g, b), min(r, g, b)
        spread = high - low
        if is_near_white(high, spread):
            continue
        if spread == 0:
            sector = 0
        elif high == r:
            sector = ((g - b) * 2 // spread) % 12
        elif high == g:
            sector = (b - r) * 2 // spread + 4
        else:
            sector = (r - g) * 2 // spread + 8
        saturation = min(3 * spread // high, 2) if high else 0
        value = min(3 * high // 255, 2)
        counts[sector * 9 + saturation * 3 + value] += 1
    if counts.sum() == 0:
        counts[:] = 1
    vector = numpy.sqrt(counts)
    return (vector / numpy.linalg.norm(vector)).tolist()


def is_near_white(high, spread):
    """V > 0.9 and S < 0.1."""
    return 10 * high > 9 * 255 and 10 * spread < high


def pictures(generator):
    yield "noise", generator.integers(0, 256, (9, 7, 3))
    yield "pastel", generator.integers(200, 256, (8, 8, 3))
    yield "dark", generator.integers(0, 30, (5, 6, 3))
    yield "grey", numpy.repeat(numpy.arange(0, 256, 5).reshape(-1, 1, 1), 3, axis=2)
    yield "white", numpy.full((4, 4, 3), 250)
    yield "corners", numpy.array([[[r, g, b] for r in (0, 85, 170, 255)] for g in (0, 128, 255) for b in (0, 127, 255)])


generator = numpy.random.default_rng(20)
FIXTURE.write_text(json.dumps({
    "rankings": [case("many ties", 40, 6, 9, generator), case("few relevant", 60, 12, 45, generator)],
    "pictures": [
        {"name": name, "width": picture.shape[1], "height": picture.shape[0], "pixels": picture.ravel().tolist(),
         "histogram": histogram(picture)} for name, picture in pictures(generator)],
}, separators=(",", ":")) + "\n")
print(f"{FIXTURE}: {FIXTURE.stat().st_size} bytes")
