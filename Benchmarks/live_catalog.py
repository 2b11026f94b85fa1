"""A server under searches and writes that is killed in the middle, again and again: is everything there that it acknowledged?

    python3 Benchmarks/live_catalog.py [--rounds 20] [--seconds 4] [--soak 0] [--program .build/release/stylefinder] [--model small-vit]

Four connections search and four write (put a product, add a picture, now and then delete one) until the server gets SIGKILL. The next round's server
must know every product and picture whose call had been answered, find each picture by itself, and know nothing of what was deleted. Writes that were
under way when it died may be there or not, but never in part. With --soak SECONDS the same eight connections ask for so long and nobody kills the server: no
answer may be an error but 503, everything acknowledged must be there, and its memory is told over time. Prints one JSON document; exit 1 if anything was lost. Standard library only.
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

TOKEN = "load-test-token-0123456789"


def png(seed, side=64):
    """Three fields of colours that the seed chooses."""
    numbers = random.Random(seed)
    colors = [bytes(numbers.randrange(256) for _ in range(3)) for _ in range(3)]
    middle, edge = numbers.randrange(8, side - 8), numbers.randrange(8, side - 8)
    rows = b"".join(
        b"\0" + b"".join(colors[0 if y < middle else 1 if x < edge else 2] for x in range(side)) for y in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def form(image, **fields):
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    parts.append(b'--edge\r\nContent-Disposition: form-data; name="image"; filename="q"\r\n\r\n' + image + b"\r\n--edge--\r\n")
    return b"".join(parts), {"Content-Type": "multipart/form-data; boundary=edge"}


class Client:
    """One connection that stays open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None, headers=None):
        headers = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        self.connection.request(method, "/api/v1" + path, body=body, headers=headers)
        answer = self.connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None

    def search(self, image, k=1):
        body, headers = form(image, top_k=k)
        status, answer = self.ask("POST", "/search", body, headers)
        return status, [result["product"]["id"] for result in answer["results"]] if status == 200 else answer

    def ask_picture(self, path):
        self.connection.request("GET", path + "?w=160")
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


class Server:
    def __init__(self, options, catalog):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [options.program, "serve", "--catalog", catalog, "--port", "0", "--model", options.model],
            stdout=subprocess.DEVNULL, stderr=self.log, env={**os.environ, "STYLEFINDER_ADMIN_TOKEN": TOKEN})
        end = time.monotonic() + 120
        while True:
            said = os.pread(self.log.fileno(), 1 << 20, 0).decode()
            found = re.search(r"Open http://127\.0\.0\.1:(\d+)/", said)
            if found:
                self.port = int(found[1])
                return
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server did not start: {said}")
            time.sleep(0.02)

    def memory(self):
        """Resident MB, without the pages of files that are mapped."""
        text = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Truth:
    """What was acknowledged: by product, the seed of its picture, or None for a product without one."""

    def __init__(self):
        self.lock = threading.Lock()
        self.products = {}
        self.deleted = set()
        # Products whose last call was not answered.
        self.unsure = set()
        self.counts = {"searches": 0, "writes": 0, "refused": 0}
        self.wrong = []
        self.writes_ms = []

    def count(self, key):
        with self.lock:
            self.counts[key] += 1

    def refuse(self, what, status):
        self.count("refused")
        if status != 503:
            self.wrong.append(f"{what} was answered with {status}")


def write(server, truth, stop, name):
    client, number = Client(server.port), 0
    while not stop.is_set():
        product, seed = f"{name}-{number}", f"{name}-{number}"
        number += 1
        try:
            with truth.lock:
                truth.unsure.add(product)
            begin = time.monotonic()
            status, _ = client.ask(
                "PUT", f"/products/{product}", json.dumps({"title": product}), {"Content-Type": "application/json"})
            if status != 201:
                truth.refuse("a product", status)
                continue
            with truth.lock:
                truth.products[product] = None
            body, headers = form(png(seed), view="main")
            status, _ = client.ask("POST", f"/products/{product}/images", body, headers)
            if status != 201:
                truth.refuse("a picture", status)
                continue
            with truth.lock:
                truth.products[product] = seed
                truth.writes_ms.append((time.monotonic() - begin) * 1000)
                truth.counts["writes"] += 2
            # Found when the call has returned.
            status, found = client.search(png(seed), 3)
            if status == 200 and product not in found:
                truth.wrong.append(f"{product} was not found right after it was added")
            if number % 5 == 0:
                status, _ = client.ask("DELETE", f"/products/{product}")
                if status == 204:
                    with truth.lock:
                        del truth.products[product]
                        truth.deleted.add(product)
                        truth.counts["writes"] += 1
            with truth.lock:
                truth.unsure.discard(product)
        except (OSError, http.client.HTTPException):
            return


def search(server, truth, stop, name):
    client, number = Client(server.port), 0
    while not stop.is_set():
        number += 1
        try:
            status, _ = client.search(png(f"{name}-{number}"), 10)
            if status == 200:
                truth.count("searches")
            else:
                truth.refuse("a search", status)
        except (OSError, http.client.HTTPException):
            return


def check(server, truth, prefix=""):
    """Everything that was acknowledged is there, whole; of products with a prefix alone."""
    client, lost = Client(server.port), []
    for product, seed in list(truth.products.items()):
        if not product.startswith(prefix):
            continue
        status, answer = client.ask("GET", f"/products/{product}")
        if status == 404 and product in truth.unsure:
            del truth.products[product]  # its deletion was under way
            continue
        if status != 200 or answer["title"] != product:
            lost.append(f"{product}: {status}")
            continue
        if seed is None:
            continue
        if len(answer["images"]) != 1:
            lost.append(f"{product} has {len(answer['images'])} pictures")
        elif product not in client.search(png(seed), 3)[1]:
            lost.append(f"{product} is not found by its picture")
        elif client.ask_picture(answer["images"][0]["path"]) != 200:
            lost.append(f"{product}: the file of its picture is not there")
    for product in truth.deleted:
        if product.startswith(prefix) and client.ask("GET", f"/products/{product}")[0] != 404:
            lost.append(f"{product} came back")
    for product in truth.unsure - set(truth.products) - truth.deleted:
        status, answer = client.ask("GET", f"/products/{product}")
        if status == 200 and answer["title"] != product:
            lost.append(f"{product} is there in part")
    return lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--soak", type=float, default=0)
    parser.add_argument("--program", default=".build/release/stylefinder")
    parser.add_argument("--model", default="small-vit")
    options = parser.parse_args()
    truth, lost, begin = Truth(), [], time.monotonic()
    memory = []
    with tempfile.TemporaryDirectory() as folder:
        catalog = f"{folder}/shop.db"
        if options.soak:
            server, stop = Server(options, catalog), threading.Event()
            jobs = [(write, f"w0-{k}") for k in range(4)] + [(search, f"s0-{k}") for k in range(4)]
            threads = [threading.Thread(target=job, args=(server, truth, stop, name)) for job, name in jobs]
            for thread in threads:
                thread.start()
            end = time.monotonic() + options.soak
            while time.monotonic() < end:
                time.sleep(min(options.soak / 12, end - time.monotonic()))
                memory.append(round(server.memory()))
            stop.set()
            for thread in threads:
                thread.join()
            lost += check(server, truth)
            server.kill()
            options.rounds = 0
        for turn in range(options.rounds):
            server, stop = Server(options, catalog), threading.Event()
            lost += check(server, truth, f"w{turn - 1}-") if turn else []
            with truth.lock:
                truth.unsure.clear()
            jobs = [(write, f"w{turn}-{k}") for k in range(4)] + [(search, f"s{turn}-{k}") for k in range(4)]
            threads = [threading.Thread(target=job, args=(server, truth, stop, name)) for job, name in jobs]
            for thread in threads:
                thread.start()
            time.sleep(options.seconds * random.uniform(0.5, 1.5))
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            print(f"round {turn + 1}: {truth.counts}, {len(lost)} lost", file=sys.stderr, flush=True)
        server = Server(options, catalog)
        lost += check(server, truth)
        server.kill()
    times = sorted(truth.writes_ms)
    print(
        json.dumps(
            {
                "rounds": options.rounds, **truth.counts, "products": len(truth.products), "deleted": len(truth.deleted),
                "put_and_add_ms": {"median": round(times[len(times) // 2], 1), "p95": round(times[len(times) * 95 // 100], 1)}
                if times else None,
                "memory_mb": memory, "lost": lost[:20], "lost_count": len(lost), "wrong": truth.wrong[:20], "seconds": round(time.monotonic() - begin),
            }, indent=2))
    return 1 if lost or truth.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
