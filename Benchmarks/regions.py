"""Several garments in one picture: how many of them `POST /regions` proposes, and how many of its proposals are garments.

    python Benchmarks/regions.py PROGRAM [--pictures 60]

Drawn garments that lie flat, hang or stand on a mannequin are cut out of their plain background and laid out two to four in a picture, on a background of a
soft gradient with a little noise. A garment is found where a proposal's box overlaps its own by half (intersection over union). The 95 % intervals are Wilson's.
What this says holds for garments that lie apart on a quiet background, and for nothing else.
"""

import argparse
import http.client
import io
import json
import math
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

from PIL import Image, ImageChops, ImageFilter

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--pictures", type=int, default=60)
options = parser.parse_args()


def cut(path):
    """The garment, its mask and nothing around it; None where the background is not plain."""
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((320, 320))
    ground = Image.new("RGB", picture.size, picture.getpixel((3, 3)))
    mask = ImageChops.difference(picture, ground).convert("L").point(lambda value: 255 if value > 24 else 0)
    mask = mask.filter(ImageFilter.MedianFilter(5))
    box = mask.getbbox()
    if not box or (box[2] - box[0]) * (box[3] - box[1]) < 4000 or box[0] < 3 or box[2] > picture.width - 3:
        return None
    return picture.crop(box), mask.crop(box)


def layout(garments, dice, width=900, height=700):
    base = [dice.randint(165, 250) for _ in range(3)]
    end = [max(0, min(255, value + dice.randint(-18, 18))) for value in base]
    column = Image.new("RGB", (1, height))
    for y in range(height):
        column.putpixel((0, y), tuple(int(a + (b - a) * y / height) for a, b in zip(base, end)))
    picture = column.resize((width, height))
    noise = Image.effect_noise((width, height), 6).convert("RGB")
    picture = ImageChops.add(picture, noise, scale=1, offset=-128)
    boxes = []
    places = [(x, y) for x in (0, 300, 600) for y in (0, 350)]
    for (left, top), (garment, mask) in zip(dice.sample(places, len(garments)), garments):
        scale = min(280 / garment.width, 330 / garment.height)
        size = (int(garment.width * scale), int(garment.height * scale))
        x, y = left + dice.randint(0, 298 - size[0]), top + dice.randint(0, 348 - size[1])
        picture.paste(garment.resize(size), (x, y), mask.resize(size))
        boxes.append((x / width, y / height, size[0] / width, size[1] / height))
    return picture, boxes


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def share(hits, count):
    p, z = hits / count, 1.96
    middle, reach = (p + z * z / (2 * count)) / (1 + z * z / count), z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return f"{p:.2f} [{middle - reach:.2f}, {middle + reach:.2f}] ({hits} of {count})"


dice = random.Random(7)
with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    server = subprocess.Popen([options.program, "demo", "--port", "0", "--garments", "120", "--folder", str(work)], stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(line.split(":")[2].split("/")[0]) for line in server.stderr if line.startswith("Open http"))
        rows = [json.loads(line) for line in open(work / "boutique/manifest.jsonl", encoding="utf-8")]
        plain = [row for row in rows if row.get("view") == "main" and row.get("presentation") in ("flat", "hanger", "mannequin")]
        garments = [garment for garment in (cut(work / "boutique" / row["image"]) for row in plain) if garment]
        found = wanted = right = proposed = 0
        times = []
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(options.pictures):
            picture, boxes = layout(dice.sample(garments, dice.randint(2, 4)), dice)
            body = io.BytesIO()
            picture.save(body, "JPEG", quality=88)
            form = b'--e\r\nContent-Disposition: form-data; name="image"; filename="q"\r\n\r\n' + body.getvalue() + b"\r\n--e--\r\n"
            start = time.perf_counter()
            connection.request("POST", "/api/v1/regions", form, {"Content-Type": "multipart/form-data; boundary=e"})
            answer = json.loads(connection.getresponse().read())
            times.append(time.perf_counter() - start)
            regions = [tuple(map(float, region["crop"].split(","))) for region in answer["regions"]]
            found += sum(any(overlap(box, region) >= 0.5 for region in regions) for box in boxes)
            right += sum(any(overlap(box, region) >= 0.5 for box in boxes) for region in regions)
            wanted, proposed = wanted + len(boxes), proposed + len(regions)
        print(f"{options.pictures} pictures of {len(garments)} cut-out garments, {answer['model']}")
        print(f"garments that a box proposes: {share(found, wanted)}")
        print(f"proposals that are a garment: {share(right, proposed)}")
        print(f"median time {statistics.median(times) * 1000:.0f} ms")
    finally:
        server.terminate()
        server.wait()
