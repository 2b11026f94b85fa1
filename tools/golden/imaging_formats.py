"""Writes Tests/ImagingTests/Fixtures/formats/: small GIF, TIFF, HEIC and AVIF pictures made from nothing, and formats.json: what they decode to.

    python tools/golden/imaging_formats.py

Needs Pillow and numpy in the versions that tools/golden/requirements.txt pins, and what nothing else needs: pillow-heif 1.8.1, imagecodecs 2026.3.6.

GIF and TIFF lose nothing, so the hash of Pillow's pixels is recorded; three rules are not Pillow's and are worked out here with numpy: of 16-bit gray the
high byte counts (Pillow clips at 255), also where 0 is white (Pillow shows the negative), and a palette of 8-bit values in 16 bits is read as one.
HEIC and AVIF are decoded by YCbCr arithmetic that differs between libraries, so the reference's pixels lie beside them as PNG: Pillow's (libavif) for
AVIF, pillow-heif's (libheif) for HEIC.
"""

import io
import struct
import sys

import imagecodecs
import numpy as np
import pillow_heif
from PIL import Image

from imaging import FIXTURES, HEIGHT, WIDTH, digest, made_by, saved, upright, write
from imaging_containers import Heif, coded, gif, gif_frame, tiff_picture
from imaging_pictures import scene, tiff

FOLDER = FIXTURES / "formats"
pillow_heif.register_heif_opener()


def gifs():
    rng = np.random.default_rng(61)
    palette = rng.integers(0, 256, (256, 3))
    indices = scene(WIDTH, HEIGHT, 1, seed=62)[:, :, 0]
    small = indices[:12, :20] >> 4
    noise = rng.integers(0, 256, (90, 120))
    made = {
        "global.gif": gif(WIDTH, HEIGHT, [gif_frame(indices)], palette=palette),
        "global-87a.gif": gif(WIDTH, HEIGHT, [gif_frame(indices)], palette=palette, version=b"87a"),
        "interlaced.gif": gif(WIDTH, HEIGHT, [gif_frame(indices, interlaced=True)], palette=palette),
        "interlaced-3-rows.gif": gif(WIDTH, 3, [gif_frame(indices[:3], interlaced=True)], palette=palette),
        "local.gif": gif(WIDTH, HEIGHT, [gif_frame(indices, palette=palette[::-1])], palette=palette),
        "local-alone.gif": gif(WIDTH, HEIGHT, [gif_frame(indices, palette=palette[::-1])]),
        "no-palette.gif": gif(WIDTH, HEIGHT, [gif_frame(indices)]),
        "gray-palette.gif": gif(WIDTH, HEIGHT, [gif_frame(indices)], palette=np.repeat(np.arange(256), 3).reshape(256, 3)),
        "transparent.gif": gif(WIDTH, HEIGHT, [gif_frame(indices, transparent=int(indices[3, 3]))], palette=palette),
        "transparent-gray.gif": gif(WIDTH, HEIGHT, [gif_frame(indices, transparent=int(indices[3, 3]))]),
        "offset.gif": gif(WIDTH, HEIGHT, [gif_frame(small, x=7, y=9, bits=4)], palette=palette[:16]),
        "offset-transparent.gif": gif(WIDTH, HEIGHT, [gif_frame(small, x=7, y=9, transparent=5, bits=4)], palette=palette[:16]),
        "beyond-canvas.gif": gif(15, 10, [gif_frame(small, x=7, y=9, transparent=5, bits=4)], palette=palette[:16]),
        "two-colours.gif": gif(WIDTH, HEIGHT, [gif_frame(indices >> 7, bits=2)], palette=palette[:2]),
        "short-palette.gif": gif(WIDTH, HEIGHT, [gif_frame(small, bits=4)], palette=palette[:4]),
        "full-table.gif": gif(120, 90, [gif_frame(noise)], palette=palette),
        "one-pixel.gif": gif(1, 1, [gif_frame(indices[:1, :1])], palette=palette),
        "animated.gif": gif(
            WIDTH, HEIGHT, [gif_frame(indices, transparent=3), gif_frame(small, x=5, y=5, bits=4, palette=palette[:16])], palette=palette,
            before=b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0\x21\xfe\x05words\0"),
        "pillow.gif": saved(Image.fromarray(scene(WIDTH, HEIGHT, seed=63)).quantize(64), "GIF"),
    }
    return made


def tiffs():
    """Name -> bytes, and the pixels of those where Pillow's are not ours."""
    rng = np.random.default_rng(64)
    rgb, rgba, gray = scene(WIDTH, HEIGHT, seed=65), scene(WIDTH, HEIGHT, 4, seed=66), scene(WIDTH, HEIGHT, 1, seed=67)
    deep = rng.integers(0, 65536, (HEIGHT, WIDTH, 4))
    palette = rng.integers(0, 65536, (256, 3))
    made, own = {}, {}
    for bits in (1, 2, 4, 8):
        part = gray.astype(int) >> (8 - bits)
        made[f"gray-{bits}.tif"] = tiff_picture(part, 1, bits=bits)
        made[f"gray-{bits}-white-is-zero.tif"] = tiff_picture(part, 0, bits=bits, order=">")
        made[f"palette-{bits}.tif"] = tiff_picture(part, 3, bits=bits, palette=palette[: 1 << bits])
    for order, name in (("<", "little"), (">", "big")):
        made[f"gray-16-{name}.tif"] = tiff_picture(deep[:, :, :1], 1, bits=16, order=order)
        own[f"gray-16-{name}.tif"] = np.repeat(deep[:, :, :1] >> 8, 3, axis=2)
        made[f"rgb-16-{name}.tif"] = tiff_picture(deep[:, :, :3], 2, bits=16, order=order)
        made[f"rgba-16-{name}.tif"] = tiff_picture(deep, 2, bits=16, order=order, extras=[2])
    made["gray-16-white-is-zero.tif"] = tiff_picture(deep[:, :, :1], 0, bits=16)
    own["gray-16-white-is-zero.tif"] = 255 - np.repeat(deep[:, :, :1] >> 8, 3, axis=2)
    short = rng.integers(0, 256, (256, 3))
    made["palette-of-8-bits.tif"] = tiff_picture(gray.astype(int), 3, palette=short)
    own["palette-of-8-bits.tif"] = short[gray[:, :, 0]]
    made["rgb.tif"] = tiff_picture(rgb, 2)
    made["rgb-big-endian.tif"] = tiff_picture(rgb, 2, order=">")
    made["rgb-bigtiff.tif"] = tiff_picture(rgb, 2, big=True, rows=8)
    made["rgb-bigtiff-big-endian.tif"] = tiff_picture(rgb, 2, big=True, order=">")
    own["rgb-bigtiff-big-endian.tif"] = rgb
    made["rgb-strips.tif"] = tiff_picture(rgb, 2, rows=4)
    made["rgb-strips-deflated.tif"] = tiff_picture(rgb, 2, rows=16, compression=8)
    made["rgb-tiles.tif"] = tiff_picture(rgb, 2, tile=(16, 32))
    made["rgb-tiles-deflated.tif"] = tiff_picture(rgb, 2, tile=(32, 16), compression=8)
    made["rgb-planes.tif"] = tiff_picture(rgb, 2, planar=2)
    made["rgb-planes-strips-deflated.tif"] = tiff_picture(rgb, 2, planar=2, rows=8, compression=8)
    made["rgb-planes-tiles.tif"] = tiff_picture(rgb, 2, planar=2, tile=(16, 16), compression=8)
    made["gray-tiles-4.tif"] = tiff_picture(gray.astype(int) >> 4, 1, bits=4, tile=(16, 16), compression=8)
    made["rgba.tif"] = tiff_picture(rgba, 2, extras=[2])
    made["rgba-premultiplied.tif"] = tiff_picture(rgba, 2, extras=[1])
    made["rgba-unspecified.tif"] = tiff_picture(rgba, 2, extras=[0])
    made["rgba-unnamed.tif"] = tiff_picture(rgba, 2)
    made["rgba-planes-tiles.tif"] = tiff_picture(rgba, 2, extras=[2], planar=2, tile=(16, 16))
    own["rgba-planes-tiles.tif"] = np.asarray(upright(made["rgba.tif"], "onWhite"))
    made["rgb-more-samples.tif"] = tiff_picture(scene(WIDTH, HEIGHT, 6, seed=68), 2, extras=[0, 0, 0])
    made["gray-alpha.tif"] = tiff_picture(rgba[:, :, 2:], 1, extras=[2])
    made["palette-alpha.tif"] = tiff_picture(rgba[:, :, 2:].astype(int), 3, extras=[2], palette=palette)
    made["cmyk.tif"] = tiff_picture(rgba, 5)
    made["cmyk-16.tif"] = tiff_picture(deep, 5, bits=16, rows=7)
    made["two-pages.tif"] = tiff_picture(rgb, 2, pages=2)
    for orientation in range(1, 9):
        made[f"orientation-{orientation}.tif"] = tiff_picture(rgb[:19], 2, rows=8, orientation=orientation)
    image, line = Image.fromarray(rgb), Image.fromarray(gray[:, :, 0]).convert("1")
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"):
        made[f"pillow-{compression}.tif"] = saved(image, "TIFF", compression=compression)
    made["pillow-lzw-predictor.tif"] = saved(image, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    made["pillow-jpeg-gray.tif"] = saved(Image.fromarray(gray[:, :, 0]), "TIFF", compression="jpeg", quality=90)
    for compression in ("group3", "group4"):
        made[f"pillow-{compression}.tif"] = saved(line, "TIFF", compression=compression)
    return made, own


# --- HEIC and AVIF ----------------------------------------------------------------------------------------------------


def smooth(width, height, channels=3, seed=0):
    """Without noise and fine stripes: what a codec keeps, and where chroma that is enlarged in another way is hardly another."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    planes = []
    for _ in range(channels):
        a, b, c, d = rng.uniform(1, 4, 4)
        planes.append(127.5 + 60 * np.sin(a * x + b * y + c) + 60 * np.cos(b * x - d * y))
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)


def heic(array, chroma=444, quality=90, **options):
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(array)).save(out, quality=quality, chroma=chroma, **options)
    return out.getvalue()


def configured(file, data, size, more=()):
    kind, (name, configuration), content = coded(data)
    return file.item(kind, content, [file.size(*size), file.property(name, configuration), *more])


def turned(data, size, properties, **options):
    """The coded picture of a file in a container with properties such as a turn."""
    file = Heif(**options)
    configured(file, data, size, [file.property(kind, content) for kind, content in properties])
    return file.bytes()


def heics():
    # libheif makes smaller ones 64 samples high and crops them.
    size = (80, 64)
    image = smooth(*size, seed=71)
    plain = heic(image)
    made = {
        "444.heic": plain,
        "420.heic": heic(image, chroma=420),
        "gray.heic": heic(image[:, :, 0]),
        "odd.heic": heic(smooth(45, 35, seed=72)),
        "alpha.heic": heic(np.dstack([image, smooth(*size, 1, seed=73)])),
        "deep.heic": deep_heic(),
    }
    for angle in (1, 2, 3):
        made[f"turned-{angle}.heic"] = turned(plain, size, [(b"irot", bytes([angle]))])
    for axis in (0, 1):
        made[f"mirrored-{axis}.heic"] = turned(plain, size, [(b"imir", bytes([axis]))])
    made["turned-mirrored.heic"] = turned(plain, size, [(b"irot", b"\x01"), (b"imir", b"\x01")])
    aperture = struct.pack(">8i", 40, 1, 30, 1, 2, 1, -3, 1)
    made["cropped.heic"] = turned(plain, size, [(b"clap", aperture)])
    made["cropped-turned.heic"] = turned(plain, size, [(b"clap", aperture), (b"irot", b"\x03")])
    told = Heif()
    configured(told, plain, size)
    told.refer(b"cdsc", told.item(b"Exif", b"\0\0\0\0" + tiff(6)), [1])
    made["exif-says-turned.heic"] = told.bytes()
    made["of-no-brand.heic"] = turned(plain, size, [], brand=b"mif1", compatible=(b"mif1",))

    # 3 x 2 tiles of 64 x 64 that make 150 x 100; a second picture beside; the primary one is named, not the first.
    whole = smooth(192, 128, seed=74)
    file = Heif()
    tiles = [
        configured(file, heic(np.ascontiguousarray(whole[y : y + 64, x : x + 64])), (64, 64)) for y in (0, 64) for x in (0, 64, 128)
    ]
    other = configured(file, heic(smooth(64, 64, seed=75)), (64, 64))
    grid = file.item(b"grid", bytes([0, 0, 1, 2]) + struct.pack(">HH", 150, 100), [file.size(150, 100), file.property(b"irot", b"\x03")], True)
    file.refer(b"dimg", grid, tiles)
    file.primary = grid
    made["grid.heic"] = file.bytes()
    made["grid-data-first.heic"] = file.bytes(data_first=True)
    file.primary = other
    made["second-is-primary.heic"] = file.bytes()
    return made


def deep_heic():
    deep = (smooth(64, 48, seed=76).astype(np.uint16) << 8) + 77
    file = pillow_heif.from_bytes("RGB;16", (64, 48), deep.tobytes())
    out = io.BytesIO()
    file.save(out, quality=90, chroma=444)
    return out.getvalue()


def avifs():
    image = smooth(64, 48, seed=81)
    picture = Image.fromarray(image)
    exif = Image.Exif()
    made = {
        "444.avif": saved(picture, "AVIF", quality=90, subsampling="4:4:4"),
        "420.avif": saved(picture, "AVIF", quality=90, subsampling="4:2:0"),
        "lossless.avif": imagecodecs.avif_encode(image, level=100, pixelformat="444"),
        "gray.avif": saved(Image.fromarray(image[:, :, 0]), "AVIF", quality=90),
        "alpha.avif": saved(Image.fromarray(np.dstack([image, smooth(64, 48, 1, seed=82)])), "AVIF", quality=90, subsampling="4:4:4"),
        "deep.avif": imagecodecs.avif_encode(
            (smooth(64, 48, seed=83).astype(np.uint16) << 2) + 1, level=90, bitspersample=10, pixelformat="444"),
        "animated.avif": saved(
            picture, "AVIF", quality=90, subsampling="4:4:4", save_all=True, append_images=[Image.fromarray(smooth(64, 48, seed=84))]),
    }
    for orientation in range(2, 9):
        exif[274] = orientation
        made[f"orientation-{orientation}.avif"] = saved(picture, "AVIF", quality=90, subsampling="4:4:4", exif=exif)
    return made


def refused():
    """Name -> bytes, category of the refusal, a word of its sentence."""
    rgb, gray = scene(WIDTH, HEIGHT, seed=91), scene(WIDTH, HEIGHT, 1, seed=92).astype(int)
    image = Image.fromarray(rgb)
    indices = gray[:, :, 0]
    plain, small = heic(smooth(80, 64, seed=93)), heic(smooth(64, 64, seed=94))
    alpha = Heif()
    first = configured(alpha, plain, (80, 64))
    layer = configured(
        alpha, small, (64, 64), [alpha.property(b"auxC", b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")])
    alpha.refer(b"auxl", layer, [first])
    lying = Heif()
    configured(lying, plain, (640, 480))
    smaller = Heif()
    configured(smaller, heic(smooth(256, 256, seed=95), quality=20), (16, 16))
    overlay = Heif()
    overlay.item(b"iovl", bytes(12), [overlay.size(80, 64)])
    giant = Heif()
    giant.item(b"grid", bytes([0, 1, 3, 3]) + struct.pack(">II", 65000, 65000), [giant.size(65000, 65000)], True)
    giant.refer(b"dimg", 1, [2] * 16)
    configured(giant, heic(np.zeros((256, 256, 3), np.uint8)), (256, 256))
    tiled = Heif()
    grid = tiled.item(b"grid", bytes([0, 0, 1, 1]) + struct.pack(">HH", 128, 128), [tiled.size(128, 128)], True)
    tile = configured(tiled, small, (64, 64))
    tiled.refer(b"dimg", grid, [tile] * 3)
    return {
        "cut.gif": (gif(WIDTH, HEIGHT, [gif_frame(indices)], palette=np.zeros((256, 3)))[:-9], "broken", "cut off"),
        "no-end.gif": (gif(WIDTH, HEIGHT, [gif_frame(indices)])[:-1], "broken", "cut off"),
        "too-few-pixels.gif": (gif(WIDTH, HEIGHT + 1, [gif_frame(indices)]).replace(
            struct.pack("<HHB", WIDTH, HEIGHT, 0), struct.pack("<HHB", WIDTH, HEIGHT + 1, 0)), "broken", "cut off"),
        "wide.gif": (b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0" + gif_frame(indices) + b";", "tooLarge", "65535 x 65535"),
        "no-frame.gif": (gif(WIDTH, HEIGHT, []), "broken", "no frame"),
        "cut.tif": (tiff_picture(rgb, 2)[:-100], "broken", "cut off"),
        "strip-outside.tif": (tiff_picture(rgb, 2, rows=8).replace(struct.pack("<II", 8, 1088), struct.pack("<II", 8, 1 << 30)), "broken", "cut off"),
        "strip-damaged.tif": (damaged(tiff_picture(rgb, 2, compression=8)), "broken", "libtiff says"),
        "float.tif": (tiff_picture(gray, 1, bits=16, more=[(339, 3, [3])]), "unsupported", "floating-point"),
        "lab.tif": (tiff_picture(rgb, 8), "unsupported", "L*a*b*"),
        "twelve-bits.tif": (tiff_picture(gray, 1).replace(struct.pack("<HHII", 258, 3, 1, 8), struct.pack("<HHII", 258, 3, 1, 12)), "unsupported", "12 bits"),
        "webp.tif": (tiff_picture(rgb, 2, compression=50001), "unsupported", "WebP"),
        "giant.tif": (tiff_picture(rgb, 2).replace(struct.pack("<HHII", 256, 4, 1, WIDTH), struct.pack("<HHII", 256, 4, 1, 1 << 20)), "tooLarge", "1048576 x 35"),
        "giant-tile.tif": (tiff_picture(rgb, 2, tile=(48, 48)).replace(
            struct.pack("<HHIHH", 322, 3, 1, 48, 0), struct.pack("<HHIHH", 322, 3, 1, 65520, 0)).replace(
            struct.pack("<HHIHH", 323, 3, 1, 48, 0), struct.pack("<HHIHH", 323, 3, 1, 65520, 0)), "tooLarge", "samples"),
        "cut.heic": (plain[:-20], "broken", "cut off"),
        "alpha-of-another-size.heic": (alpha.bytes(), "unsupported", "alpha is 64 x 64"),
        "says-more.heic": (lying.bytes(), "broken", "where it says 640 x 480"),
        "says-less.heic": (smaller.bytes(), "broken", "where it says 16 x 16"),
        "overlay.heic": (overlay.bytes(), "unsupported", "overlay"),
        "giant-grid.heic": (giant.bytes(), "broken", "tiles"),
        "tiles-missing.heic": (tiled.bytes(), "broken", "tiles"),
        "no-data.heic": (turned(plain, (80, 64), [])[:-1], "broken", "cut off"),
        "cut.avif": (saved(image, "AVIF")[:-20], "broken", "cut off"),
    }


def damaged(data):
    """Bytes in the middle of the data changed."""
    bytes_ = bytearray(data)
    for place in range(200, 260):
        bytes_[place] ^= 0x5A
    return bytes(bytes_)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    exact, close, wrong = {}, {}, {}

    def record(name, data, pixels=None):
        (FOLDER / name).write_bytes(data)
        exact[name] = {}
        for alpha in ("onWhite", "dropped") if pixels is None else ("onWhite",):
            image = upright(data, alpha) if pixels is None else Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))
            exact[name].update({"size": list(image.size), alpha: digest(image)})

    for name, data in gifs().items():
        record(name, data)
    made, own = tiffs()
    for name, data in made.items():
        record(name, data, own.get(name))
    for name, data in {**heics(), **avifs()}.items():
        (FOLDER / name).write_bytes(data)
        image = upright(data, "onWhite")
        image.save(FOLDER / f"{name}.png", optimize=True)
        close[name] = {"size": list(image.size)}
    for name, (data, category, word) in refused().items():
        (FOLDER / name).write_bytes(data)
        wrong[name] = {"refused": category, "word": word}
    versions = {**made_by(), "pillow-heif": pillow_heif.__version__, "libheif": pillow_heif.libheif_info()["libheif"], "imagecodecs": imagecodecs.__version__}
    write(FIXTURES / "formats.json", {"madeBy": versions, "exact": exact, "close": close, "refused": wrong})
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(exact)} exact, {len(close)} close, {len(wrong)} refused, {total} bytes")


if __name__ == "__main__":
    sys.exit(main())
