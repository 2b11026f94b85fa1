"""Pictures made from nothing, and writers for the kinds of JPEG and PNG that Pillow reads but does not write."""

import struct
import zlib

import numpy as np


def scene(width, height, channels=3, seed=0, noise=24):
    """Gradients, a disc, stripes and some noise: smooth parts, edges and texture, as uint8 [height, width, channels]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for c in range(channels):
        plane = 255 * ((c + 1) * x / max(width, 2) + (2 - c % 3) * y / max(height, 2)) / (channels + 1)
        disc = (x - width * (0.3 + 0.15 * c)) ** 2 + (y - height * 0.5) ** 2 < (min(width, height) * 0.28) ** 2
        plane = np.where(disc, 255 - plane, plane)
        plane = np.where((x.astype(int) // 3 + c) % 7 == 0, plane * 0.4, plane)
        planes.append(plane + rng.normal(0, noise, plane.shape))
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)


# --- JPEG -------------------------------------------------------------------------------------------------------------

# Blocks are written with made-up Huffman tables whose codes all have the same length (4 bits for DC, 8 bits for AC): valid, and no table to copy.
_DC_SYMBOLS = list(range(12))
_AC_SYMBOLS = [run << 4 | size for run in range(16) for size in range(1, 11)] + [0x00, 0xF0]
_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
_DCT = np.array([[np.cos((2 * x + 1) * u * np.pi / 16) * (np.sqrt(0.125) if u == 0 else 0.5) for x in range(8)] for u in range(8)])


def _segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _bits(value):
    """The size of a coefficient and the bits that follow its code."""
    size = int(abs(value)).bit_length()
    return size, value if value >= 0 else value + (1 << size) - 1


def jpeg(planes, sampling, *, ids=None, quant=6, adobe=None, jfif=False, exif=None, app1=(), restart=0):
    """A baseline JPEG of planes that are already in the colour space of the file.

    planes: uint8 [height, width] each, at full resolution; sampling: (h, v) per component, the largest wins;
    adobe: the transform byte of an APP14 segment; restart: MCUs per restart interval.
    """
    height, width = planes[0].shape
    ids = ids or list(range(1, len(planes) + 1))
    hmax, vmax = max(h for h, _ in sampling), max(v for _, v in sampling)
    across, down = -(-width // (8 * hmax)), -(-height // (8 * vmax))
    blocks = []
    for plane, (h, v) in zip(planes, sampling):
        full = np.pad(plane.astype(np.float64), ((0, down * 8 * vmax - height), (0, across * 8 * hmax - width)), mode="edge")
        small = full.reshape(down * 8 * v, vmax // v, across * 8 * h, hmax // h).mean(axis=(1, 3)) - 128
        grid = small.reshape(down * v, 8, across * h, 8).transpose(0, 2, 1, 3)
        blocks.append(np.rint(_DCT @ grid @ _DCT.T / quant).astype(int).reshape(down * v, across * h, 64)[:, :, _ZIGZAG])

    out, text = bytearray(), []
    previous = [0] * len(planes)

    def flush():
        bits = "".join(text)
        bits += "1" * (-len(bits) % 8)
        out.extend(int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00") if bits else b"")
        text.clear()

    for mcu in range(across * down):
        if restart and mcu and mcu % restart == 0:
            flush()
            out.extend(bytes([0xFF, 0xD0 + (mcu // restart - 1) % 8]))
            previous = [0] * len(planes)
        row, column = divmod(mcu, across)
        for c, (h, v) in enumerate(sampling):
            for j in range(v):
                for i in range(h):
                    block = blocks[c][row * v + j, column * h + i]
                    size, value = _bits(int(block[0]) - previous[c])
                    previous[c] = int(block[0])
                    text.append(format(_DC_SYMBOLS.index(size), "04b") + (format(value, f"0{size}b") if size else ""))
                    run = 0
                    last = max(np.flatnonzero(block[1:]), default=-1) + 1
                    for k in range(1, last + 1):
                        if block[k] == 0:
                            run += 1
                            continue
                        while run > 15:
                            text.append(format(_AC_SYMBOLS.index(0xF0), "08b"))
                            run -= 16
                        size, value = _bits(int(block[k]))
                        text.append(format(_AC_SYMBOLS.index(run << 4 | size), "08b") + format(value, f"0{size}b"))
                        run = 0
                    if last < 63:
                        text.append(format(_AC_SYMBOLS.index(0x00), "08b"))
    flush()

    head = b"\xff\xd8"
    if jfif:
        head += _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    if exif is not None:
        head += _segment(0xE1, b"Exif\0\0" + exif)
    for payload in app1:
        head += _segment(0xE1, payload)
    if adobe is not None:
        head += _segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe))
    head += _segment(0xDB, bytes([0] + [quant] * 64))
    frame = struct.pack(">BHHB", 8, height, width, len(planes))
    head += _segment(0xC0, frame + b"".join(bytes([n, h << 4 | v, 0]) for n, (h, v) in zip(ids, sampling)))
    counts = lambda length, symbols: bytes(len(symbols) if n == length else 0 for n in range(1, 17))
    head += _segment(0xC4, b"\x00" + counts(4, _DC_SYMBOLS) + bytes(_DC_SYMBOLS) + b"\x10" + counts(8, _AC_SYMBOLS) + bytes(_AC_SYMBOLS))
    if restart:
        head += _segment(0xDD, struct.pack(">H", restart))
    head += _segment(0xDA, bytes([len(planes)]) + b"".join(bytes([n, 0]) for n in ids) + b"\0\x3f\0")
    return head + bytes(out) + b"\xff\xd9"


# --- PNG --------------------------------------------------------------------------------------------------------------

_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _scanlines(samples, depth):
    """Rows with filter 0; samples [height, width, channels] in 0..<2^depth."""
    height = samples.shape[0]
    rows = samples.reshape(height, -1)
    if depth == 16:
        packed = rows.astype(">u2").view(np.uint8).reshape(height, -1)
    elif depth == 8:
        packed = rows.astype(np.uint8)
    else:
        bits = (rows[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
        packed = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)


def png(samples, depth, colour, *, interlaced=False, palette=None, transparency=None, before=(), after=()):
    """A PNG of any kind. samples: [height, width, channels]; before, after: chunks around the picture's data."""
    height, width = samples.shape[:2]
    if interlaced:
        passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in _ADAM7]
        raw = b"".join(_scanlines(part, depth) for part in passes if part.size)
    else:
        raw = _scanlines(samples, depth)
    chunks = [png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))]
    if palette is not None:
        chunks.append(png_chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes()))
    if transparency is not None:
        chunks.append(png_chunk(b"tRNS", transparency))
    chunks += [*before, png_chunk(b"IDAT", zlib.compress(raw, 9)), *after, png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# --- EXIF -------------------------------------------------------------------------------------------------------------


def tiff(orientation, *, order="<", kind=3, count=1):
    """A TIFF structure with one entry, the orientation, of any whole-number field type."""
    form = {1: "B", 3: "H", 4: "I", 8: "h", 9: "i"}[kind]
    value = struct.pack(order + form * count, *[orientation] * count)
    inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", 26)
    body = struct.pack(order + "HHHI", 1, 274, kind, count) + inline + struct.pack(order + "I", 0)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + body + (value if len(value) > 4 else b"")
