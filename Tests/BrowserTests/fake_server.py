"""A stand-in for the server: the page's part of the HTTP API over drawn garments, on Python's standard library and Pillow.

    python fake_server.py PAGE [--port P] [--base /finder/] [--products N] [--models N] [--delay SECONDS] [--loading SECONDS]

Words are looked up in titles, categories and colours, as the server does; pictures are compared by their mean colours. Changes of the catalogue
take the token "let-me-in" and last as long as the process.
"""

import argparse
import io
import json
import mimetypes
import operator
import re
import threading
import time
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from fake_shop import CLOSE, IDLE, WIDTHS, WORDS, Refused, Shop, admits, dominant, stem
from garments import vector

TOKEN = "let-me-in"


def told(value):
    """As the server writes it: what is not known is left out."""
    if isinstance(value, dict):
        return {key: told(part) for key, part in value.items() if part is not None}
    return list(map(told, value)) if isinstance(value, list) else value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(self.get)

    def do_POST(self):
        self.answer(self.post)

    def do_PUT(self):
        self.answer(self.put)

    def do_DELETE(self):
        self.answer(self.delete)

    def answer(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        try:
            parts = urlsplit(self.path)
            base = self.server.base
            if not parts.path.startswith(base):
                raise Refused(404, "not_found", "There is nothing here.")
            method(unquote(parts.path[len(base):]), parse_qs(parts.query))
        except Refused as refusal:
            body = {"error": {"code": refusal.code, "message": refusal.message}}
            self.send(json.dumps(body).encode(), "application/json", refusal.status, **refusal.headers)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send(self, body, kind, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, value, status=200):
        self.send(json.dumps(told(value)).encode(), "application/json", status)

    # Addresses

    def get(self, path, query):
        shop = self.server.shop
        if path == "healthz":
            return self.json({"status": "ok"})
        if path == "readyz":
            if self.server.is_loading():
                return self.send(b'{"status":"loading"}', "application/json", 503, Retry_After="1")
            return self.json({"status": "ready"})
        if not path.startswith("api/v1/"):
            return self.file(path)
        if self.server.is_loading():
            raise Refused(503, "loading", "The models are being loaded.", Retry_After="1")
        path = path[len("api/v1/"):]
        if path == "models":
            return self.json({"models": [model.card for model in shop.models], "default": shop.models[0].card["id"]})
        if match := re.fullmatch(r"models/(.+)", path):
            return self.json(shop.model(match[1]).card)
        if path == "products":
            return self.json(self.listed(query))
        if match := re.fullmatch(r"products/([^/]+)", path):
            return self.json(self.detail(shop.product(match[1])))
        if path == "suggest":
            return self.json({"suggestions": shop.suggestions(query.get("q", [""])[0], int(query.get("limit", ["8"])[0]))})
        if path == "duplicates":
            self.check_token()
            return self.json(self.duplicates())
        if match := re.fullmatch(r"images/(\d+)", path):
            width = query.get("w", [None])[0]
            if width is not None and width not in WIDTHS:
                raise Refused(400, "wrong_parameter", f"w is '{width}', expected one of 160, 320, 640, 1280.")
            shop.image(int(match[1]))
            return self.send(shop.picture(int(match[1]), width), "image/jpeg", Cache_Control="public, max-age=3600")
        samples = [images[0] for product in shop.products if (images := shop.images_of(product)) and "kind" in images[0]][:5]
        if path == "samples":
            titles = [f"{image['color'].capitalize()} {WORDS[image['kind']].lower()}" for image in samples]
            return self.json({"samples": [{"title": title, "path": f"{self.server.base}api/v1/samples/{n}"} for n, title in enumerate(titles)]})
        if match := re.fullmatch(r"samples/(\d+)", path):
            if int(match[1]) >= len(samples):
                raise Refused(404, "unknown_sample", f"There is no sample {match[1]}.")
            return self.send(shop.picture(samples[int(match[1])]["id"], None), "image/jpeg")
        raise Refused(404, "not_found", "There is nothing here.")

    def post(self, path, _):
        if self.server.is_loading():
            raise Refused(503, "loading", "The models are being loaded.", Retry_After="1")
        if match := re.fullmatch(r"api/v1/products/([^/]+)/images", path):
            self.check_token()
            fields = self.form()
            if len(fields.get("image", [])) != 1:
                raise Refused(400, "wrong_parameter", "A picture is sent as one file, image, of a form.")
            image = self.server.shop.add_image(match[1], fields["image"][0], *(fields.get(name, [None])[0] for name in ("view", "color")))
            return self.json(self.shown(image), 201)
        if path == "api/v1/products/batch":
            self.check_token()
            raise Refused(400, "empty_body", "The body is empty; send one JSON object a line.")
        if path == "api/v1/regions":
            return self.json(self.regions(self.form()))
        if path == "api/v1/explain":
            return self.json(self.explanation(self.form()))
        if path != "api/v1/search":
            raise Refused(404, "not_found", "There is nothing here.")
        time.sleep(self.server.delay)
        if not self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            raise Refused(415, "wrong_content_type", "The body is not multipart/form-data.")
        self.json(self.found(self.form()))

    def put(self, path, _):
        self.check_token()
        match = re.fullmatch(r"api/v1/products/([^/]+)", path)
        if not match:
            raise Refused(404, "not_found", "There is nothing here.")
        is_new = self.server.shop.put(match[1], json.loads(self.body))
        self.json(self.detail(self.server.shop.product(match[1])), 201 if is_new else 200)

    def delete(self, path, _):
        self.check_token()
        if match := re.fullmatch(r"api/v1/products/([^/]+)", path):
            self.server.shop.delete_product(match[1])
        elif match := re.fullmatch(r"api/v1/images/(\d+)", path):
            self.server.shop.delete_image(int(match[1]))
        else:
            raise Refused(404, "not_found", "There is nothing here.")
        self.send_response(204)
        self.end_headers()

    def check_token(self):
        if "token" in self.path:
            raise Refused(400, "token_in_address", "A token has no place in an address.")
        if not self.server.editable:
            raise Refused(401, "no_admin", "This call takes the admin token, and this server has none: start it with --admin-token-file.")
        if "Authorization" not in self.headers:
            raise Refused(401, "no_token", "This call takes the admin token, in the header Authorization: Bearer TOKEN.")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            raise Refused(401, "wrong_token", "The admin token is another one.")

    def form(self):
        """The fields of a multipart body: lists of texts, or of bytes where they are files."""
        fields = {}
        kind = self.headers.get("Content-Type", "")
        message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
        for part in message.get_payload():
            name = part.get_param("name", header="Content-Disposition")
            data = part.get_payload(decode=True)
            fields.setdefault(name, []).append(data if name in ("image", "not_image") else data.decode())
        return fields

    def file(self, path):
        root = Path(self.server.page)
        file = root / (path or "index.html")
        if ".." in path or not file.is_file():
            raise Refused(404, "not_found", "There is nothing here.")
        body = file.read_bytes()
        if file.name == "index.html":
            body = body.replace(b'<base href="/">', f'<base href="{self.server.base}">'.encode())
        # The strictest policy that the page has to live with.
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' blob:; base-uri 'self'; form-action 'self'"
        self.send(body, mimetypes.guess_type(file.name)[0] or "application/octet-stream", Content_Security_Policy=policy)

    # Documents

    def shown(self, image):
        return {"id": image["id"], "path": f"{self.server.base}api/v1/images/{image['id']}", "view": image["view"], "color": image["color"]}

    def captioned(self, image):
        return {**self.shown(image), "caption": f"{self.server.shop.product(image['product'])['title']}, {image['view']}"}

    def listing(self, product):
        return {key: value for key, value in product.items() if key not in ("description", "attributes")}

    def result(self, product):
        colors = list(dict.fromkeys(image["color"] for image in self.server.shop.images_of(product) if image["color"]))
        return {**self.listing(product), "colors": colors}

    def detail(self, product):
        return {**product, "images": list(map(self.captioned, self.server.shop.images_of(product)))}

    def duplicates(self):
        """A group of three pictures, of which two products share one, and a pair; and the same bytes in two products."""
        shop = self.server.shop
        same = {}
        for image in shop.images:
            if "data" in image:
                same.setdefault(image["data"], []).append(image)
        same = [images for images in same.values() if len({image["product"] for image in images}) > 1]
        first, second, third = map(shop.product, ("g0000", "g0005", "g0007"))
        groups = [*((1.0, images) for images in same), (0.991, [shop.images_of(first)[0], *shop.images_of(second)[:2]]), (0.984, [shop.images_of(first)[1], shop.images_of(third)[0]])]
        return {
            "model": shop.models[0].card["id"], "compared": len(shop.images), "unreadable": 0,
            "duplicates": [
                {"score": score, "items": [
                    {"product_id": image["product"], "title": shop.product(image["product"])["title"], "image": self.shown(image)} for image in images]}
                for score, images in groups
            ],
            "products": [
                {"product_ids": [first["id"], second["id"]], "shared": 2, "of": 3},
                *({"product_ids": sorted({image["product"] for image in images})[:2], "shared": 1, "of": 1} for images in same)],
        }

    def listed(self, query):
        shop = self.server.shop
        wanted = query.get("filter", [])
        if (pictures := query.get("pictures", ["usable"])[0]) not in ("usable", "any"):
            raise Refused(400, "wrong_parameter", f"pictures is '{pictures}', expected usable or any.")
        if pictures == "any" and wanted:
            raise Refused(400, "wrong_parameter", "pictures=any can't be narrowed by filter: filters are answered from pictures.")
        typed = query.get("q", [""])[0]
        among = shop.matching(typed) if typed else sorted(shop.products, key=lambda product: product["id"]) if pictures == "any" else shop.products

        def passing(filters):
            admitted = admits(filters)
            return [product for product in among if any(admitted(product, image["color"]) for image in shop.images_of(product))]

        products = among if pictures == "any" else passing(wanted)
        limit, offset = int(query.get("limit", ["24"])[0]), int(query.get("offset", ["0"])[0])
        facets = {}
        for key in ("category", "color", "brand") if pictures == "usable" else ():
            counts = facets.setdefault(key, {})
            # Within the other filters: what a value of this key would leave.
            for product in passing([text for text in wanted if not text.startswith(f"{key}:")]):
                values = {image["color"] for image in shop.images_of(product)} if key == "color" else {product[key]}
                for value in filter(None, values):
                    counts[value] = counts.get(value, 0) + 1
        return {
            "total": len(products),
            "products": [{**self.listing(product), "image": next(map(self.captioned, shop.images_of(product)), None)} for product in products[offset:offset + limit]],
            "facets": {
                key: [{"value": value, "count": count} for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
                for key, counts in facets.items()
            },
        }

    def found(self, fields):
        start = time.perf_counter()
        shop = self.server.shop

        def one(name, default=None):
            return fields.get(name, [default])[0]

        model = shop.model(one("model"))
        top_k = int(one("top_k", 10))
        if not 1 <= top_k <= 200:
            raise Refused(400, "wrong_parameter", f"top_k is '{top_k}', expected a whole number from 1 to 200.")
        known = {"image", "text", "product_id", "image_id", "crop", "liked", "disliked", "model", "top_k", "group_by", "filter", "min_score", "sort"}
        if other := {re.sub("^not_", "", name) for name in fields} - known:
            raise Refused(400, "wrong_parameter", f"There is no {min(other)} of a search.")
        admitted = admits(fields.get("filter") or [])
        least = float(one("min_score") or -1)
        text = " ".join(fields.get("text", [])).strip()
        wanted = [stem(word) for word in re.findall(r"\w+", text.lower()) if word not in IDLE]
        wants, shuns = self.query_vectors(fields, model, ""), self.query_vectors(fields, model, "not_")
        if not wants and not text:
            raise Refused(400, "wrong_parameter", "A search takes at least one of image, text, product_id, image_id and terms; none is given.")
        # What is searched with is not found by itself.
        own = {*fields.get("product_id", []), *(shop.image(int(number))["product"] for number in fields.get("image_id", []))}
        wants += [shop.vector(model, image) for id in fields.get("liked", []) for image in shop.images_of(shop.product(id))[:1]]
        shuns += [shop.vector(model, image) for id in fields.get("disliked", []) for image in shop.images_of(shop.product(id))[:1]]
        unwanted = {stem(word) for word in re.findall(r"\w+", " ".join(fields.get("not_text", [])).lower())}
        decoded = time.perf_counter()
        everything = set().union(*(shop.words_of(product) for product in shop.products)) if wanted else set()
        best = {}
        for image in shop.images:
            product = shop.product(image["product"])
            if image["view"] == "detail" or product["id"] in own.union(fields.get("disliked", [])) or not admitted(product, image["color"]):
                continue
            seen = shop.vector(model, image) if wants or shuns else []
            said = shop.words_of(product)
            matched = [word for word in wanted if word in said]
            parts = [sum(map(operator.mul, want, seen)) for want in wants]
            if wanted:
                parts.append(0.2 + 0.7 * len(matched) / len(wanted))
            value = sum(parts) / max(1, len(parts)) - 0.25 * sum(sum(map(operator.mul, shun, seen)) for shun in shuns) - 0.5 * bool(unwanted & said)
            if value >= least and (product["id"] not in best or value > best[product["id"]][0]):
                best[product["id"]] = (value, image, product, matched)
        orders = {
            "relevance": lambda hit: (-hit[0], hit[1]["id"]), "price": lambda hit: hit[2]["price"] or 1e9, "-price": lambda hit: -(hit[2]["price"] or 0),
            "newest": lambda hit: -hit[1]["id"], "stock": lambda hit: (not hit[2]["in_stock"], -hit[0]),
        }
        ranked = sorted(sorted(best.values(), key=orders["relevance"])[:top_k], key=orders[one("sort", "relevance")])
        end = time.perf_counter()
        pictures = bool(fields.get("image") or fields.get("image_id") or fields.get("product_id"))
        crop = one("crop") or None
        return {
            "model": model.card["id"],
            "results": [
                {"rank": rank, "score": value, "product": self.result(product), "image": self.shown(image), **({"words": {"rank": rank, "matched": matched}} if matched else {})}
                for rank, (value, image, product, matched) in enumerate(ranked, 1)
            ],
            **({"close_match_score": CLOSE} if pictures and not text and not shuns else {}),
            **({"query_colors": dominant(fields["image"][0], crop and [float(part) for part in crop.split(",")])} if "image" in fields else {}),
            **({"unknown_words": [word for word in wanted if word not in everything]} if text else {}),
            # The real models read 77 tokens.
            **({"truncated_text": True, "text_tokens": len(text.split()), "text_tokens_read": 77} if len(text.split()) > 77 else {}),
            "timing_ms": {"decode": 3.1, "encode": (decoded - start) * 1000, "search": (end - decoded) * 1000, "total": (end - start) * 1000 + 3.1},
        }

    def regions(self, fields):
        """The left and the right half of a wide picture; no part of any other."""
        model = self.server.shop.model(fields.get("model", [None])[0])
        try:
            width, height = Image.open(io.BytesIO(fields["image"][0])).size
        except OSError as error:
            raise Refused(415, "not_an_image", "The file is no picture of a format that is read.") from error
        halves = [("0.05,0.1,0.4,0.8", "Women/Dresses"), ("0.55,0.1,0.4,0.8", None)] if width > height * 1.3 else []
        return {
            "model": model.card["id"],
            "regions": [{"crop": crop, "salience": 0.6, "score": 0.7, **({"category": category} if category else {})} for crop, category in halves],
        }

    def explanation(self, fields):
        if len(fields.get("image", [])) + len(fields.get("image_id", [])) != 1:
            raise Refused(400, "wrong_parameter", "A score is explained for one picture: send image or image_id.")
        self.server.shop.image(int(fields["result_image_id"][0]))
        model = self.server.shop.model(fields.get("model", [None])[0])
        square = {"rows": 3, "columns": 3, "values": [0.01, 0.02, 0, 0.01, 0.05, 0.02, 0, 0.1, 0.3]}
        return {"model": model.card["id"], "score": 0.8, "query": square, "result": {"rows": 2, "columns": 1, "values": [0.2, -0.01]}}

    def query_vectors(self, fields, model, sign):
        shop = self.server.shop
        crops = [[float(part) for part in text.split(",")] if text else None for text in fields.get("crop", [])] if not sign else []
        vectors = []

        def add(data):
            try:
                picture = Image.open(io.BytesIO(data))
                picture.load()
            except Exception as error:
                if data[:4] == b"\x89PNG" or data[:2] == b"\xff\xd8":
                    raise Refused(422, "broken_image", "The picture ends in the middle of its data.") from error
                raise Refused(415, "not_an_image", "The file is no picture of a format that is read.") from error
            crop = crops.pop(0) if crops else None
            if crop:
                left, top, width, height = crop
                picture = picture.crop([round(part * side) for part, side in zip((left, top, left + width, top + height), picture.size * 2)])
            vectors.append(vector(picture, model.grid))

        for data in fields.get(f"{sign}image", []):
            add(data)
        for number in fields.get(f"{sign}image_id", []):
            add(shop.picture(shop.image(int(number))["id"], "640"))
        for product_id in fields.get(f"{sign}product_id", []):
            vectors.append(shop.vector(model, shop.images_of(shop.product(product_id))[0]))
        return vectors


class FakeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page, port=0, base="/", products=60, models=3, delay=0.0, loading=0.0, editable=True):
        super().__init__(("127.0.0.1", port), Handler)
        self.page, self.base, self.delay, self.editable = page, base, delay, editable
        self.ready_at = time.monotonic() + loading
        self.shop = Shop(products, models)

    def is_loading(self):
        return time.monotonic() < self.ready_at

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}{self.base}"

    def begin(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", help="the folder that web/build.sh wrote")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--base", default="/")
    parser.add_argument("--products", type=int, default=60)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--delay", type=float, default=0, help="seconds that a search takes longer")
    parser.add_argument("--loading", type=float, default=0, help="seconds until the server is ready")
    given = vars(parser.parse_args())
    server = FakeServer(**given)
    print(server.url, flush=True)
    server.serve_forever()
