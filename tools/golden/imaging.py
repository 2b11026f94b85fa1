"""Writes the fixtures of ImagingTests: small pictures made from nothing, and what Pillow makes of them.

    python tools/golden/imaging.py                    writes Tests/ImagingTests/Fixtures/pictures/ and goldens.json
    python tools/golden/imaging.py --hard FOLDER      writes Tests/ImagingTests/Fixtures/hard-images.json: hashes of the pictures in FOLDER,
                                                      which itself is never part of the project

The expected pixels of a picture: Pillow's `exif_transpose`, alpha on white, `convert('RGB')`. Two rules are not Pillow's and are worked out here
with numpy: of 16-bit gray the high byte counts (Pillow clips at 255), and a transparent colour is compared with the samples as they are stored
(Pillow compares it with samples it has already scaled or cut).
"""

import argparse
import hashlib
import io
import json
import pathlib
import struct
import sys
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

from imaging_pictures import jpeg, png, png_chunk, scene, tiff

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Tests/ImagingTests/Fixtures"
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3}
WIDTH, HEIGHT = 45, 35

Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


def digest(image):
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def png_header(data):
    """Bit depth, colour type and tRNS of a PNG."""
    transparency, position = None, 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if kind == b"tRNS":
            transparency = data[position + 8 : position + 8 + length]
        position += 12 + length
    return data[24], data[25], transparency


def png_samples(data):
    """The samples [height, width, channels] of a PNG as they are stored, for the two kinds where Pillow does not give them."""
    width, height = struct.unpack(">II", data[16:24])
    depth, colour, _ = png_header(data)
    assert data[28] == 0, "only for pictures that are not interlaced"
    raw, position = b"", 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if kind == b"IDAT":
            raw += data[position + 8 : position + 8 + length]
        position += 12 + length
    raw = zlib.decompress(raw)
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    pitch, step = -(-width * channels * depth // 8), max(1, channels * depth // 8)
    rows, above = [], np.zeros(pitch, np.int32)
    for y in range(height):
        kind, row = raw[y * (pitch + 1)], np.frombuffer(raw, np.uint8, pitch, y * (pitch + 1) + 1).astype(np.int32)
        for i in range(pitch):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            up = above[i]
            paeth = min((left, up, corner), key=lambda p: abs(left + up - corner - p))
            row[i] = (row[i] + [0, left, up, (left + up) // 2, paeth][kind]) & 255
        rows.append(row)
        above = row
    stored = np.array(rows, np.uint8)
    if depth == 16:
        return stored.view(">u2").astype(int).reshape(height, width, channels), depth
    if depth == 8:
        return stored.astype(int).reshape(height, width, channels), depth
    bits = np.unpackbits(stored, axis=1)[:, : width * depth].reshape(height, width, depth)
    return (bits @ (1 << np.arange(depth - 1, -1, -1)))[:, :, None].astype(int), depth


def keyed(data):
    """RGBA of a gray or truecolour PNG with a transparent colour or 16-bit gray, by the two rules above."""
    samples, depth = png_samples(data)
    _, colour, transparency = png_header(data)
    high = samples >> 8 if depth == 16 else samples * 255 // ((1 << depth) - 1)
    rgb = high if colour == 2 else np.repeat(high, 3, axis=2)
    alpha = np.full(samples.shape[:2], 255)
    if transparency is not None:
        key = np.frombuffer(transparency, ">u2")
        alpha[(samples == key).all(axis=2)] = 0
    return Image.fromarray(np.dstack([rgb, alpha]).astype(np.uint8), "RGBA")


def upright(data, alpha):
    image = Image.open(io.BytesIO(data))
    orientation = image.getexif().get(274, 1)
    if image.format == "PNG":
        depth, colour, transparency = png_header(data)
        if colour in (0, 2) and (transparency is not None or (depth, colour) == (16, 0)):
            pixels = keyed(data)
            exif = pixels.getexif()
            exif[274] = orientation
            image = pixels
    image = ImageOps.exif_transpose(image)
    if alpha == "onWhite" and (image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info):
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image.convert("RGBA"))
    elif image.mode == "P":
        image.info.pop("transparency", None)
    return image.convert("RGB")


def saved(array, kind, mode=None, **options):
    out = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array, mode)
    image.save(out, kind, **options)
    return out.getvalue()


def pictures():
    """Name -> bytes."""
    made = {}
    photo = scene(WIDTH, HEIGHT)
    image = Image.fromarray(photo)
    ycc = [np.asarray(plane) for plane in image.convert("YCbCr").split()]
    half = lambda h, v: [(h, v), (1, 1), (1, 1)]

    for name, sampling in {
        "444": half(1, 1), "422": half(2, 1), "420": half(2, 2), "440": half(1, 2), "411": half(4, 1), "410": half(4, 2),
        "441": half(1, 4), "221212": [(2, 2), (1, 2), (1, 2)], "222121": [(2, 2), (2, 1), (2, 1)], "mixed": [(2, 2), (2, 1), (1, 2)],
    }.items():  # fmt: skip
        made[f"jpeg-{name}.jpg"] = jpeg(ycc, sampling, jfif=True)
    made["jpeg-restart.jpg"] = jpeg(ycc, half(2, 2), jfif=True, restart=2)
    made["jpeg-odd-1x1.jpg"] = jpeg([plane[:1, :1] for plane in ycc], half(2, 2), jfif=True)
    made["jpeg-17x9.jpg"] = jpeg([plane[:9, :17] for plane in ycc], half(2, 2), jfif=True)
    for subsampling in (0, 1, 2):
        made[f"pillow-{subsampling}.jpg"] = saved(photo, "JPEG", subsampling=subsampling, quality=85)
        made[f"pillow-progressive-{subsampling}.jpg"] = saved(photo, "JPEG", subsampling=subsampling, quality=70, progressive=True)
    made["jpeg-gray.jpg"] = saved(photo[:, :, 0], "JPEG")
    made["jpeg-gray-progressive.jpg"] = saved(photo[:, :, 1], "JPEG", progressive=True, optimize=True)
    made["jpeg-gray-2x2.jpg"] = jpeg([photo[:, :, 0]], [(1, 1)], jfif=True)
    rgb = [photo[:, :, c] for c in range(3)]
    made["jpeg-rgb-adobe.jpg"] = jpeg(rgb, half(1, 1), adobe=0)
    made["jpeg-rgb-ids.jpg"] = jpeg(rgb, half(1, 1), ids=[ord(c) for c in "RGB"])
    made["jpeg-ycc-adobe.jpg"] = jpeg(ycc, half(2, 1), adobe=1)
    made["jpeg-ycc-no-marker.jpg"] = jpeg(ycc, half(2, 2))
    inks = scene(WIDTH, HEIGHT, 4, seed=3)
    made["jpeg-cmyk-pillow.jpg"] = saved(Image.fromarray(inks, "CMYK"), "JPEG")
    four = [inks[:, :, c] for c in range(4)]
    made["jpeg-cmyk-no-marker.jpg"] = jpeg(four, [(1, 1)] * 4)
    made["jpeg-cmyk-adobe.jpg"] = jpeg(four, [(1, 1)] * 4, adobe=0)
    made["jpeg-ycck.jpg"] = jpeg(four, [(1, 1)] * 4, adobe=2)
    made["jpeg-ycck-420.jpg"] = jpeg(four, [(2, 2), (1, 1), (1, 1), (2, 2)], adobe=2)
    second = saved(scene(20, 20, seed=9), "JPEG")
    made["two-pictures.mpo"] = saved(image, "MPO", save_all=True, append_images=[Image.open(io.BytesIO(second))])
    made["trailing-bytes.jpg"] = made["pillow-2.jpg"] + b"\0" * 40
    made["icc.jpg"] = saved(photo, "JPEG", icc_profile=b"\0" * 128 + b"not a real profile")

    for orientation in range(1, 9):
        made[f"exif-{orientation}.jpg"] = jpeg(ycc, half(2, 1), jfif=True, exif=tiff(orientation, order="<>"[orientation % 2]))
    made["exif-6.png"] = png(photo, 8, 2, before=[png_chunk(b"eXIf", tiff(6, order=">"))])
    made["exif-8-after-data.png"] = png(photo, 8, 2, after=[png_chunk(b"eXIf", tiff(8))])
    raw = b"\nexif\n%8d\n%s\n" % (len(tiff(5)) + 6, (b"Exif\0\0" + tiff(5)).hex().encode())
    made["exif-5-raw-profile.png"] = png(photo, 8, 2, before=[png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw))])
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    element = b"<x:xmpmeta><tiff:Orientation>7</tiff:Orientation></x:xmpmeta>"
    made["xmp-3.jpg"] = jpeg(ycc, half(2, 2), app1=[b"http://ns.adobe.com/xap/1.0/\0" + xmp])
    made["xmp-7.png"] = png(photo, 8, 2, before=[png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + element)])
    made["xmp-7-compressed.png"] = png(photo, 8, 2, before=[png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(element))])
    made["exif-wins-over-xmp.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(1), app1=[b"http://ns.adobe.com/xap/1.0/\0" + xmp])
    made["exif-long.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(6, kind=4))
    made["exif-byte.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(6, kind=1))
    made["exif-three-values.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(6, count=3))
    made["exif-out-of-range.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(9), app1=[b"http://ns.adobe.com/xap/1.0/\0" + xmp])
    made["exif-cut-off.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(6)[:14])
    made["exif-two-segments.jpg"] = jpeg(ycc, half(2, 2), exif=tiff(8)[:12], app1=[b"Exif\0\0" + tiff(8)[12:]])
    made["exif-6.webp"] = saved(photo, "WEBP", exif=b"Exif\0\0" + tiff(6))
    made["exif-7-lossless.webp"] = saved(photo, "WEBP", lossless=True, exif=tiff(7, order=">"))

    rgba = scene(WIDTH, HEIGHT, 4, seed=5, noise=10)
    rng = np.random.default_rng(7)
    deep = lambda channels: rng.integers(0, 65536, (HEIGHT, WIDTH, channels))
    palette = rng.integers(0, 256, (256, 3))
    made["png-rgb.png"] = saved(photo, "PNG")
    made["png-rgba.png"] = saved(rgba, "PNG")
    made["png-gray.png"] = saved(photo[:, :, 0], "PNG")
    made["png-gray-alpha.png"] = saved(np.ascontiguousarray(rgba[:, :, 2:]), "PNG", "LA")
    made["png-one-bit.png"] = saved(Image.fromarray(photo[:, :, 0]).convert("1"), "PNG")
    for interlaced in (False, True):
        tail = "-interlaced.png" if interlaced else ".png"
        options = {"interlaced": interlaced}
        for depth in (1, 2, 4, 8):
            small = (photo[:, :, :1] >> (8 - depth)).astype(int)
            made[f"png-gray-{depth}{tail}"] = png(small, depth, 0, **options)
            made[f"png-palette-{depth}{tail}"] = png(small, depth, 3, palette=palette[: 1 << depth], **options)
            alphas = bytes(rng.integers(0, 256, 1 << depth).astype(np.uint8))
            made[f"png-palette-alpha-{depth}{tail}"] = png(small, depth, 3, palette=palette[: 1 << depth], transparency=alphas, **options)
        made[f"png-rgb-8{tail}"] = png(photo, 8, 2, **options)
        made[f"png-rgba-8{tail}"] = png(rgba, 8, 6, **options)
        made[f"png-rgb-16{tail}"] = png(deep(3), 16, 2, **options)
        made[f"png-rgba-16{tail}"] = png(deep(4), 16, 6, **options)
        made[f"png-gray-alpha-8{tail}"] = png(rgba[:, :, 2:], 8, 4, **options)
        made[f"png-gray-alpha-16{tail}"] = png(deep(2), 16, 4, **options)
    made["png-gray-16.png"] = png(deep(1), 16, 0)
    for depth in (1, 2, 4, 8):
        small = (photo[:, :, :1] >> (8 - depth)).astype(int)
        made[f"png-gray-key-{depth}.png"] = png(small, depth, 0, transparency=struct.pack(">H", (1 << depth) - 1))
    gray16 = deep(1)
    gray16[::3] = 513
    gray16[1::3] = 512
    made["png-gray-key-16.png"] = png(gray16, 16, 0, transparency=struct.pack(">H", 513))
    rgb16 = deep(3)
    rgb16[::3] = [258, 515, 772]
    rgb16[1::3] = [257, 515, 772]
    made["png-rgb-key-16.png"] = png(rgb16, 16, 2, transparency=struct.pack(">HHH", 258, 515, 772))
    flat = photo.copy()
    flat[5:20, 4:30] = [10, 200, 30]
    made["png-rgb-key-8.png"] = png(flat, 8, 2, transparency=struct.pack(">HHH", 10, 200, 30))
    made["png-palette-key.png"] = png((photo[:, :, :1] >> 4).astype(int), 4, 3, palette=palette[:16], transparency=b"\xff\xff\xff\0")
    made["png-gamma-profile.png"] = png(photo, 8, 2, before=[png_chunk(b"gAMA", struct.pack(">I", 100000)), png_chunk(b"iCCP", b"p\0\0" + zlib.compress(b"no profile"))])
    made["png-filters.png"] = saved(scene(64, 48, seed=11, noise=2), "PNG", optimize=True)
    frames = [Image.fromarray(scene(WIDTH, HEIGHT, 4, seed=s)) for s in (20, 21)]
    made["animated.png"] = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    made["animated-default.png"] = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)

    made["webp-lossy.webp"] = saved(photo, "WEBP", quality=60)
    made["webp-lossless.webp"] = saved(photo, "WEBP", lossless=True)
    made["webp-lossy-alpha.webp"] = saved(rgba, "WEBP", quality=60)
    made["webp-lossless-alpha.webp"] = saved(rgba, "WEBP", lossless=True, exact=True)
    made["webp-animated.webp"] = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=50)
    opaque = [Image.fromarray(scene(WIDTH, HEIGHT, seed=s)) for s in (22, 23)]
    made["webp-animated-opaque.webp"] = saved(opaque[0], "WEBP", save_all=True, append_images=opaque[1:], lossless=True)
    made["webp-small-first-frame.webp"] = framed(saved(rgba[:12, :20], "WEBP", lossless=True, exact=True), 20, 12, 8, 6)
    made["webp-icc.webp"] = saved(photo, "WEBP", icc_profile=b"\0" * 128)

    made["scene-97x61.png"] = saved(scene(97, 61, seed=31, noise=12), "PNG", optimize=True)
    made["scene-200x133.png"] = saved(scene(200, 133, seed=32, noise=0), "PNG", optimize=True)
    made["scene-3x5.png"] = saved(scene(3, 5, seed=33), "PNG", optimize=True)
    made["scene-draft.jpg"] = saved(scene(161, 119, seed=34, noise=4), "JPEG", quality=75)
    made["scene-draft-gray.jpg"] = saved(scene(161, 119, seed=34, noise=4)[:, :, 1], "JPEG", quality=75)
    return made


def framed(still, width, height, x, y):
    """An animation of one frame that is smaller than its canvas of WIDTH x HEIGHT."""
    u24 = lambda n: struct.pack("<I", n)[:3]
    chunk = lambda kind, data: kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    frame = u24(x // 2) + u24(y // 2) + u24(width - 1) + u24(height - 1) + u24(100) + b"\0" + still[12:]
    body = b"WEBP" + chunk(b"VP8X", bytes([0x12, 0, 0, 0]) + u24(WIDTH - 1) + u24(HEIGHT - 1))
    body += chunk(b"ANIM", b"\xff\xff\xff\xff\0\0") + chunk(b"ANMF", frame)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def decodings(files):
    found = {}
    for name, data in files.items():
        header = Image.open(io.BytesIO(data))
        entry = {"stored": list(header.size), "orientation": header.getexif().get(274, 1)}
        if not isinstance(entry["orientation"], int) or not 1 <= entry["orientation"] <= 8:
            entry["orientation"] = 1
        for alpha in ("onWhite", "dropped"):
            image = upright(data, alpha)
            entry["size"] = list(image.size)
            entry[alpha] = digest(image)
        found[name] = entry
    return found


def resizings(files):
    open_ = lambda name: Image.open(io.BytesIO(files[name])).convert("RGB")
    cases = []
    sizes = {
        "scene-97x61.png": [(1, 1), (7, 5), (97, 61), (96, 61), (97, 30), (48, 61), (224, 224), (31, 200), (400, 3), (2, 300), (97, 122), (17, 11), (5, 1), (64, 64), (90, 46), (90, 47), (91, 49), (98, 60), (98, 61), (110, 59)],
        "scene-200x133.png": [(224, 224), (100, 66), (199, 132), (67, 45), (13, 133), (200, 10), (50, 500), (3, 2)],
        "scene-3x5.png": [(1, 1), (2, 9), (30, 50), (4, 5), (3, 64), (5, 3)],
    }  # fmt: skip
    for name, wanted in sizes.items():
        image = open_(name)
        for size in wanted:
            for title, number in FILTERS.items():
                cases.append({"file": name, "filter": title, "size": list(size), "sha256": digest(image.resize(size, number))})
    boxes = [
        (0, 0, 97, 61), (10, 5, 74, 37), (0.5, 0.25, 60.75, 44.125), (3.3, 2.7, 90.1, 60.9), (40, 20, 41, 21), (0, 13.37, 97, 20.001),
        (11.1, 0, 35.5, 61), (96.2, 60.1, 97, 61), (10, 10, 42, 42), (0, 0, 48, 61), (0, 0, 97, 30),
    ]  # fmt: skip
    image = open_("scene-97x61.png")
    for box in boxes:
        for size in [(32, 32), (97, 61), (15, 70), (64, 32), (150, 90)]:
            for title, number in FILTERS.items():
                case = {"file": "scene-97x61.png", "filter": title, "size": list(size), "box": list(box)}
                cases.append({**case, "sha256": digest(image.resize(size, number, box=box))})
    return cases


def crops(files):
    """torchvision's Resize and CenterCrop on a Pillow image, and the same crop by transformers."""
    import torch

    # torchvision's wheel expects its own operators, which a CPU build of torch does not load; the transforms need none of them.
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision.transforms import functional as F
    from torchvision.transforms import InterpolationMode
    from transformers.image_transforms import center_crop
    from transformers.image_utils import ChannelDimension

    modes = {"bicubic": InterpolationMode.BICUBIC, "bilinear": InterpolationMode.BILINEAR, "nearest": InterpolationMode.NEAREST, "lanczos": InterpolationMode.LANCZOS}  # fmt: skip
    cases = []
    for name in ("scene-97x61.png", "scene-200x133.png", "scene-3x5.png", "exif-6.png"):
        image = upright(files[name], "onWhite")
        for side, crop in [(16, 16), (61, 61), (50, 37), (64, 64), (33, 20), (224, 224), (33, 48), (20, 27), (8, 5)]:
            for title in ("nearest", "bicubic") if (side, crop) != (33, 20) else modes:
                resized = F.resize(image, side, modes[title])
                case = {"file": name, "filter": title, "side": side, "crop": crop, "resized": list(resized.size)}
                case["resizedSha256"] = digest(resized)
                case["torchvision"] = digest(F.center_crop(resized, [crop, crop]))
                if min(resized.size) >= crop:
                    array = center_crop(np.asarray(resized), (crop, crop), ChannelDimension.LAST, ChannelDimension.LAST)
                    case["transformers"] = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
                cases.append(case)
    return cases


def drafts(files):
    cases = []
    for name in ("scene-draft.jpg", "scene-draft-gray.jpg", "jpeg-420.jpg", "jpeg-cmyk-adobe.jpg", "pillow-progressive-1.jpg"):
        for side in (1, 5, 14, 15, 29, 30, 59, 60, 119, 400):
            image = Image.open(io.BytesIO(files[name]))
            image.draft(None, (side, side))
            cases.append({"file": name, "minimumSide": side, "size": list(image.size), "sha256": digest(image)})
    return cases


def write(path, document):
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


def made_by():
    from PIL import features

    return {"pillow": PIL.__version__, "numpy": np.__version__, "libjpegTurbo": features.version("libjpeg_turbo"), "webp": features.version("webp")}


def golden():
    files = pictures()
    folder = FIXTURES / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    write(
        FIXTURES / "goldens.json",
        {"madeBy": made_by(), "pictures": decodings(files), "resizings": resizings(files), "crops": crops(files), "drafts": drafts(files)},
    )
    total = sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file())
    print(f"{len(files)} pictures, {total} bytes of fixtures")


def hard(folder):
    found = {}
    for entry in json.loads((folder / "manifest.json").read_text()):
        name = entry["file"]
        data = (folder / name).read_bytes()
        try:
            if entry["category"] == "bomb":
                raise OSError("not opened")
            image = {alpha: upright(data, alpha) for alpha in ("onWhite", "dropped")}
        except Exception as error:
            found[name] = {"pillow": type(error).__name__}
            continue
        found[name] = {"format": Image.open(io.BytesIO(data)).format, "size": list(image["onWhite"].size)}
        found[name].update({alpha: digest(image[alpha]) for alpha in image})
    write(FIXTURES / "hard-images.json", {"madeBy": made_by(), "pictures": found})
    print(f"{len(found)} files")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hard", type=pathlib.Path, metavar="FOLDER")
    chosen = parser.parse_args()
    sys.exit(hard(chosen.hard) if chosen.hard else golden())
