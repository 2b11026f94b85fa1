"""Two servers without a catalogue file, in network namespaces of their own, over one Milvus: does each answer stay right while parts of that die?

    sudo python3 Tests/MilvusTests/cluster.py [--program .build/release/stylefinder] [--milvus-lite .build/milvus/bin/milvus-lite] [--seconds 6]

The program has to be built with the trait Milvus. A third namespace holds the Milvus, the clients and a server over the catalogue itself, which says
what is right. Under load one of the two servers is killed and started again, then the Milvus; then the catalogue is changed and synced, and syncs are killed at random moments. Counts
answers, refusals and lost connections, and prints one JSON document; exit 1 if an answer was wrong, a question was answered by neither server while the Milvus was
there, or something did not come back. The namespaces reach each other and nothing else, and go at the end. Standard library only; Linux, as root.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HUB, A, B = "10.77.0.1", "10.77.0.2", "10.77.0.3"
PORT, PICTURES = 8080, "http://10.77.0.1:8000/pictures"


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Network:
    """Three namespaces on one bridge, which is in the first."""

    def __init__(self):
        self.names = [f"sf{os.getpid()}{part}" for part in "mab"]
        for name in self.names:
            run("ip", "netns", "add", name)
            self.inside(name, "ip", "link", "set", "lo", "up")
        hub = self.names[0]
        self.inside(hub, "ip", "link", "add", "bridge", "type", "bridge")
        self.inside(hub, "ip", "addr", "add", f"{HUB}/24", "dev", "bridge")
        self.inside(hub, "ip", "link", "set", "bridge", "up")
        for name, address in zip(self.names[1:], [A, B]):
            self.inside(hub, "ip", "link", "add", f"to-{name[-1]}", "type", "veth", "peer", "name", "port", "netns", name)
            self.inside(hub, "ip", "link", "set", f"to-{name[-1]}", "master", "bridge", "up")
            self.inside(name, "ip", "addr", "add", f"{address}/24", "dev", "port")
            self.inside(name, "ip", "link", "set", "port", "up")

    def inside(self, name, *command):
        return run("ip", "netns", "exec", name, *command)

    def start(self, name, *command):
        return subprocess.Popen(
            ["ip", "netns", "exec", name, *command], stdout=subprocess.DEVNULL, stderr=open(f"{name}.log", "ab"),
            start_new_session=True)

    def remove(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def ask(address, port, method, path, body=None, timeout=20):
    """A status and an answer; no status where nobody answered."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request(method, path, body=body and json.dumps(body), headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data[:1] in (b"{", b"[") else data.decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None, None
    finally:
        connection.close()


def wait(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise SystemExit(f"{what}: not within {seconds} s")


def is_ready(address, port=PORT):
    return ask(address, port, "GET", "/readyz")[0] == 200


def queries(products, texts):
    for product in products:
        yield {"product_id": product, "top_k": 8}
        yield {"product_id": product, "top_k": 8, "filter": ["category:Women"]}
    for text in texts:
        yield {"text": text, "top_k": 8}


def brief(answer):
    return [(result["product"]["id"], result["image"]["id"]) for result in answer["results"]]


class Load:
    """Four clients that ask both servers in turn, and the other one where one does not answer."""

    def __init__(self, expected):
        self.expected = expected
        self.lock = threading.Lock()
        self.counts = {"right": 0, "refused": 0, "unreachable": 0, "answered by none": 0}
        self.wrong = []
        self.stopped = False
        self.threads = [threading.Thread(target=self.work, args=(seed,)) for seed in range(4)]
        for thread in self.threads:
            thread.start()

    def work(self, seed):
        order = random.Random(seed)
        while not self.stopped:
            query, right = order.choice(self.expected)
            for address in order.sample([A, B], 2):
                status, answer = ask(address, PORT, "POST", "/api/v1/search", query)
                if status is None:
                    self.count("unreachable")
                    continue
                if status == 200 and brief(answer) == right:
                    self.count("right")
                elif status == 503:
                    # As one that loads says; the other one may be ready.
                    self.count("refused")
                    continue
                else:
                    with self.lock:
                        self.wrong.append([address, query, status, brief(answer) if status == 200 else answer, right])
                break
            else:
                self.count("answered by none")
                time.sleep(0.05)

    def count(self, key):
        with self.lock:
            self.counts[key] += 1

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join()
        return dict(self.counts, wrong=len(self.wrong))


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        # It had ended by itself.
        pass
    process.wait()


def main(options):
    folder = os.getcwd()
    program, lite = options.program, options.milvus_lite
    hub, a, b = options.names
    network = Network.__new__(Network)
    network.names = options.names
    shop, milvus_data = f"{folder}/shop.db", f"{folder}/milvus"
    run(program, "generate", "garments", "--garments", "60", "--seed", "31")
    run(program, "import", "garments", "--catalog", shop)
    run(program, "embed", "--catalog", shop, "--model", options.model)

    def milvus():
        process = network.start(hub, lite, "server", "--data-dir", milvus_data, "--host", HUB, "--port", "19530")
        return process

    def sync():
        run(program, "index", "sync", "--catalog", shop, "--milvus", f"http://{HUB}:19530")

    def serve(name, address):
        return network.start(
            name, program, "serve", "--milvus", f"http://{HUB}:19530", "--images-url", PICTURES, "--host", address, "--port",
            str(PORT), "--model", options.model)

    processes = {}
    report = {}
    try:
        processes["milvus"] = milvus()
        end = time.monotonic() + 90
        while True:
            try:
                sync()
                break
            except subprocess.CalledProcessError as error:
                if time.monotonic() > end:
                    raise SystemExit(error.stderr)
                time.sleep(1)
        processes["truth"] = network.start(
            hub, program, "serve", "--catalog", shop, "--host", "127.0.0.1", "--port", "8079", "--exact", "--model", options.model)
        processes["a"], processes["b"] = serve(a, A), serve(b, B)
        wait("the server over the catalogue", lambda: is_ready("127.0.0.1", 8079))
        wait("both servers", lambda: is_ready(A) and is_ready(B))

        def expected():
            listing = ask("127.0.0.1", 8079, "GET", "/api/v1/products?limit=100")[1]
            ids = [product["id"] for product in listing["products"]]
            found = []
            for query in queries(ids[::4], ["a red dress", "blue shoes", "striped top"]):
                status, answer = ask("127.0.0.1", 8079, "POST", "/api/v1/search", query)
                if status != 200:
                    raise SystemExit(f"{query}: {status} {answer}")
                found.append((query, brief(answer)))
            return found

        right = expected()
        # A server without the file says where its pictures lie.
        status, _ = ask(A, PORT, "GET", f"/api/v1/images/{right[0][1][0][1]}")
        report["picture"] = status

        load = Load(right)
        time.sleep(options.seconds)
        kill(processes["a"])
        time.sleep(options.seconds)
        processes["a"] = serve(a, A)
        wait("the server that was killed", lambda: is_ready(A))
        time.sleep(options.seconds)
        report["a server killed"] = load.stop()

        # Without the Milvus both say so; with it both answer again, without being started anew.
        load_without = Load(right)
        time.sleep(1)
        kill(processes["milvus"])
        wait("readiness without a Milvus", lambda: ask(A, PORT, "GET", "/readyz")[0] == 503, 30)
        status, answer = ask(A, PORT, "POST", "/api/v1/search", right[0][0], timeout=60)
        report["without a milvus"] = [status, answer]
        processes["milvus"] = milvus()
        wait("the servers after the Milvus came back", lambda: is_ready(A) and is_ready(B))
        time.sleep(2)
        report["the milvus killed"] = load_without.stop()
        again = Load(right)
        time.sleep(options.seconds)
        report["after it came back"] = again.stop()

        # What the catalogue loses is not found any more, soon after the sync.
        with open("garments/manifest.jsonl") as lines:
            rows = [json.loads(line) for line in lines]
        kept = sorted({row["product_id"] for row in rows})[6:]
        with open("garments/manifest.jsonl", "w") as lines:
            for row in rows:
                if row["product_id"] in set(kept):
                    lines.write(json.dumps(row) + "\n")
        run(program, "import", "garments", "--catalog", shop, "--prune")
        sync()
        begin = time.monotonic()

        def total(address, port):
            return ask(address, port, "GET", "/api/v1/products?limit=1")[1]["total"]

        wait("the pruned catalogue", lambda: total(A, PORT) == total(B, PORT) == total("127.0.0.1", 8079) == len(kept), 30)
        report["seconds until a sync is seen"] = round(time.monotonic() - begin, 1)
        right = expected()
        after = Load(right)
        time.sleep(options.seconds)
        report["after a sync"] = after.stop()
        # A sync that is killed at any moment, in the middle of a first filling, too, leaves nothing that the next one does not mend.
        order = random.Random(5)
        for kill_number in range(options.kills):
            process = subprocess.Popen(
                [program, "index", "sync", "--catalog", shop, "--milvus", f"http://{HUB}:19530"]
                + (["--rebuild"] if kill_number % 5 == 0 else []),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(order.uniform(0, 1))
            report["syncs killed"] = report.get("syncs killed", 0) + (process.poll() is None)
            kill(process)
        sync()
        wait("the servers after the killed syncs", lambda: is_ready(A) and is_ready(B), 30)
        time.sleep(5)
        last = Load(right)
        time.sleep(options.seconds)
        report["after killed syncs"] = last.stop()
        report["wrong"] = (last.wrong + load.wrong + load_without.wrong + again.wrong + after.wrong)[:5]
    finally:
        for process in processes.values():
            if process.poll() is None:
                kill(process)
    steady = [report["after it came back"], report["after a sync"], report["after killed syncs"], report["a server killed"]]
    report["is_good"] = (
        report["picture"] == 302 and report["without a milvus"][0] == 503 and not report["wrong"]
        and all(part["answered by none"] == 0 and part["right"] > 0 for part in steady)
        and all(part["unreachable"] == part["refused"] == 0 for part in steady[:3]))
    print(json.dumps(report, indent=1))
    return 0 if report["is_good"] else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default=".build/release/stylefinder")
    parser.add_argument("--milvus-lite", default=".build/milvus/bin/milvus-lite")
    parser.add_argument("--model", default="small-vit")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--names", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.names:
        sys.exit(main(options))
    if os.geteuid() != 0 or shutil.which("ip") is None:
        sys.exit("Network namespaces are made by root alone, with the command `ip` of iproute2.")
    options.program, options.milvus_lite = os.path.abspath(options.program), os.path.abspath(options.milvus_lite)
    network = Network()
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                ["ip", "netns", "exec", network.names[0], sys.executable, os.path.abspath(__file__), "--program", options.program,
                 "--milvus-lite", options.milvus_lite, "--model", options.model, "--seconds", str(options.seconds), "--kills",
                 str(options.kills), "--names",
                 *network.names], cwd=folder)
            if done.returncode != 0:
                for name in network.names:
                    if os.path.exists(f"{folder}/{name}.log"):
                        print(f"--- {name}", open(f"{folder}/{name}.log").read()[-3000:], file=sys.stderr)
    finally:
        network.remove()
    sys.exit(done.returncode)
