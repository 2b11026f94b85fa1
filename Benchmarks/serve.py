"""Queries over HTTP: latency and throughput of `stylefinder serve`, by 1 and by 8 clients, with the server's own split of the time.

    python Benchmarks/serve.py PROGRAM [--products 10000] [--queries 400] [--models small-resnet small-vit] [--puts 20] [--work DIR]

A catalogue of --products garments is generated (solid pictures of many colours), embedded and served on a free port of 127.0.0.1. Clients
keep their connections and send 384 x 512 JPEGs of drawn garments. Beside the searches, /healthz measures what HTTP itself costs in the same
run: the ratio says how much of a query is not the web. Then, while one client searches, new products are put: how long it takes from the PUT of a product
to the answer of the POST of its picture, from which on it must be found, with vectors of all models. Memory is the server's resident peak (VmHWM).

The catalogue lies in --work, a temporary folder where it is left out, and is used again.
"""

import argparse
import concurrent.futures
import http.client
import io
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--products", type=int, default=10_000)
parser.add_argument("--queries", type=int, default=400)
parser.add_argument("--models", nargs="+", default=["small-resnet", "small-vit"])
parser.add_argument("--puts", type=int, default=20)
parser.add_argument("--work", type=pathlib.Path)
options = parser.parse_args()
TOKEN = "a-token-for-this-benchmark-alone"
STARTS = 5


def command(*arguments):
    subprocess.run([options.program, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def form(picture, model):
    edge = b"----edge"
    values = () if model is None else ((b"model", model.encode()), (b"top_k", b"12"))
    fields = b"".join(b"--" + edge + b'\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % value for value in values)
    head = b"--" + edge + b'\r\nContent-Disposition: form-data; name="image"; filename="q.jpg"\r\n\r\n'
    return fields + head + picture + b"\r\n--" + edge + b"--\r\n", {"Content-Type": "multipart/form-data; boundary=" + edge.decode()}


def client(port, requests):
    """Sends (method, path, body, headers) one after the other over one connection; seconds and answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    results = []
    for method, path, body, headers in requests:
        start = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        results.append((time.perf_counter() - start, data))
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {data[:200]}")
    connection.close()
    return results


def measure(port, requests, clients):
    parts = [requests[place::clients] for place in range(clients)]
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        results = [result for part in pool.map(lambda part: client(port, part), parts) for result in part]
    wall = time.perf_counter() - start
    times = sorted(1000 * seconds for seconds, _ in results)

    def quantile(share):
        return round(times[min(len(times) - 1, int(share * len(times)))], 1)

    return {"median_ms": quantile(0.5), "p95_ms": quantile(0.95), "p99_ms": quantile(0.99), "per_second": round(len(results) / wall, 1)}, results


def put_to_searchable(port, queries):
    """Milliseconds of the two calls that put a product, beside one client that searches; each product is then found by its picture."""
    stop, took = threading.Event(), []

    def search():
        while not stop.is_set():
            client(port, queries)

    other = threading.Thread(target=search, daemon=True)
    other.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(method, path, body, headers, expected):
        connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **headers})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status not in expected:
            raise SystemExit(f"{path} answered {answer.status}: {data[:200]}")
        return json.loads(data) if data else None

    for number in range(options.puts):
        # Larger and of more colours than those that are there: nothing else is as near to it.
        stripes, ours = Image.new("RGB", (384, 512)), f"put-{os.getpid()}-{number}"
        for row in range(512):
            stripes.paste(((row * 5 + number * 37) % 256, (row * (3 + number)) % 256, (number * 91 + row // 2) % 256), (0, row, 384, row + 1))
        buffer = io.BytesIO()
        stripes.save(buffer, "JPEG")
        begin = time.perf_counter()
        ask("PUT", f"/api/v1/products/{ours}", json.dumps({"title": ours}), {"Content-Type": "application/json"}, (200, 201))
        ask("POST", f"/api/v1/products/{ours}/images", *form(buffer.getvalue(), None), (200, 201))
        took.append(1000 * (time.perf_counter() - begin))
        for model in options.models:
            found = ask("POST", "/api/v1/search", *form(buffer.getvalue(), model), (200,))["results"]
            if ours not in [result["product"]["id"] for result in found]:
                raise SystemExit(f"{ours} is not found by {model} right after it was put")
        ask("DELETE", f"/api/v1/products/{ours}", None, {}, (204,))
    stop.set()
    other.join()
    return sorted(took)


with tempfile.TemporaryDirectory() as temporary:
    work = options.work or pathlib.Path(temporary)
    solid = work / "solid"
    if not (work / "x.db").exists():
        solid.mkdir(parents=True, exist_ok=True)
        for number in range(options.products):
            color = (number % 251, number // 251 % 251, number * 7 % 251)
            Image.new("RGB", (48, 64), color).save(solid / f"{number:06}.png", compress_level=1)
        command("import", solid, "--catalog", work / "x.db")
    for model in options.models:
        command("embed", "--catalog", work / "x.db", "--model", model)
    command("generate", work / "garments", "--garments", 40, "--test-only", "--seed", 3)
    pictures = [path.read_bytes() for path in sorted((work / "garments/images").iterdir())[:64]]

    log = work / "server.log"
    names = [argument for model in options.models for argument in ("--model", model)]

    def start():
        """A server that is ready, its port, and the seconds that it took."""
        begin = time.perf_counter()
        server = subprocess.Popen(
            [options.program, "serve", "--catalog", str(work / "x.db"), "--port", "0", *names], stderr=log.open("w"),
            env={**os.environ, "STYLEFINDER_ADMIN_TOKEN": TOKEN})
        while not (found := re.search(r"Open http://127\.0\.0\.1:(\d+)/", log.read_text())):
            if server.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.01)
        return server, int(found[1]), time.perf_counter() - begin

    starts = []
    for number in range(STARTS):
        server, port, seconds = start()
        starts.append(round(seconds, 2))
        if number < STARTS - 1:
            server.terminate()
            server.wait(timeout=20)
    try:
        print(json.dumps({
            "what": "start to ready", "products": options.products, "models": len(options.models), "seconds": statistics.median(starts), "all": starts}))
        health = [("GET", "/healthz", None, {})] * options.queries
        for model in options.models:
            requests = []
            for number in range(options.queries):
                body, headers = form(pictures[number % len(pictures)], model)
                requests.append(("POST", "/api/v1/search", body, headers))
            measure(port, requests[:32], 1)
            for clients in (1, 8):
                web, _ = measure(port, health, clients)
                figures, results = measure(port, requests, clients)
                timings = [json.loads(data)["timing_ms"] for _, data in results]
                split = {part: round(statistics.median(timing[part] for timing in timings), 2) for part in ("decode", "encode", "search")}
                print(json.dumps({
                    "what": "query over HTTP", "model": model, "clients": clients, **figures, "server_median_ms": split,
                    "healthz_median_ms": web["median_ms"]}), flush=True)
        if options.puts:
            took = put_to_searchable(port, requests[:4])
            print(json.dumps({
                "what": "put to searchable beside searches", "products": options.products, "models": len(options.models), "puts": len(took),
                "median_ms": round(statistics.median(took), 1), "p95_ms": round(took[int(0.95 * (len(took) - 1))], 1)}))
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
        now = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        print(json.dumps({"what": "memory of the server", "products": options.products, "peak_mb": round(peak, 1), "now_mb": round(now, 1)}))
    finally:
        server.terminate()
        server.wait(timeout=20)
