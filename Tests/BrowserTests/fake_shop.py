"""The stand-in's catalogue and models: drawn garments, their words, and their mean colours as vectors."""

import colorsys
import hashlib
import io
import itertools
import random
import re
from functools import lru_cache

from PIL import Image

from garments import COLORS, draw, encoded, vector

KINDS = {"Dresses": "Women", "Skirts": "Women", "Shirts": "Men", "Trousers": "Men", "Coats": "Women"}
WORDS = {"Dresses": "Dress", "Skirts": "Skirt", "Shirts": "Shirt", "Trousers": "Trousers", "Coats": "Coat"}
BRANDS = ["Maison Arden", "Nordlys", "Petit Four", "Fjell & Co"]
STYLES = ["Long-sleeved", "Pleated", "Linen", "Wrap", "Tailored", "Relaxed", "Cropped", "Quilted"]
WIDTHS = {"160", "320", "640", "1280"}
# Below this a picture's results are no close matches.
CLOSE = 0.9
# Words that say nothing of a garment.
IDLE = {"a", "an", "in", "the", "with", "and", "for", "but", "this", "so"}


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
        "validation": {"map_product_id_1": 0.8173, "map_label": 0.1886, "text_color_at_8": 0.61},
        "captions": ["a photo of {category} in {color}", "a photo of {label}"],
        "curve": [{"epoch": epoch, "score": score} for epoch, score in enumerate((0.5121, 0.7004, 0.8173, 0.8019, 0.8102, 0.7966), 1)],
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
        self.numbers = itertools.count(1)
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
            product["description"] = f"{product['title']}, cut for every day. Woven in small runs and washed before sewing."
            product["attributes"] = {"material": "Cotton", "fit": "Regular", "care": "30 °C|no tumble dryer", "details": "belt|buttons"}
            for color in colors:
                for view in ("main", "back", "detail"):
                    self.images.append({"id": next(self.numbers), "product": product["id"], "kind": kind, "color": color, "view": view, "seed": number})
        for model in self.models:
            model.card["images"] = len(self.images)

    def pixels(self, image):
        if "data" in image:
            return Image.open(io.BytesIO(image["data"])).convert("RGB")
        return draw(image["kind"], image["color"], image["seed"], image["view"])

    @lru_cache(maxsize=4096)
    def picture(self, image_id, width):
        picture = self.pixels(self.image(image_id))
        if width:
            picture.thumbnail((int(width), 10_000))
        return encoded(picture)

    def vector(self, model, image):
        if image["id"] not in model.vectors:
            # Of the whole picture at once for all models: drawing is what takes the time.
            picture = self.pixels(image)
            for each in self.models:
                each.vectors[image["id"]] = vector(picture, each.grid)
        return model.vectors[image["id"]]

    def image(self, image_id):
        for image in self.images:
            if image["id"] == image_id:
                return image
        raise Refused(404, "unknown_image", f"There is no image {image_id}.")

    def product(self, product_id):
        for product in self.products:
            if product["id"] == product_id:
                return product
        raise Refused(404, "unknown_product", f"There is no product {product_id}.")

    def images_of(self, product):
        return [image for image in self.images if image["product"] == product["id"]]

    def put(self, product_id, columns):
        """Whether the product is new."""
        known = ("title", "category", "brand", "price", "currency", "url", "in_stock", "description", "attributes")
        for key in columns:
            if key not in known:
                raise Refused(400, "wrong_parameter", f"There is no '{key}' of a product: there are {', '.join(known)}.")
        product = {"id": product_id, **{key: columns.get(key) for key in known}}
        # Several values of a key are kept in one text.
        product["attributes"] = {key: "|".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in (product["attributes"] or {}).items()}
        for place, held in enumerate(self.products):
            if held["id"] == product_id:
                self.products[place] = product
                return False
        self.products.insert(0, product)
        return True

    def add_image(self, product_id, data, view, color):
        product = self.product(product_id)
        try:
            Image.open(io.BytesIO(data)).load()
        except Exception as error:
            raise Refused(415, "not_an_image", "The file is no picture of a format that is read.") from error
        image = {"id": next(self.numbers), "product": product["id"], "color": color, "view": view, "data": data}
        self.images.append(image)
        return image

    def delete_product(self, product_id):
        self.products.remove(self.product(product_id))
        self.images = [image for image in self.images if image["product"] != product_id]

    def delete_image(self, image_id):
        self.images.remove(self.image(image_id))

    def words_of(self, product):
        told = [product.get("title"), product.get("category"), product.get("brand"), *(image["color"] for image in self.images_of(product))]
        return {stem(word) for text in told if text for word in re.findall(r"\w+", text.lower())}

    def matching(self, text):
        """The products that have all the words typed so far, those that have the last one whole first, or whose ids begin like the text."""
        begun = Begun(text)
        if not begun.words:
            return []
        named = {product["id"]: begun.whole_in(self.words_of(product)) for product in self.products if begun.within(self.words_of(product))}
        return sorted(
            (product for product in self.products if product["id"] in named or product["id"].lower().startswith(text.strip().lower())),
            key=lambda product: (not named.get(product["id"]), product["id"]))

    def suggestions(self, text, limit):
        begun = Begun(text)
        if not begun.words:
            return []
        holders = {}
        for product in self.products:
            values = {("category", product["category"]), ("brand", product["brand"]), *(("color", image["color"]) for image in self.images_of(product))}
            for value in values:
                if value[1]:
                    holders.setdefault(value, set()).add(product["id"])

        def entry(values):
            count = len(set.intersection(*(holders[value] for value in values)))
            filters = [f"{key}:{value}" for key, value in values]
            return {
                "text": " · ".join(value.split("/")[-1] for _, value in values), "kind": values[0][0] if len(values) == 1 else "several", "count": count,
                "filters": filters, **({"filter": filters[0]} if len(values) == 1 else {}),
            }

        # Which of the typed words a value has.
        has = {value: begun.places_in(re.findall(r"\w+", value[1].lower())) for value in holders}
        every = set(range(len(begun.words)))
        single = [entry([value]) for value, places in has.items() if places == every]
        pairs = [
            entry([one, other]) for one, other in itertools.permutations([value for value, places in has.items() if places], 2)
            # In the order of the words, and neither needless.
            if one[0] != other[0] and 0 in has[one] and has[one] != every and has[other] != every and has[one] | has[other] == every]
        found = []
        for entries, most in ((single, max(1, limit * 3 // 4)), (pairs, 3)):
            found += sorted((each for each in entries if each["count"]), key=lambda each: (-each["count"], each["kind"], each["text"]))[:most]
        found += [{"text": product["title"] or product["id"], "kind": "product", "count": 1, "product_id": product["id"]} for product in self.matching(text)]
        return found[:limit]

    def model(self, name):
        for model in self.models:
            if model.card["id"] == (name or self.models[0].card["id"]):
                return model
        raise Refused(404, "unknown_model", f"There is no model {name}; GET api/v1/models lists them.")


class Begun:
    """Words that are being typed: the last one may be unfinished, unless something stands behind it."""

    def __init__(self, text):
        self.is_open = text[-1:].isalnum()
        words = re.findall(r"\w+", text.lower())
        self.words = [word for place, word in enumerate(words) if word not in IDLE or place == len(words) - 1]

    def places_in(self, said):
        """Which of the words are among those of a text."""
        whole = {stem(word) for word in said}
        last = len(self.words) - 1
        return {
            place for place, word in enumerate(self.words)
            if stem(word) in whole or place == last and self.is_open and any(other.startswith(word) for other in said)}

    def within(self, said):
        return len(self.places_in(said)) == len(self.words)

    def whole_in(self, said):
        return all(stem(word) in said for word in self.words)


def stem(word):
    return word[:-2] if word.endswith("sses") else word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def dominant(data, crop):
    """The nearest named colour of what is drawn in the middle, as the server tells the colours of a query."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    left, top, width, height = crop or (0, 0, 1, 1)
    box = [round(part * side) for part, side in zip((left, top, left + width, top + height), picture.size * 2)]
    picture = picture.crop(box).resize((24, 24))
    shares = {}
    for place, pixel in enumerate(zip(*[iter(picture.tobytes())] * 3)):
        if not (6 <= place % 24 < 18 and 6 <= place // 24 < 18):
            continue
        hue, light, depth = colorsys.rgb_to_hls(*(part / 255 for part in pixel))
        if light > 0.85 and depth < 0.4:
            continue
        name = min(COLORS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLORS[name], pixel)))
        shares[name] = shares.get(name, 0) + 1
    total = sum(shares.values())
    told = sorted(shares.items(), key=lambda item: -item[1])[:3]
    return [{"name": name, "hex": "#%02x%02x%02x" % COLORS[name], "share": count / total, "filter": f"color:{name}"} for name, count in told]


def admits(filters):
    """A test of (product, color): the same key twice widens, other keys narrow."""
    wanted = {}
    for text in filters:
        key, mark, value = text.partition(":")
        if not mark or not value:
            raise Refused(400, "wrong_filter", f"The filter '{text}' is not key:value.")
        if key not in ("category", "color", "brand", "price", "in_stock", "product_id"):
            raise Refused(400, "wrong_filter", f"The filter '{text}' names a key that no garment has.")
        wanted.setdefault(key, []).append(value)

    def matches(key, value, product, color):
        if key == "price":
            low, _, high = value.partition("..")
            return product["price"] is not None and float(low or 0) <= product["price"] <= float(high or "inf")
        if key == "in_stock":
            return product["in_stock"] is (value == "true")
        held = (color if key == "color" else product["id" if key == "product_id" else key]) or ""
        return held.lower() == value.lower() or key == "category" and held.lower().startswith(value.lower() + "/")

    return lambda product, color: all(any(matches(key, value, product, color) for value in values) for key, values in wanted.items())
