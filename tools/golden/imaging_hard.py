"""Writes Tests/ImagingTests/Fixtures/hard-pictures/: the kinds of files that break decoders, made from nothing, and hard-pictures.json: what Pillow makes
of each, or why it is refused.

    python tools/golden/imaging_hard.py

Needs Pillow and numpy alone, in the versions that tools/golden/requirements.txt pins. Real files of the same kinds, which may not be part of the project,
are looked at where they lie (`imaging.py --hard`).
"""

import io
import struct
import sys
import zlib

import numpy as np
from PIL import Image

from imaging import FIXTURES, HEIGHT, WIDTH, digest, made_by, saved, upright, write
from imaging_pictures import jpeg, png, png_chunk, scene, tiff

FOLDER = FIXTURES / "hard-pictures"


def resized_header(data, width, height):
    """A JPEG whose frame header claims another size."""
    place = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: place + 5] + struct.pack(">HH", height, width) + data[place + 9 :]


def icc(name, space=b"RGB ", colours=()):
    """An ICC profile that consists of its name and, where given, of its red, green and blue."""
    text = name.encode() + b"\0"
    tags = [(b"desc", b"desc" + struct.pack(">II", 0, len(text)) + text)]
    for tag, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours):
        tags.append((tag, b"XYZ " + struct.pack(">I3i", 0, *(round(value * 65536) for value in colour))))
    table, content = struct.pack(">I", len(tags)), b""
    for tag, data in tags:
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(content), len(data))
        content += data
    return (b"\0" * 16 + space + b"\0" * 16 + b"acsp").ljust(128, b"\0") + table + content


DISPLAY_P3 = [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)]
PROPHOTO = [(0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)]


def readable():
    """Name -> bytes of pictures that are read, and the colour hints of those that have one."""
    made, hints = {}, {}
    photo = scene(WIDTH, HEIGHT, seed=41)
    image = Image.fromarray(photo)
    ycc = [np.asarray(plane) for plane in image.convert("YCbCr").split()]
    rgba = scene(WIDTH, HEIGHT, 4, seed=42)

    frames = [Image.fromarray(scene(WIDTH, HEIGHT, 4, seed=seed)) for seed in (43, 44, 45)]
    made["apng-blended-over.png"] = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], blend=1, disposal=2)
    made["animated-loop.webp"] = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], loop=3, duration=80)
    # Directories that lie: a count beyond the data, an offset beyond it, a type that there is not.
    good = tiff(6)
    made["exif-count-too-large.jpg"] = jpeg(ycc, [(2, 2), (1, 1), (1, 1)], exif=good[:8] + b"\xff\x7f" + good[10:])
    made["exif-offset-outside.jpg"] = jpeg(ycc, [(2, 2), (1, 1), (1, 1)], exif=good[:4] + struct.pack("<I", 1 << 30) + good[8:])
    made["exif-unknown-type.jpg"] = jpeg(ycc, [(2, 2), (1, 1), (1, 1)], exif=good[:12] + struct.pack("<H", 77) + good[14:])
    made["exif-no-tiff.jpg"] = jpeg(ycc, [(2, 2), (1, 1), (1, 1)], exif=b"not a directory at all")
    for orientation in range(2, 9):
        tall = Image.fromarray(scene(19, 45, seed=50 + orientation))
        exif = Image.Exif()
        exif[274] = orientation
        made[f"portrait-{orientation}.jpg"] = saved(tall, "JPEG", exif=exif, quality=90)
        made[f"landscape-{orientation}.webp"] = saved(image, "WEBP", exif=exif.tobytes(), quality=80)
    made["progressive-411.jpg"] = saved(image, "JPEG", progressive=True, subsampling="4:1:1", quality=50)
    made["arithmetic.jpg"] = ARITHMETIC
    inks = Image.fromarray(scene(WIDTH, HEIGHT, 4, seed=46), "CMYK")
    made["cmyk.jpg"] = saved(inks, "JPEG", quality=90)
    made["cmyk-profile.jpg"] = saved(inks, "JPEG", quality=90, icc_profile=icc("made-up inks", b"CMYK"))
    made["cmyk-progressive.jpg"] = saved(inks, "JPEG", progressive=True, quality=80)
    hints.update({name: "cmyk" for name in made if name.startswith("cmyk")})
    made["display-p3.png"] = saved(image, "PNG", icc_profile=icc("Display P3", colours=DISPLAY_P3))
    made["prophoto-2x2.png"] = saved(Image.fromarray(photo[:2, :2]), "PNG", icc_profile=icc("ProPhoto", colours=PROPHOTO))
    made["prophoto.jpg"] = saved(image, "JPEG", icc_profile=icc("ProPhoto", colours=PROPHOTO))
    hints.update({"prophoto-2x2.png": "profile", "prophoto.jpg": "profile"})
    made["one-pixel.png"] = saved(Image.fromarray(photo[:1, :1]), "PNG")
    made["one-pixel.jpg"] = saved(Image.fromarray(photo[:1, :1]), "JPEG")
    made["one-column.webp"] = saved(Image.fromarray(photo[:, :1]), "WEBP", lossless=True)
    clear = rgba.copy()
    clear[:, :, 3] = 0
    made["all-transparent.png"] = saved(clear, "PNG")
    made["all-transparent.webp"] = saved(clear, "WEBP", lossless=True, exact=True)
    rng = np.random.default_rng(47)
    deep = rng.integers(0, 65536, (HEIGHT, WIDTH, 3))
    deep[::2] = [300, 301, 302]
    made["rgb-16-key.png"] = png(deep, 16, 2, transparency=struct.pack(">HHH", 300, 301, 302))
    gray = (photo[:, :, :1] >> 6).astype(int)
    made["palette-2-one-transparent.png"] = png(gray, 2, 3, palette=rng.integers(0, 256, (4, 3)), transparency=b"\xff\x80\0")
    made["many-data-chunks.png"] = split_data(saved(image, "PNG"), 7)
    made["text-behind-data.png"] = png(photo, 8, 2, after=[png_chunk(b"tEXt", b"Comment\0" + b"words " * 50)])
    made["fill-before-markers.jpg"] = saved(image, "JPEG").replace(b"\xff\xc4", b"\xff\xff\xff\xc4")
    made["trailer-for-end.jpg"] = saved(image, "JPEG", quality=90)[:-2] + b"SEFHk\0\0\0\x01\0\0\0Panorama SEFT"
    return made, hints


def split_data(data, size):
    """A PNG whose data come in many chunks, some of them empty."""
    place = data.index(b"IDAT") - 4
    length = struct.unpack(">I", data[place : place + 4])[0]
    content = data[place + 8 : place + 8 + length]
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    parts.insert(2, b"")
    return data[:place] + b"".join(png_chunk(b"IDAT", part) for part in parts) + data[place + 12 + length :]


def refused():
    """Name -> bytes, category of the refusal, a word of its sentence."""
    photo = scene(WIDTH, HEIGHT, seed=48)
    image = Image.fromarray(photo)
    whole, plain = saved(image, "JPEG"), saved(image, "PNG")
    head = struct.pack(">IIBBBBB", 65536, 65536, 8, 2, 0, 0, 0)
    damaged = bytearray(plain)
    damaged[plain.index(b"IDAT") + 60] ^= 0x55
    made = {
        "photo.bmp": (saved(image, "BMP"), "unsupported", "BMP"),
        "negative-width.bmp": (b"BM" + bytes(12) + struct.pack("<IiiHH", 40, -9, 9, 1, 24) + bytes(40), "unsupported", "BMP"),
        "photo.ico": (saved(image, "ICO", sizes=[(32, 32)]), "unsupported", "ICO"),
        "photo.tga": (saved(image, "TGA"), "unsupported", "TGA"),
        "photo.jp2": (saved(image, "JPEG2000"), "unsupported", "JPEG 2000"),
        "layers.psd": (b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 35, 45, 8, 3) + bytes(14), "unsupported", "PSD"),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>\n', "unsupported", "SVG"),
        "giant.png": (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head), "tooLarge", "65536 x 65536"),
        "giant.jpg": (resized_header(whole, 20000, 14000), "tooLarge", "20000 x 14000"),
        "damaged-data.png": (bytes(damaged), "broken", "PNG"),
        "unknown-compression.png": (png(photo, 8, 2, before=[png_chunk(b"iCCP", b"p\0\x07" + zlib.compress(b"x"))]), "broken", "compression"),
        "header-cut.jpg": (whole[:24], "broken", "cut off"),
        "cut.jpg": (whole[: len(whole) // 2], "broken", "cut off"),
        "cut.png": (plain[: len(plain) // 2], "broken", "cut off"),
        "cut.webp": (saved(image, "WEBP")[:-40], "broken", "cut off"),
        "no-end.png": (plain[:-12], "broken", "cut off"),
    }
    return made


# A gray square of 16 x 16 in arithmetic code, which Pillow reads and does not write: one scan whose zeros are not written, so of no byte at all.
ARITHMETIC = (
    b"\xff\xd8\xff\xdb\0\x43\0" + b"\1" * 64 + b"\xff\xc9\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0" + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + b"\xff\xd9"
)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    found = {}
    files, hints = readable()
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
        image = {alpha: upright(data, alpha) for alpha in ("onWhite", "dropped")}
        found[name] = {"size": list(image["onWhite"].size), "hint": hints.get(name)}
        found[name].update({alpha: digest(image[alpha]) for alpha in image})
    for name, (data, category, word) in refused().items():
        (FOLDER / name).write_bytes(data)
        found[name] = {"refused": category, "word": word}
    write(FIXTURES / "hard-pictures.json", {"madeBy": made_by(), "pictures": found})
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(found)} files, {total} bytes")


if __name__ == "__main__":
    sys.exit(main())
