"""Filtered searches over HTTP in a large catalogue: latency by 8 clients, and /healthz beside them.

    python Benchmarks/filters.py PROGRAM [--images 400000] [--seconds 20] [--clients 8] [--model small-resnet]

One tiny picture is imported and embedded; its rows are then repeated under many names, each with attributes and a random unit vector, by SQL: the
search reads what an import would have written. Clients ask by a catalogue picture, so that neither decoding nor encoding hides the search, with three
filter clauses (colour, size, a price range), and ask for `similar` in the same way. /healthz is asked all the while: its p99 says whether a
search holds up other requests. Memory is the server's peak (VmHWM) beside the bytes of the vectors.
"""

import argparse
import concurrent.futures
import http.client
import json
import pathlib
import random
import re
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time

from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--images", type=int, default=400_000)
parser.add_argument("--seconds", type=float, default=20)
parser.add_argument("--clients", type=int, default=8)
parser.add_argument("--model", default="small-resnet")
parser.add_argument("--keep", help="folder for the catalogue, used again where it is there already")
options = parser.parse_args()

COLORS = ["black", "white", "red", "navy", "green", "grey", "beige", "pink", "blue", "brown", "yellow", "purple"]
SIZES = ["XS", "S", "M", "L", "XL", "XXL"]
KINDS = ["Women/Dresses", "Women/Coats", "Women/Skirts", "Men/Shirts", "Men/Trousers", "Men/Coats"]


def command(*arguments):
    subprocess.run([options.program, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def make_catalogue(path, folder):
    """Two pictures a product; attributes drawn from a seed."""
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), (120, 30, 40)).save(folder / "0.png")
    command("import", folder, "--catalog", path)
    command("embed", "--catalog", path, "--model", options.model)
    draw = random.Random(7)
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = OFF")
    source, sha, size, changed = database.execute("SELECT source, sha256, size, changed FROM images").fetchone()
    (first,) = database.execute("SELECT id FROM images").fetchone()
    ((model, dimension),) = database.execute("SELECT id, dimension FROM models").fetchall()
    pack = struct.Struct(f"<{dimension}f")
    with database:
        for number in range(options.images // 2):
            product = f"P{number:07}"
            database.execute(
                "INSERT INTO products (id, title, category, brand, price, currency, in_stock) VALUES (?, ?, ?, ?, ?, 'EUR', 1)",
                (product, f"Garment {number}", draw.choice(KINDS), f"Brand {number % 37}", round(draw.uniform(5, 300), 2)))
            database.execute("INSERT INTO product_attributes VALUES (?, 'size', ?)", (product, draw.choice(SIZES)))
            for view in ("front", "back"):
                cursor = database.execute(
                    "INSERT INTO images (product_id, path, source, sha256, size, changed, width, height, view, color, state)"
                    " VALUES (?, ?, ?, ?, ?, ?, 8, 8, ?, ?, 'ok')",
                    (product, f"{folder}/{product}-{view}.png", source, sha, size, changed, view, draw.choice(COLORS)))
                vector = [draw.gauss(0, 1) for _ in range(dimension)]
                length = sum(value * value for value in vector) ** 0.5
                blob = pack.pack(*(value / length for value in vector))
                database.execute("INSERT INTO vectors (image_id, model_id, components) VALUES (?, ?, ?)", (cursor.lastrowid, model, blob))
    database.close()
    return first


def ask(connection, method, path, body=None):
    start = time.perf_counter()
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    data = answer.read()
    return time.perf_counter() - start, answer.status, data


def quantiles(seconds):
    times = sorted(1000 * value for value in seconds)
    return {f"p{share}_ms": round(times[min(len(times) - 1, len(times) * share // 100)], 1) for share in (50, 95, 99)} if times else {}


def load(port, requests):
    """All clients ask for some seconds, /healthz beside them ten times a second."""
    end = time.perf_counter() + options.seconds
    health, stop = [], threading.Event()

    def probe():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not stop.is_set():
            health.append(ask(connection, "GET", "/healthz")[0])
            stop.wait(0.1)

    def client(seed):
        draw = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        done, refused, parts = [], 0, []
        while time.perf_counter() < end:
            seconds, status, data = ask(connection, *requests(draw))
            if status == 200:
                done.append(seconds)
                parts.append(json.loads(data).get("timing_ms", {}))
            elif status == 503:
                refused += 1
            else:
                raise SystemExit(f"answered {status}: {data[:300]}")
        return done, refused, parts

    prober = threading.Thread(target=probe)
    prober.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(options.clients) as pool:
            results = list(pool.map(client, range(options.clients)))
    finally:
        stop.set()
        prober.join()
    done = [value for result in results for value in result[0]]
    parts = [part for result in results for part in result[2]]
    named = {}
    for key in sorted({key for part in parts for key in part}):
        values = sorted(part[key] for part in parts if key in part)
        named[key] = [values[len(values) // 2], values[min(len(values) - 1, len(values) * 99 // 100)]]
    return {
        "answers": len(done), "per_second": round(len(done) / options.seconds, 1), **quantiles(done), "refused": sum(result[1] for result in results),
        "server_ms_median_p99": named, "healthz": quantiles(health)}


with tempfile.TemporaryDirectory() as temporary:
    work = pathlib.Path(options.keep or temporary)
    work.mkdir(exist_ok=True)
    catalogue = work / f"{options.images}.db"
    if not catalogue.exists():
        make_catalogue(catalogue, work / "picture")
    begin = time.perf_counter()
    log = work / "server.log"
    server = subprocess.Popen(
        [options.program, "serve", "--catalog", str(catalogue), "--model", options.model, "--port", "0"], stderr=log.open("w"))
    try:
        while not (found := re.search(r"Open http://127\.0\.0\.1:(\d+)/", log.read_text())):
            if server.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.01)
        port = int(found[1])
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        memory = {key: round(int(re.search(rf"{key}:\s+(\d+)", status)[1]) / 1024) for key in ("VmHWM", "VmRSS")}
        print(json.dumps({"what": "start to ready", "images": options.images, "seconds": round(time.perf_counter() - begin, 2), "memory_mb": memory}), flush=True)

        def search(draw, filters):
            body = {"image_id": str(draw.randrange(2, options.images)), "top_k": 20}
            if filters:
                low = draw.randrange(5, 150)
                body["filter"] = [f"color:{draw.choice(COLORS)}", f"size:{draw.choice(SIZES)}", f"price:{low}..{low + 100}"]
            return "POST", "/api/v1/search", json.dumps(body)

        def similar(draw):
            return "GET", f"/api/v1/products/P{draw.randrange(options.images // 2):07}/similar"

        def browse(draw):
            return "GET", f"/api/v1/products?filter=color:{draw.choice(COLORS)}&filter=size:{draw.choice(SIZES)}&filter=price:20..120"

        for what, requests in (
            ("three filter clauses", lambda draw: search(draw, True)), ("no filter", lambda draw: search(draw, False)), ("similar", similar),
            ("browse, three clauses, facets", browse),
        ):
            print(json.dumps({"what": what, "clients": options.clients, **load(port, requests)}), flush=True)
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        print(json.dumps({"what": "memory", **{key: round(int(re.search(rf"{key}:\s+(\d+)", status)[1]) / 1024) for key in ("VmHWM", "VmRSS")}}))
    finally:
        server.terminate()
        server.wait(timeout=30)
