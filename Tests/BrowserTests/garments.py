"""Pictures of garments that do not exist: coloured shapes, enough to search for and to judge a layout by."""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

COLORS = {
    "navy": (35, 45, 82), "black": (38, 36, 36), "white": (236, 232, 224), "red": (168, 42, 44), "olive": (104, 108, 62),
    "beige": (203, 180, 148), "pink": (222, 158, 168), "green": (52, 104, 84), "gray": (140, 140, 142), "brown": (112, 76, 54),
}

def _outline(kind):
    # The left half on a grid of 12 by 16; the right half mirrors it.
    left = {
        "Dresses": [(6, 3.8), (5.0, 2.9), (4.5, 1.8), (3.9, 1.8), (3.8, 4.6), (4.3, 7.2), (2.2, 14.4), (6, 14.8)],
        "Shirts": [(6, 4.0), (4.7, 3.1), (2.9, 3.8), (0.9, 8.4), (2.4, 9.2), (3.4, 7.2), (3.3, 13.2), (6, 13.4)],
        "Trousers": [(6, 1.8), (3.7, 1.8), (3.3, 4.8), (2.9, 14.4), (5.0, 14.4), (5.8, 6.2), (6, 6.0)],
        "Skirts": [(6, 3.8), (4.2, 3.8), (3.2, 7.4), (1.9, 12.8), (6, 13.3)],
        "Coats": [(6, 5.2), (4.8, 1.9), (2.8, 2.8), (0.9, 11.6), (2.2, 12.0), (3.2, 7.0), (2.7, 14.5), (6, 14.6)],
    }[kind]
    return left + [(12 - x, y) for x, y in reversed(left)]


def draw(kind, color, seed=0, view="main", size=(360, 480)):
    """A garment on a plain ground. A detail is nearer; the seed gives it a pattern and a ground."""
    chance = random.Random(f"{kind}{color}{seed}")
    width, height = size
    ground = chance.choice([(238, 235, 230), (229, 231, 232), (240, 236, 228), (226, 222, 216)])
    scale = width / 12
    zoom = 1.9 if view == "detail" else 1.0
    points = [((6 + (x - 6) * zoom) * scale, (7 + (y - 7) * zoom) * scale) for x, y in _outline(kind)]
    red, green, blue = COLORS[color]
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(1.2))
    cloth = Image.new("RGB", size, (red, green, blue))
    pen = ImageDraw.Draw(cloth)
    pattern = chance.choice(["plain", "plain", "stripes", "folds", "dots"])
    light = tuple(min(255, c + 34) for c in (red, green, blue))
    dark = tuple(max(0, c - 22) for c in (red, green, blue))
    if pattern == "stripes":
        for y in range(0, height, 28):
            pen.rectangle((0, y, width, y + 9), fill=light)
    if pattern == "folds":
        for x in range(0, width, 46):
            pen.line((width / 2 + (x - width / 2) * 0.6, 0, x, height), fill=dark, width=5)
    if pattern == "dots":
        for y in range(0, height, 36):
            for x in range((y // 36 % 2) * 18, width, 36):
                pen.ellipse((x, y, x + 9, y + 9), fill=light)
    if kind in ("Coats", "Shirts") and view != "back":
        pen.line((width / 2, 0, width / 2, height), fill=dark, width=4)
        for y in range(int(height * 0.34), int(height * 0.8), 58):
            pen.ellipse((width / 2 + 9, y, width / 2 + 17, y + 8), fill=dark)
    cloth = cloth.filter(ImageFilter.GaussianBlur(0.8))
    picture = Image.new("RGB", size, ground)
    shadow = Image.new("L", size, 0)
    shadow.paste(mask, (7, 12))
    # A wide blur is the same on a small picture, in a tenth of the time.
    soft = shadow.resize((width // 4, height // 4)).filter(ImageFilter.GaussianBlur(3.5)).resize(size)
    picture.paste(tuple(c - 26 for c in ground), mask=soft)
    picture.paste(cloth, mask=mask)
    return picture


def encoded(picture, form="JPEG", **options):
    file = io.BytesIO()
    picture.save(file, form, **({"quality": 88} if form == "JPEG" else {}), **options)
    return file.getvalue()


def vector(picture, grid):
    """What the picture looks like, as numbers of length one: the mean colours of a grid's cells."""
    small = picture.convert("RGB").resize((grid * 8, grid * 8)).resize((grid, grid), Image.Resampling.BOX)
    values = [byte / 127.5 - 1 for byte in small.tobytes()]
    length = math.sqrt(sum(value * value for value in values)) or 1
    return [value / length for value in values]
