"""`stylefinder serve` beside a Python server that does the same (peer_server.py: FastAPI, uvicorn, eager PyTorch, open_clip), in one run.

    .deps/reference/bin/pip install fastapi 'uvicorn[standard]' python-multipart
    .deps/reference/bin/python Benchmarks/peer.py PROGRAM [--products 2000] [--queries 32] [--seconds 8] [--rounds 3] [--at-once 40 2] [--work DIR]

Needs `make reference`. Both servers have the same ViT-B/16 (weights drawn from a seed: time does not depend on their values), the same --products
generated garments with one picture each, and the same vectors. Clients keep their connections and send the same queries, JPEGs of other
pictures of the same garments, for --seconds at a time; the servers take turns, in --rounds rounds. The peer runs once for each of --at-once, the
size of its pool of threads (40 is FastAPI's own; on few cores a small one may be faster); the ratio is to the faster one in each row.

Nothing is measured while other programs take more than --others of the processors, and what they disturbed is measured again.

`--precision int8` lets stylefinder compute in int8, on the same vectors.

Before that both must give the same answers, or in float32 the run ends (a model of random weights puts all pictures so close together that int8 may
take one for another; what agrees is told): a picture of the catalogue finds itself with a score near 1, and nearly every
query has the same best product. Then, of `stylefinder` alone: from start to ready with --start-products, and how long a new product takes
from its PUT and the POST of its picture until a search finds it, while another client searches. Memory is each server's own peak (VmHWM).

What is made lies in --work, a temporary folder where it is left out, and is used again: 2,000 pictures take minutes to draw and to embed.
"""

import argparse
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
ARCHITECTURE = "ViT-B-16"
TOKEN = "a-token-for-this-benchmark-alone"

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--products", type=int, default=2000)
parser.add_argument("--queries", type=int, default=32)
parser.add_argument("--seconds", type=float, default=8)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
parser.add_argument("--at-once", type=int, nargs="+", default=[40, 2])
parser.add_argument("--start-products", type=int, default=10_000)
parser.add_argument("--puts", type=int, default=8)
parser.add_argument("--precision", choices=["float32", "int8"], default="float32")
parser.add_argument("--work")
parser.add_argument("--others", type=float, default=0.1, help="the share of the processors that other programs may take")
parser.add_argument("--patience", type=float, default=600, help="seconds to wait for them to be quiet, all in all")
parser.add_argument("--prepare", action="store_true", help="make what is needed in --work, and measure nothing")
options = parser.parse_args()
# As the Makefile sets it, and for both: threads that spin while they wait take the cores from those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def command(*arguments):
    done = subprocess.run([options.program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"stylefinder {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr[-600:]}")


# What is measured: a model, garments, queries, vectors and catalogues.

def make_model(folder):
    """An open_clip folder, as open_clip's own functions say it."""
    if (folder / "open_clip_model.safetensors").exists():
        return
    sys.path.insert(0, str(ROOT / "tools/golden"))
    import reference  # noqa: F401
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = open_clip.create_model(ARCHITECTURE, pretrained=None)
    preprocessing = {**model.visual.preprocess_cfg, "size": list(model.visual.image_size)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(
        {"model_cfg": open_clip.get_model_config(ARCHITECTURE), "preprocess_cfg": preprocessing}))
    # The name is what counts as made: it is written last.
    part = folder / "part.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, part, metadata={"format": "pt"})
    part.rename(folder / "open_clip_model.safetensors")


def make_garments(work):
    """A data folder of one picture of each product, a product being a garment in one colour; and the paths of other pictures of them."""
    data, drawn = work / "data", work / "drawn"
    if not (data / "manifest.jsonl").exists():
        # A garment has about one and a half colours.
        command("generate", drawn, "--garments", int(options.products / 1.35) + 10, "--views", 2, "--test-only", "--seed", 3)
        rows = [json.loads(line) for line in (drawn / "manifest.jsonl").open()]
        gallery, queries = {}, {}
        for row in rows:
            name = f"{row['product_id']}-{row['color']}"
            if row["split"] == "gallery":
                gallery.setdefault(name, {**row, "product_id": name})
            else:
                queries.setdefault(name, row["image"])
        if len(gallery) < options.products:
            sys.exit(f"{len(gallery)} products were drawn, {options.products} were wanted")
        chosen = dict(list(gallery.items())[:options.products])
        data.mkdir(exist_ok=True)
        (data / "images").unlink(missing_ok=True)
        (data / "images").symlink_to(drawn / "images")
        names = [name for name in chosen if name in queries]
        (data / "queries.json").write_text(json.dumps([str(drawn / queries[name]) for name in names]))
        (data / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chosen.values()))
    paths = [pathlib.Path(path) for path in json.loads((data / "queries.json").read_text())]
    return data, paths[::max(1, len(paths) // options.queries)][:options.queries]


def make_catalog(work, data, model):
    """Vectors made once, which both servers have."""
    vectors, catalog = work / "vectors.safetensors", work / "catalog.db"
    if not vectors.exists():
        command("features", "--data", data, "--model", model, "--out", vectors)
    # Both are quick where it is done.
    command("import", data, "--catalog", catalog)
    command("embed", "--catalog", catalog, "--model", model, "--from", vectors)
    return catalog, vectors


def make_start_catalog(work, model, dimension=512):
    """Many products, whose vectors are drawn: how long a start takes does not depend on them."""
    catalog, folder, vectors = work / "start.db", work / "start", work / "start.safetensors"
    if vectors.exists():
        return catalog
    import numpy
    from PIL import Image
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    names = [f"{number:06}.png" for number in range(options.start_products)]
    for number, name in enumerate(names):
        Image.new("RGB", (48, 64), (number % 251, number // 251 % 251, number * 7 % 251)).save(folder / name, compress_level=1)
    values = numpy.random.default_rng(0).standard_normal((len(names), dimension), dtype=numpy.float32)
    values /= numpy.linalg.norm(values, axis=1, keepdims=True)
    described = subprocess.run([options.program, "models", "inspect", str(model), "--json"], capture_output=True, text=True, check=True)
    part = work / "part.safetensors"
    save_file({"features": values}, part, metadata={"image_paths": json.dumps(names)})
    command("import", folder, "--catalog", catalog)
    command("embed", "--catalog", catalog, "--model", model, "--from", part, "--fingerprint", json.loads(described.stdout)["fingerprint"])
    part.rename(vectors)
    return catalog


# The servers.

class Server:
    def __init__(self, name, log, arguments, said):
        """Starts it, and waits until it is ready: `said` finds the port in what it prints, then `path` is answered with 200."""
        self.name = name
        begin = time.perf_counter()
        with log.open("w") as output:
            self.process = subprocess.Popen(list(map(str, arguments)), stdout=output, stderr=subprocess.STDOUT)
        while not (found := re.search(said, log.read_text())):
            self.check_lives(log)
            time.sleep(0.005)
        self.port = int(found[1])
        while not self.answers():
            self.check_lives(log)
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - begin

    def check_lives(self, log):
        if self.process.poll() is not None:
            sys.exit(f"{self.name} has ended: {log.read_text()[-1500:]}")

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", self.health)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def peak_mb(self):
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


class Ours(Server):
    health, path = "/readyz", "/api/v1/search"

    def __init__(self, log, catalog, model, *more):
        super().__init__(
            "stylefinder", log,
            [options.program, "serve", "--catalog", catalog, "--model", model, "--precision", options.precision, "--port", 0, *more], r"Open http://127\.0\.0\.1:(\d+)/")

    @staticmethod
    def found(answer):
        return [(result["product"]["id"], result["score"]) for result in answer["results"]]


class Peer(Server):
    health, path = "/healthz", "/api/search"

    def __init__(self, log, model, vectors, data, at_once):
        super().__init__(
            f"FastAPI, {at_once} threads", log,
            [sys.executable, "-W", "ignore", ROOT / "Benchmarks/peer_server.py", model, vectors, "--data", data, "--at-once", at_once],
            r'"port": (\d+)')

    @staticmethod
    def found(answer):
        return [(image["label"], image["score"]) for image in answer["similar_images"]]


# The clients.

def form(fields, picture):
    edge = b"----edge"
    parts = b"".join(b"--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n" % (edge, name.encode(), str(value).encode())
                     for name, value in fields.items())
    head = b"--" + edge + b'\r\nContent-Disposition: form-data; name="image"; filename="q.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return parts + head + picture + b"\r\n--" + edge + b"--\r\n", {"Content-Type": "multipart/form-data; boundary=" + edge.decode()}


def send(connection, method, path, body=None, headers={}):
    """Status, answer, milliseconds."""
    begin = time.perf_counter()
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    data = response.read()
    return response.status, json.loads(data) if data else None, 1000 * (time.perf_counter() - begin)


def search(server, connection, query):
    status, answer, milliseconds = send(connection, "POST", server.path, *query)
    if status != 200:
        sys.exit(f"{server.name} answered {status}: {answer}")
    return server.found(answer), milliseconds


def connect(server):
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)


def load(server, queries, clients, seconds):
    """Latencies in milliseconds and answers a second, of clients that ask without a pause."""
    end = time.perf_counter() + seconds

    def client(number):
        connection, place, times = connect(server), number, []
        while time.perf_counter() < end:
            times.append(search(server, connection, queries[place % len(queries)])[1])
            place += clients
        connection.close()
        return times

    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        times = [time for part in pool.map(client, range(clients)) for time in part]
    return times, len(times) / (time.perf_counter() - begin)


class Processors:
    """Who has worked on this machine's processors, in seconds."""

    cores, tick = len(os.sched_getaffinity(0)), os.sysconf("SC_CLK_TCK")

    def __init__(self, servers):
        # All but idle and waiting; what the host took away is nobody's here either.
        fields = list(map(int, pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]))
        self.busy = (sum(fields) - fields[3] - fields[4]) / self.tick
        self.own = {server.process.pid: self.of(server) for server in servers}
        self.clients, self.at = time.process_time(), time.perf_counter()

    @classmethod
    def of(cls, server):
        fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / cls.tick

    def others_since(self, before):
        """The share that other programs took. A server that was not there before has begun since."""
        own = sum(seconds - before.own.get(pid, 0) for pid, seconds in self.own.items()) + self.clients - before.clients
        return (self.busy - before.busy - own) / (self.at - before.at) / self.cores


class Quiet:
    """Measures only while other programs leave the processors alone."""

    def __init__(self):
        self.end = time.monotonic() + options.patience
        self.shares = []

    def measure(self, servers, action):
        """What the action answers, done again where it was disturbed; `servers()` are those that count as measured."""
        while True:
            self.wait(servers)
            before = Processors(servers())
            result = action()
            share = Processors(servers()).others_since(before)
            if share <= options.others:
                self.shares.append(share)
                return result
            print(f"other programs took {100 * share:.0f} % of the processors: measured again", file=sys.stderr, flush=True)

    def wait(self, servers):
        while True:
            before = Processors(servers())
            time.sleep(1)
            share = Processors(servers()).others_since(before)
            if share <= options.others:
                return
            if time.monotonic() > self.end:
                sys.exit(f"other programs take {100 * share:.0f} % of the processors; measure on an idle machine, or allow it by --others")
            time.sleep(1)


def check(ours, peer, queries, known):
    """Ends the run where the two do not answer alike. `known`: (query, product), pictures of the catalogue itself."""
    one, other = connect(ours), connect(peer)
    for query, product in known:
        for server, connection in ((ours, one), (peer, other)):
            best, score = search(server, connection, query)[0][0]
            # Random weights put all pictures close together; a picture itself must still come first.
            if options.precision == "float32" and (best != product or score < 0.999):
                sys.exit(f"{server.name} finds {best} with {score:.4f} for the catalogue's own picture of {product}")
    same, overlap, difference = 0, 0, 0
    for query in queries:
        (mine, _), (theirs, _) = search(ours, one, query), search(peer, other, query)
        same += mine[0][0] == theirs[0][0]
        overlap += len({name for name, _ in mine} & {name for name, _ in theirs}) / len(mine)
        difference = max(difference, abs(mine[0][1] - theirs[0][1]))
    if options.precision == "float32" and same < 0.95 * len(queries):
        sys.exit(f"only {same} of {len(queries)} queries have the same best product")
    return (f"The same best product for {same} of {len(queries)} queries, {100 * overlap / len(queries):.1f} % of the ten best in common, "
            f"best scores at most {difference:.1e} apart; {len(known)} pictures of the catalogue were asked for themselves.")


def quantile(times, share):
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def put_to_searchable(server, queries, pictures):
    """Milliseconds of PUT, POST, and of the search that finds it, each a list, while another client searches; and its latencies."""
    stop, beside = threading.Event(), []

    def other():
        connection, place = connect(server), 0
        while not stop.is_set():
            beside.append(search(server, connection, queries[place % len(queries)])[1])
            place += 1

    thread = threading.Thread(target=other)
    thread.start()
    connection, times = connect(server), []
    admin = {"Authorization": f"Bearer {TOKEN}"}
    try:
        for number, picture in enumerate(pictures):
            name = f"new-{number}"
            product = json.dumps({"title": f"New garment {number}", "price": 10 + number})
            status, answer, put = send(connection, "PUT", f"/api/v1/products/{name}", product, {**admin, "Content-Type": "application/json"})
            if status != 201:
                raise SystemExit(f"PUT answered {status}: {answer}")
            body, headers = form({}, picture)
            status, answer, post = send(connection, "POST", f"/api/v1/products/{name}/images", body, {**admin, **headers})
            if status != 201:
                raise SystemExit(f"POST answered {status}: {answer}")
            found, seen = search(server, connection, form({"top_k": 1}, picture))
            if options.precision == "float32" and (found[0][0] != name or found[0][1] < 0.999):
                raise SystemExit(f"{name} is not found by its own picture, but {found[0]}")
            times.append((put, post, seen))
    finally:
        stop.set()
        thread.join()
    # As it was before, so that it can be done again.
    for number in range(len(pictures)):
        send(connection, "DELETE", f"/api/v1/products/new-{number}", headers=admin)
    return times, beside


def main(work):
    model = work / "model"
    make_model(model)
    data, paths = make_garments(work)
    catalog, vectors = make_catalog(work, data, model)
    start_catalog = make_start_catalog(work, model)
    if options.prepare:
        return
    pictures = [path.read_bytes() for path in paths]
    queries = [form({"top_k": 10}, picture) for picture in pictures]
    rows = [json.loads(line) for line in (data / "manifest.jsonl").open()]
    known = [(form({"top_k": 10}, (data / row["image"]).read_bytes()), row["product_id"]) for row in rows[::max(1, len(rows) // 16)]]
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    print(f"Processor: {processor}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the start; "
          f"{ARCHITECTURE}, {len(rows)} products, queries of {statistics.median(len(p) for p in pictures) / 1000:.0f} kB (JPEG)\n", flush=True)

    servers = []
    try:
        servers.append(Ours(work / "ours.log", catalog, model))
        for at_once in options.at_once:
            servers.append(Peer(work / f"peer-{at_once}.log", model, vectors, data, at_once))
        ours, peers = servers[0], servers[1:]
        print(check(ours, peers[0], queries, known) + "\n", flush=True)
        for server in servers:
            load(server, queries, max(options.clients), 1)
        print("| clients | server | queries | median | p99 | a second |\n|---|---|---|---|---|---|")
        ratios, quiet = [], Quiet()
        for clients in options.clients:
            times, rates = {s: [] for s in servers}, {s: [] for s in servers}
            for number in range(options.rounds):
                for server in servers if number % 2 == 0 else reversed(servers):
                    block, rate = quiet.measure(lambda: servers, lambda: load(server, queries, clients, options.seconds))
                    times[server] += block
                    rates[server].append(rate)
            medians = {s: statistics.median(times[s]) for s in servers}
            throughput = {s: statistics.median(rates[s]) for s in servers}
            for server in servers:
                print(f"| {clients} | {server.name} | {len(times[server])} | {medians[server]:.0f} ms | {quantile(times[server], 0.99):.0f} ms | "
                      f"{throughput[server]:.1f} |", flush=True)
            ratios.append(f"{clients} client{'s' * (clients > 1)}: {min(medians[p] for p in peers) / medians[ours]:.2f} × by the median, "
                          f"{throughput[ours] / max(throughput[p] for p in peers):.2f} × by answers a second")
        print("\nFaster than the faster peer, " + "; ".join(ratios)
              + f". Other programs took at most {100 * max(quiet.shares):.0f} % of the processors.")
        print("Peak memory: " + ", ".join(f"{s.name} {s.peak_mb():.0f} MB" for s in servers)
              + "; start to ready: " + ", ".join(f"{s.name} {s.start_seconds:.1f} s" for s in servers) + ".", flush=True)
    finally:
        for server in servers:
            server.stop()

    running = []

    def start():
        while running:
            running.pop().stop()
        running.append(Ours(work / "start.log", start_catalog, model))
        return running[0].start_seconds

    starts = []
    try:
        for _ in range(options.rounds):
            starts.append(quiet.measure(lambda: running, start))
    finally:
        while running:
            running.pop().stop()
    token = work / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    live = work / "live.db"
    for path in work.glob("live.db*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    # With what a write-ahead log may still hold.
    with contextlib.closing(sqlite3.connect(start_catalog)) as source, contextlib.closing(sqlite3.connect(live)) as target:
        source.backup(target)
    server = Ours(work / "live.log", live, model, "--admin-token-file", token)
    try:
        times, beside = quiet.measure(lambda: [server], lambda: put_to_searchable(server, queries, pictures[:options.puts]))
    finally:
        server.stop()
    put, post, seen = (statistics.median(column) for column in zip(*times))
    print(f"\nWith {options.start_products} products: start to ready {statistics.median(starts):.2f} s. A new product beside a searching client, "
          f"medians of {len(times)}: PUT {put:.0f} ms, POST of its picture {post:.0f} ms, and the next search ({seen:.0f} ms) finds it; the other "
          f"client's {len(beside)} searches took {statistics.median(beside):.0f} ms.")


# Whoever ends this ends its servers, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
if options.work:
    pathlib.Path(options.work).mkdir(parents=True, exist_ok=True)
    main(pathlib.Path(options.work).resolve())
elif options.prepare:
    sys.exit("--prepare needs --work, or what it makes is gone at once")
else:
    with tempfile.TemporaryDirectory() as temporary:
        main(pathlib.Path(temporary))
