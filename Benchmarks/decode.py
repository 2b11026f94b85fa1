"""Decode and preprocess, Imaging against Pillow: JPEG bytes -> RGB -> shortest side 224, bicubic -> centre crop of 224.

    python Benchmarks/decode.py [--program .build/release/ImagingBenchmark] [--photos FOLDER] [--rounds 5] [--repeats 10]

Both run on one thread. Rounds are interleaved and the medians compared; the pixels of both are compared by their Adler-32. The JPEGs are generated (noise on
gradients, 256 to 1200 pixels, 4:2:0 and 4:4:4, baseline and progressive); with --photos the first eight JPEGs of a folder are measured too.
"""

import argparse
import io
import pathlib
import statistics
import subprocess
import tempfile
import time
import zlib

import numpy as np
from PIL import Image

SIDE = 224


def generated(folder):
    """Eight JPEGs that compress about as photos do: gradients, soft blobs and some noise."""
    rng = np.random.default_rng(1)
    paths = []
    for index, (width, height, quality, subsampling, progressive) in enumerate([
        (256, 256, 85, 2, False), (341, 256, 90, 2, False), (500, 400, 85, 0, False), (640, 480, 80, 2, False),
        (600, 800, 90, 2, False), (1024, 768, 85, 2, True), (800, 1200, 85, 2, False), (1200, 900, 92, 0, False),
    ]):  # fmt: skip
        y, x = np.mgrid[0:height, 0:width]
        planes = []
        for _ in range(3):
            plane = 255 * (x * rng.random() / width + y * rng.random() / height) / 2
            for _ in range(12):
                cx, cy, size = rng.random() * width, rng.random() * height, (0.05 + 0.2 * rng.random()) * width
                plane = plane + rng.normal(0, 60) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / size**2)
            planes.append(plane + rng.normal(0, 4, plane.shape))
        pixels = np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)
        path = folder / f"generated-{index}-{width}x{height}{'-progressive' if progressive else ''}.jpg"
        Image.fromarray(pixels).save(path, quality=quality, subsampling=subsampling, progressive=progressive)
        paths.append(path)
    return paths


def preprocess(data):
    # No exif_transpose: it would cost Pillow a copy of the picture. Ours applies the orientation, so photos that have one differ.
    image = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = image.size
    long = int(SIDE * max(width, height) / min(width, height))
    size = (SIDE, long) if width <= height else (long, SIDE)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - SIDE) / 2), round((size[1] - SIDE) / 2)
    return image.crop((left, top, left + SIDE, top + SIDE))


def pillow(paths, repeats):
    results = []
    for path in paths:
        data = path.read_bytes()
        start = time.perf_counter()
        for _ in range(repeats):
            image = preprocess(data)
            image.load()
        results.append((time.perf_counter() - start, zlib.adler32(image.tobytes())))
    return results


def ours(program, paths, repeats):
    lines = subprocess.run([program, str(repeats), *map(str, paths)], check=True, capture_output=True, text=True).stdout.splitlines()
    return [(float(seconds), int(checksum)) for seconds, checksum in (line.split() for line in lines)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parents[1]
    parser.add_argument("--program", type=pathlib.Path, default=root / ".build/release/ImagingBenchmark")
    parser.add_argument("--photos", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=10)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = generated(pathlib.Path(folder))
        if chosen.photos:
            paths += sorted(chosen.photos.rglob("*.jpg"))[:8]
        pillow(paths, 1), ours(chosen.program, paths, 1)
        rounds = [(ours(chosen.program, paths, chosen.repeats), pillow(paths, chosen.repeats)) for _ in range(chosen.rounds)]
    print(f"{'file':44} {'ours ms':>9} {'Pillow ms':>10} {'times as fast':>14}  pixels")
    totals = [0.0, 0.0]
    for index, path in enumerate(paths):
        medians = [statistics.median(done[side][index][0] for done in rounds) / chosen.repeats for side in (0, 1)]
        same = all(done[0][index][1] == done[1][index][1] for done in rounds)
        totals = [total + median for total, median in zip(totals, medians)]
        name = path.name if len(path.name) <= 44 else "..." + path.name[-41:]
        print(f"{name:44} {1e3 * medians[0]:9.3f} {1e3 * medians[1]:10.3f} {medians[1] / medians[0]:14.2f}  {'equal' if same else 'DIFFERENT'}")
    print(f"{'all':44} {1e3 * totals[0]:9.3f} {1e3 * totals[1]:10.3f} {totals[1] / totals[0]:14.2f}")


if __name__ == "__main__":
    main()
