"""A stand-in for the server: the page's part of the HTTP API over drawn garments, on Python's standard library and Pillow.

    python fake_server.py PAGE [--port P] [--base /finder/] [--products N] [--models N] [--delay SECONDS] [--loading SECONDS]
"""

import argparse
import hashlib
import io
import json
import mimetypes
import random
import re
import threading
import time
from email.parser import BytesParser
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from garments import COLORS, draw, encoded, vector

KINDS = {"Dresses": "Women", "Skirts": "Women", "Shirts": "Men", "Trousers": "Men", "Coats": "Women"}
WORDS = {"Dresses": "Dress", "Skirts": "Skirt", "Shirts": "Shirt", "Trousers": "Trousers", "Coats": "Coat"}
BRANDS = ["Maison Arden", "Nordlys", "Petit Four", "Fjell & Co"]
STYLES = ["Long-sleeved", "Pleated", "Linen", "Wrap", "Tailored", "Relaxed", "Cropped", "Quilted"]
WIDTHS = {"160", "320", "640", "1280"}
# Below this a picture's results are no close matches.
CLOSE = 0.9


class Refused(Exception):
    def __init__(self, status, code, message, **headers):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


class Model:
    def __init__(self, card, grid):
        self.card, self.grid, self.vectors = card, grid, {}


def models():
    training = {
        "recipe": "small-resnet-garments", "epoch": 3, "epochs": 6, "step": 120, "steps": 240, "photos": 2635, "seconds": 288.4,
        "learning_rate": 0.0007, "optimizer": "AdamW", "weight_decay": 0.05, "batch": "24 garments × 2 + 10 photos × 2",
        "loss": [{"name": "items", "weight": 1.0}, {"name": "imageText", "weight": 0.3}], "temperature": 0.1,
        "validation": {"map_product_id": 0.8173, "map_label": 0.1886}, "captions": ["a photo of {category} in {color}", "a photo of {label}"],
    }
    scaling = {"filter": "bicubic", "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}

    def card(name, architecture, variant, side, parameters, training, takes_text=True, stage=None):
        return {
            "id": name, "architecture": architecture, "variant": variant, "stage": stage, "embedding_size": 256, "parameters": parameters,
            "takes_text": takes_text, "preprocessing": {"side": side, "fitting": "squash", **scaling},
            "fingerprint": hashlib.sha256(name.encode()).hexdigest(), "training": training,
        }

    return [
        Model(card("small-resnet", "RN-32x2.2.2.2", "small-resnet-garments", 96, 8_200_000, training), 6),
        Model(card("small-resnet-stage-1", "RN-32x2.2.2.2", "small-resnet", 96, 8_200_000, {**training, "recipe": "small-resnet"}, stage="1"), 4),
        Model(card("small-vit", "ViT-192x6", "small-vit", 128, 3_900_000, None), 3),
    ]


class Shop:
    """The catalogue and its models. The vectors are mean colours of a grid: similar pictures are near each other."""

    def __init__(self, count=60, model_count=3):
        chance = random.Random(7)
        self.products, self.images, self.models = [], [], models()[:model_count]
        for number in range(count):
            kind = list(KINDS)[number % len(KINDS)]
            colors = chance.sample(list(COLORS), 2 if number % 4 == 0 else 1)
            category = f"{KINDS[kind]}/{kind}"
            product = {
                "id": f"g{number:04}", "title": f"{chance.choice(STYLES)} {colors[0]} {WORDS[kind].lower()}".capitalize(), "category": category,
                "brand": chance.choice(BRANDS), "price": round(chance.uniform(15, 240)) - 0.05 if number % 7 else None,
                "currency": "EUR" if number % 7 else None, "in_stock": None if number % 5 == 3 else number % 6 != 0,
                "url": f"https://shop.example/{number}" if number % 3 else None,
            }
            self.products.append(product)
            for color in colors:
                for view in ("main", "back", "detail"):
                    self.images.append({"id": len(self.images) + 1, "product": product, "kind": kind, "color": color, "view": view, "seed": number})
        self.by_id = {product["id"]: product for product in self.products}
        for model in self.models:
            model.card["images"] = len(self.images)

    @lru_cache(maxsize=4096)
    def picture(self, image_id, width):
        image = self.images[image_id - 1]
        picture = draw(image["kind"], image["color"], image["seed"], image["view"])
        if width:
            picture.thumbnail((int(width), 10_000))
        return encoded(picture)

    def vector(self, model, image):
        if image["id"] not in model.vectors:
            model.vectors[image["id"]] = vector(Image.open(io.BytesIO(self.picture(image["id"], "160"))), model.grid)
        return model.vectors[image["id"]]

    def image(self, image_id):
        if not 1 <= image_id <= len(self.images):
            raise Refused(404, "unknown_image", f"There is no image {image_id}.")
        return self.images[image_id - 1]

    def product(self, product_id):
        if product_id not in self.by_id:
            raise Refused(404, "unknown_product", f"There is no product {product_id}.")
        return self.by_id[product_id]

    def images_of(self, product):
        return [image for image in self.images if image["product"] is product]

    def model(self, name):
        for model in self.models:
            if model.card["id"] == (name or self.models[0].card["id"]):
                return model
        raise Refused(404, "unknown_model", f"There is no model {name}; GET api/v1/models lists them.")


def admits(filters):
    """A test of (product, color): the same key twice widens, other keys narrow."""
    wanted = {}
    for text in filters:
        key, mark, value = text.partition(":")
        if not mark or not value:
            raise Refused(400, "bad_filter", f"The filter '{text}' is not key:value.")
        if key not in ("category", "color", "brand", "price", "in_stock", "product_id"):
            raise Refused(400, "bad_filter", f"The filter '{text}' names a key that no garment has.")
        wanted.setdefault(key, []).append(value)

    def matches(key, value, product, color):
        if key == "price":
            low, _, high = value.partition("..")
            return product["price"] is not None and float(low or 0) <= product["price"] <= float(high or "inf")
        if key == "in_stock":
            return product["in_stock"] is (value == "true")
        held = color if key == "color" else product["id" if key == "product_id" else key]
        return held.lower() == value.lower() or key == "category" and held.lower().startswith(value.lower() + "/")

    return lambda product, color: all(any(matches(key, value, product, color) for value in values) for key, values in wanted.items())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(self.get)

    def do_POST(self):
        self.answer(self.post)

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

    def json(self, value):
        self.send(json.dumps(value).encode(), "application/json")

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
        if match := re.fullmatch(r"products/([^/]+)/similar", path):
            options = {"product_id": match[1], "model": query.get("model", [None])[0], "top_k": int(query.get("top_k", ["12"])[0])}
            return self.json(self.found(options))
        if match := re.fullmatch(r"images/(\d+)", path):
            width = query.get("w", [None])[0]
            if width is not None and width not in WIDTHS:
                raise Refused(400, "bad_width", "The width is none of 160, 320, 640, 1280.")
            shop.image(int(match[1]))
            return self.send(shop.picture(int(match[1]), width), "image/jpeg", Cache_Control="public, max-age=3600")
        samples = [shop.images_of(product)[0] for product in shop.products[:5]]
        if path == "samples":
            titles = [f"{image['color'].capitalize()} {WORDS[image['kind']].lower()}" for image in samples]
            return self.json({"samples": [{"title": title, "path": f"{self.server.base}api/v1/samples/{n}"} for n, title in enumerate(titles)]})
        if match := re.fullmatch(r"samples/(\d+)", path):
            if int(match[1]) >= len(samples):
                raise Refused(404, "unknown_sample", f"There is no sample {match[1]}.")
            return self.send(shop.picture(samples[int(match[1])]["id"], None), "image/jpeg")
        raise Refused(404, "not_found", "There is nothing here.")

    def post(self, path, _):
        if path != "api/v1/search":
            raise Refused(404, "not_found", "There is nothing here.")
        if self.server.is_loading():
            raise Refused(503, "loading", "The models are being loaded.", Retry_After="1")
        time.sleep(self.server.delay)
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/json"):
            options = json.loads(self.body)
        elif kind.startswith("multipart/form-data"):
            options = {"filter": []}
            message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
            for part in message.get_payload():
                name = part.get_param("name", header="Content-Disposition")
                data = part.get_payload(decode=True)
                if name == "image":
                    options["image"] = data
                elif name == "filter":
                    options["filter"].append(data.decode())
                else:
                    options[name] = data.decode()
        else:
            raise Refused(415, "unsupported_media_type", "The body is neither multipart/form-data nor JSON.")
        self.json(self.found(options))

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

    def detail(self, product):
        images = self.server.shop.images_of(product)
        return {
            **product, "description": f"{product['title']}, cut for every day. Woven in small runs and washed before sewing.",
            "attributes": {"material": "Cotton", "fit": "Regular", "care": ["30 °C", "no tumble dryer"]},
            "images": [{**self.shown(image), "caption": f"{product['title']}, {image['view']}"} for image in images],
        }

    def listed(self, query):
        shop = self.server.shop
        admitted = admits(query.get("filter", []))
        passing = [product for product in shop.products if any(admitted(product, image["color"]) for image in shop.images_of(product))]
        limit, offset = int(query.get("limit", ["24"])[0]), int(query.get("offset", ["0"])[0])
        facets = {"category": {}, "color": {}, "brand": {}}
        for product in passing:
            for color in {image["color"] for image in shop.images_of(product)}:
                facets["color"][color] = facets["color"].get(color, 0) + 1
            for key in ("category", "brand"):
                facets[key][product[key]] = facets[key].get(product[key], 0) + 1
        return {
            "total": len(passing),
            "products": [{**product, "image": self.shown(shop.images_of(product)[0])} for product in passing[offset:offset + limit]],
            "facets": {
                key: [{"value": value, "count": count} for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
                for key, counts in facets.items()
            },
        }

    def found(self, options):
        start = time.perf_counter()
        shop = self.server.shop
        model = shop.model(options.get("model"))
        top_k = int(options.get("top_k", 12))
        if not 1 <= top_k <= 200:
            raise Refused(400, "bad_parameter", "top_k is not between 1 and 200.")
        admitted = admits(options.get("filter") or [])
        least = float(options.get("min_score") or -1)
        candidates = [image for image in shop.images if image["view"] != "detail" and admitted(image["product"], image["color"])]
        if "text" in options:
            words = set(re.findall(r"\w+", options["text"].lower()))
            if not words:
                raise Refused(400, "empty_text", "The text is empty.")

            def score(image):
                told = set(re.findall(r"\w+", f"{image['product']['title']} {image['color']}".lower()))
                return 0.2 + 0.7 * len(words & told) / len(words)
        else:
            near = self.query_vector(options, model)

            def score(image):
                return sum(a * b for a, b in zip(near, shop.vector(model, image)))
        decoded = time.perf_counter()
        best = {}
        for image in candidates:
            value = score(image)
            key = image["product"]["id"]
            if value >= least and (key not in best or value > best[key][0]):
                best[key] = (value, image)
        ranked = sorted(best.values(), key=lambda pair: (-pair[0], pair[1]["id"]))[:top_k]
        end = time.perf_counter()
        return {
            "model": model.card["id"],
            "results": [
                {"rank": rank, "score": value, "product": image["product"], "image": self.shown(image)}
                for rank, (value, image) in enumerate(ranked, 1)
            ],
            **({} if "text" in options else {"close_match_score": CLOSE}),
            # The real models read 77 tokens.
            **({"truncated_text": True} if len(options.get("text", "").split()) > 77 else {}),
            "timing_ms": {"decode": 3.1, "encode": (decoded - start) * 1000, "search": (end - decoded) * 1000, "total": (end - start) * 1000 + 3.1},
        }

    def query_vector(self, options, model):
        shop = self.server.shop
        if "image" in options:
            try:
                return vector(Image.open(io.BytesIO(options["image"])), model.grid)
            except Exception as error:
                if options["image"][:4] == b"\x89PNG" or options["image"][:2] == b"\xff\xd8":
                    raise Refused(422, "broken_image", "The picture ends in the middle of its data.") from error
                raise Refused(415, "unsupported_image", "The file is no JPEG, PNG or WebP.") from error
        if "image_id" in options:
            return shop.vector(model, shop.image(options["image_id"]))
        if "product_id" in options:
            return shop.vector(model, shop.images_of(shop.product(options["product_id"]))[0])
        raise Refused(400, "empty_query", "There is neither an image nor a text to search with.")


class FakeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page, port=0, base="/", products=60, models=3, delay=0.0, loading=0.0):
        super().__init__(("127.0.0.1", port), Handler)
        self.page, self.base, self.delay = page, base, delay
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
