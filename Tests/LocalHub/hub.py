"""A model hub on 127.0.0.1, for tests: two servers, one that lists and passes on, one that holds the files, and any trouble that a test asks for.

    python3 hub.py ROOT [CERTIFICATE KEY]        with a certificate it speaks HTTPS

ROOT/repositories/OWNER/NAME/ has the files of a repository; ROOT/files/ what lies at plain addresses (/files/… of the second server).
ROOT/rules.json is read with every request: a list of rules, the first that matches an answer decides.

    {"match": regular expression, found in "hub PATH" or "storage PATH",
     "times": so many answers, then the rule is spent; without it always,
     "skip": so many answers before it begins,
     "status": answer this instead, with "headers" and "body",
     "listing": merged into the JSON of a repository; "siblings" replaces files by name, null takes one away,
     "cut": close after so many bytes of the body,
     "stall": send nothing more after so many bytes, until the client leaves,
     "slow": seconds between two pieces of 4 kB,
     "corrupt": change this byte, "short": send so many bytes fewer and say so, "extra": send so many more and say so,
     "etag": another entity tag (null for none), "no_length": true, "no_ranges": true, "no_condition": If-Range is not
     looked at, "linked_size": another X-Linked-Size}

It prints one line of JSON with both ports. Each request becomes a line of ROOT/requests.jsonl: server, method, path, headers.
"""

import hashlib
import json
import pathlib
import re
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

ROOT = pathlib.Path(sys.argv[1])
SCHEME = "https" if len(sys.argv) > 2 else "http"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
# Files from this size on are kept as the hub keeps large ones: with a SHA-256, on another host.
LARGE = 10_000
lock = threading.Lock()
used = {}
ports = {}


def rule_for(place):
    path = ROOT / "rules.json"
    rules = json.loads(path.read_text()) if path.exists() else []
    for rule in rules:
        if not re.search(rule["match"], place):
            continue
        key = json.dumps(rule, sort_keys=True)
        with lock:
            used[key] = count = used.get(key, 0) + 1
        skip = rule.get("skip", 0)
        if count > skip and count <= skip + rule.get("times", 1 << 60):
            return rule
    return {}


def content(path):
    # A byte pattern of a given size needs no file: /files/pattern-SIZE.EXT.
    found = re.fullmatch(r"pattern-(\d+)\.\w+", path.name)
    if found and not path.exists():
        return (bytes(range(251)) * (int(found[1]) // 251 + 1))[: int(found[1])]
    return path.read_bytes() if path.is_file() else None


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that leave are part of the tests."""


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        # A client of a proxy sends the whole address.
        self.path = urlsplit(self.path)._replace(scheme="", netloc="").geturl() if "://" in self.path else self.path
        with lock, open(ROOT / "requests.jsonl", "a") as log:
            headers = {name.lower(): value for name, value in self.headers.items()}
            log.write(json.dumps({"server": self.server.name, "path": self.path, "headers": headers}) + "\n")
        rule = rule_for(f"{self.server.name} {self.path}")
        if "status" in rule:
            return self.answer(rule["status"], rule.get("headers", {}), rule.get("body", "").encode())
        path = unquote(urlsplit(self.path).path)
        if self.server.name == "storage":
            return self.file(ROOT / path.lstrip("/"), rule)
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path)
        if found:
            return self.listing(found[1], found[2], rule)
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if found:
            return self.resolve(found[1], found[3], rule)
        self.answer(404, {}, b"nothing here")

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def listing(self, name, revision, rule):
        folder = ROOT / "repositories" / name
        if not folder.is_dir():
            # So that nobody learns which private ones there are.
            return self.answer(401 if "Authorization" not in self.headers else 404, {"X-Error-Code": "RepoNotFound"}, b"{}")
        if revision not in ("main", "v1", "refs/pr/1", COMMIT):
            return self.answer(404, {"X-Error-Code": "RevisionNotFound"}, b"{}")
        files = {}
        for path in sorted(folder.iterdir()):
            data = path.read_bytes()
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            files[path.name] = {"rfilename": path.name, "size": len(data), "blobId": blob}
            if len(data) >= LARGE:
                files[path.name]["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        changed = dict(rule.get("listing", {}))
        for file, value in changed.pop("siblings", {}).items():
            if value is None:
                files.pop(file, None)
            else:
                files[file] = {"rfilename": file, **files.get(file, {}), **value}
        answer = {"id": name, "sha": COMMIT, "gated": False, "cardData": {"license": "mit"}, "siblings": list(files.values()), **changed}
        self.answer(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def resolve(self, name, file, rule):
        path = ROOT / "repositories" / name / file
        data = content(path)
        if data is None:
            return self.answer(404, {"X-Error-Code": "EntryNotFound"}, b"{}")
        if len(data) < LARGE:
            return self.file(path, rule)
        digest = hashlib.sha256(data).hexdigest()
        self.answer(
            302,
            {
                "Location": f"{SCHEME}://127.0.0.1:{ports['storage']}/repositories/{name}/{file}?signature=1",
                "X-Linked-Size": str(rule.get("linked_size", len(data))),
                "X-Linked-ETag": f'"{digest}"',
                "X-Repo-Commit": COMMIT,
            },
            b"Found",
        )

    def file(self, path, rule):
        data = content(path)
        if data is None:
            return self.answer(404, {}, b"nothing here")
        tag = rule.get("etag", f'"{hashlib.md5(data).hexdigest()}"')
        if "corrupt" in rule:
            data = bytearray(data)
            data[rule["corrupt"]] ^= 1
        if "short" in rule:
            data = data[: len(data) - rule["short"]]
        if "extra" in rule:
            data = bytes(data) + b"x" * rule["extra"]
        begin, wanted = 0, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if wanted and not rule.get("no_ranges") and (rule.get("no_condition") or condition in (None, tag)):
            begin = int(wanted[1])
            if begin >= len(data):
                return self.answer(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
        self.send_response(206 if begin else 200)
        if tag:
            self.send_header("ETag", tag)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        if rule.get("no_length"):
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        body = memoryview(bytes(data))[begin:]
        if "cut" in rule:
            self.wfile.write(body[: rule["cut"]])
            self.wfile.flush()
            self.close_connection = True
            return
        if "stall" in rule:
            self.wfile.write(body[: rule["stall"]])
            self.wfile.flush()
            # Returns when the client closes the connection.
            self.connection.recv(1)
            self.close_connection = True
            return
        try:
            if "slow" in rule:
                for place in range(0, len(body), 4096):
                    self.wfile.write(body[place : place + 4096])
                    self.wfile.flush()
                    time.sleep(rule["slow"])
            else:
                self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def main():
    servers = []
    for name in ("hub", "storage"):
        server = Listener(("127.0.0.1", 0), Server)
        server.name = name
        if SCHEME == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            # The handshake belongs to the thread of the connection.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        ports[name] = server.server_address[1]
        servers.append(server)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(ports), flush=True)
    # Whoever started it holds the other end: it goes with them.
    sys.stdin.read()


main()
