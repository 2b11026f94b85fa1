"""Queries over HTTP: latency and throughput of `stylefinder serve`, by 1 and by 8 clients, with the server's own split of the time.

    python Benchmarks/serve.py PROGRAM [--products 10000] [--queries 400] [--models small-resnet small-vit]

A catalogue of --products garments is generated (solid pictures of many colours), embedded and served on a free port of 127.0.0.1. Clients
keep their connections and send 384 x 512 JPEGs of drawn garments. Beside the searches, /healthz measures what HTTP itself costs in the same
run: the ratio says how much of a query is not the web. Memory is the server's resident peak (VmHWM).
"""

import argparse
import concurrent.futures
import http.client
import json
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--products", type=int, default=10_000)
parser.add_argument("--queries", type=int, default=400)
parser.add_argument("--models", nargs="+", default=["small-resnet", "small-vit"])
options = parser.parse_args()


def command(*arguments):
    subprocess.run([options.program, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def form(picture, model):
    edge = b"----edge"
    fields = b"".join(b"--" + edge + b'\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name, value)
                      for name, value in ((b"model", model.encode()), (b"top_k", b"12")))
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


with tempfile.TemporaryDirectory() as temporary:
    work = pathlib.Path(temporary)
    solid = work / "solid"
    solid.mkdir()
    for number in range(options.products):
        color = (number % 251, number // 251 % 251, number * 7 % 251)
        Image.new("RGB", (48, 64), color).save(solid / f"{number:06}.png", compress_level=1)
    command("import", solid, "--catalog", work / "x.db")
    for model in options.models:
        command("embed", "--catalog", work / "x.db", "--model", model)
    command("generate", work / "garments", "--garments", 40, "--test-only", "--seed", 3)
    pictures = [path.read_bytes() for path in sorted((work / "garments/images").iterdir())[:64]]

    begin = time.perf_counter()
    log = work / "server.log"
    server = subprocess.Popen([options.program, "serve", "--catalog", str(work / "x.db"), "--port", "0"], stderr=log.open("w"))
    try:
        while not (found := re.search(r"Open http://127\.0\.0\.1:(\d+)/", log.read_text())):
            if server.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.01)
        ready, port = time.perf_counter() - begin, int(found[1])
        print(json.dumps({"what": "start to ready", "products": options.products, "models": len(options.models), "seconds": round(ready, 2)}))
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
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
        now = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        print(json.dumps({"what": "memory of the server", "products": options.products, "peak_mb": round(peak, 1), "now_mb": round(now, 1)}))
    finally:
        server.terminate()
        server.wait(timeout=20)
