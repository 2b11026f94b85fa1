"""Writers for the kinds of GIF and TIFF that Pillow reads but does not write, and for HEIF containers around pictures that a codec has made."""

import io
import struct
import zlib

import numpy as np

# --- GIF --------------------------------------------------------------------------------------------------------------


def lzw(indices, bits, most=4096, ends=True):
    """Variable-length codes of a flat list of indices. most: how many codes the table may hold; a full one is used on until the end."""
    clear, table, width = 1 << bits, {}, bits + 1
    held, count, out = 0, 0, bytearray()

    def put(code):
        nonlocal held, count
        held |= code << count
        count += width
        while count >= 8:
            out.append(held & 255)
            held, count = held >> 8, count - 8

    put(clear)
    text, following = (), clear + 2
    for index in indices:
        if text == () or text + (index,) in table:
            text += (index,)
            continue
        put(table[text] if len(text) > 1 else text[0])
        if following < most:
            table[text + (index,)] = following
            following += 1
            # The reader is one entry behind.
            if following > 1 << width and width < 12:
                width += 1
        text = (index,)
    if text:
        put(table[text] if len(text) > 1 else text[0])
        if following == 1 << width and following < 4096 and width < 12:
            width += 1
    if ends:
        put(clear + 1)
    if count:
        out.append(held & 255)
    return bytes(out)


def _blocks(data):
    return b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"


def gif_frame(indices, *, x=0, y=0, palette=None, transparent=None, interlaced=False, bits=8, most=4096, ends=True):
    """One frame of indices [height, width], with the control block before it."""
    height, width = indices.shape
    rows = np.concatenate([indices[0::8], indices[4::8], indices[2::4], indices[1::2]]) if interlaced else indices
    out = b""
    if transparent is not None:
        out += b"\x21\xf9\x04\x01\x0a\0" + bytes([transparent]) + b"\0"
    flags = (0x40 if interlaced else 0) | (0x80 | int(np.log2(len(palette))) - 1 if palette is not None else 0)
    out += b"," + struct.pack("<4HB", x, y, width, height, flags)
    if palette is not None:
        out += np.asarray(palette, np.uint8).tobytes()
    return out + bytes([bits]) + _blocks(lzw([int(i) for i in rows.flatten()], bits, most, ends))


def gif(width, height, frames, *, palette=None, version=b"89a", before=b""):
    flags = 0x80 | int(np.log2(len(palette))) - 1 if palette is not None else 0
    start = b"GIF" + version + struct.pack("<HHBBB", width, height, flags, 0, 0)
    return start + (np.asarray(palette, np.uint8).tobytes() if palette is not None else b"") + before + b"".join(frames) + b";"


# --- TIFF -------------------------------------------------------------------------------------------------------------

_TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 7: "B", 16: "Q"}


def _packed(samples, bits, order):
    """Rows [height, n] of samples as bytes, each row begun anew."""
    if bits == 16:
        return samples.astype(order + "u2").tobytes()
    if bits == 8:
        return samples.astype(np.uint8).tobytes()
    each = np.stack([samples >> shift & 1 for shift in range(bits - 1, -1, -1)], axis=-1).reshape(len(samples), -1)
    return np.packbits(each.astype(np.uint8), axis=1).tobytes()


def tiff_picture(
    samples, colour, *, bits=8, order="<", big=False, planar=1, tile=None, rows=None, compression=1, extras=None, orientation=None,
    palette=None, more=(), pages=1,
):
    """A TIFF of samples [height, width, n], not compressed (1), deflated (8) or in whatever `more` names.

    tile: (width, height) of tiles; rows: rows a strip; more: further entries (tag, type, values).
    """
    height, width, count = samples.shape
    pieces = []
    for planes in [[c] for c in range(count)] if planar == 2 else [list(range(count))]:
        plane = samples[:, :, planes]
        if tile:
            for top in range(0, height, tile[1]):
                for left in range(0, width, tile[0]):
                    piece = np.zeros((tile[1], tile[0], len(planes)), samples.dtype)
                    part = plane[top : top + tile[1], left : left + tile[0]]
                    piece[: part.shape[0], : part.shape[1]] = part
                    pieces.append(piece.reshape(tile[1], -1))
        else:
            step = rows or height
            pieces += [plane[top : top + step].reshape(-1, width * len(planes)) for top in range(0, height, step)]
    data = [_packed(piece, bits, order) for piece in pieces]
    if compression == 8:
        data = [zlib.compress(piece) for piece in data]
    entries = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * count), (259, 3, [compression]), (262, 3, [colour]), (277, 3, [count]),
        (284, 3, [planar]), *more,
    ]
    if extras is not None:
        entries.append((338, 3, extras))
    if orientation is not None:
        entries.append((274, 3, [orientation]))
    if palette is not None:
        entries.append((320, 3, [int(value) for value in np.asarray(palette).T.flatten()]))
    if tile:
        entries += [(322, 3, [tile[0]]), (323, 3, [tile[1]])]
    else:
        entries.append((278, 4, [rows or height]))
    offset, places = 16 if big else 8, []
    for piece in data:
        places.append(offset)
        offset += len(piece) + len(piece) % 2
    entries += [(324 if tile else 273, 4, places), (325 if tile else 279, 4, [len(piece) for piece in data])]
    body = b"".join(piece + b"\0" * (len(piece) % 2) for piece in data)
    mark = b"II" if order == "<" else b"MM"
    head = mark + (struct.pack(order + "HHHQ", 43, 8, 0, offset) if big else struct.pack(order + "HI", 42, offset))
    inline, size = (8, 20) if big else (4, 12)
    entries.sort(key=lambda entry: entry[0])
    directories = b""
    for page in range(pages):
        start = offset + len(directories)
        after = start + (8 if big else 2) + size * len(entries) + (8 if big else 4)
        table, rest = struct.pack(order + ("Q" if big else "H"), len(entries)), b""
        for tag, kind, values in entries:
            content = struct.pack(order + str(len(values)) + _TYPES[kind], *values)
            table += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(values))
            if len(content) <= inline:
                table += content.ljust(inline, b"\0")
            else:
                table += struct.pack(order + ("Q" if big else "I"), after + len(rest))
                rest += content + b"\0" * (len(content) % 2)
        following = after + len(rest) if page + 1 < pages else 0
        directories += table + struct.pack(order + ("Q" if big else "I"), following) + rest
    return head + body + directories


# --- HEIF -------------------------------------------------------------------------------------------------------------


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind, version, flags, content):
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


def boxes(data):
    """(kind, content) of the boxes in data."""
    position, found = 0, []
    while position + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[position : position + 8])
        found.append((kind, data[position + 8 : position + size]))
        position += size
    return found


def coded(data):
    """The coded picture of a plain file: its kind, its configuration box and its data."""
    meta = dict(boxes(data))[b"meta"][4:]
    parts = dict(boxes(meta))
    primary = struct.unpack(">H", parts[b"pitm"][4:6])[0]
    kinds = {}
    for kind, content in boxes(parts[b"iinf"][6:]):
        kinds[struct.unpack(">H", content[4:6])[0]] = content[8:12]
    properties = boxes(dict(boxes(parts[b"iprp"]))[b"ipco"])
    configuration = next((kind, content) for kind, content in properties if kind in (b"hvcC", b"av1C"))
    places = parts[b"iloc"]
    version, sizes = places[0], struct.unpack(">H", places[4:6])[0]
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    position = 8
    for _ in range(struct.unpack(">H", places[6:8])[0]):
        item = struct.unpack(">H", places[position : position + 2])[0]
        method = 0
        position += 2
        if version:
            method = struct.unpack(">H", places[position : position + 2])[0]
            position += 2
        position += 2
        base = int.from_bytes(places[position : position + base_size], "big")
        position += base_size
        extents = struct.unpack(">H", places[position : position + 2])[0]
        position += 2
        content = b""
        for _ in range(extents):
            offset = base + int.from_bytes(places[position : position + offset_size], "big")
            position += offset_size
            length = int.from_bytes(places[position : position + length_size], "big")
            position += length_size
            source = parts.get(b"idat", b"") if method == 1 else data
            content += source[offset : offset + length]
        if item == primary:
            return kinds[item], configuration, content
    raise ValueError("the primary picture has no data")


class Heif:
    """A container that is put together item by item."""

    def __init__(self, brand=b"heic", compatible=(b"mif1", b"heic")):
        self.brand, self.compatible = brand, compatible
        self.items, self.properties, self.references = [], [], []
        self.primary = 1

    def property(self, kind, content):
        if (kind, content) not in self.properties:
            self.properties.append((kind, content))
        return self.properties.index((kind, content)) + 1

    def size(self, width, height):
        return self.property(b"ispe", struct.pack(">III", 0, width, height))

    def item(self, kind, data, properties=(), inline=False):
        self.items.append((kind, data, list(properties), inline))
        return len(self.items)

    def refer(self, kind, source, targets):
        self.references.append((kind, source, list(targets)))

    def bytes(self, film=False, data_first=False):
        head = box(b"ftyp", self.brand + b"\0\0\0\0" + b"".join(self.compatible))
        inline = b"".join(data for _, data, _, is_inline in self.items if is_inline)
        payload = b"".join(data for _, data, _, is_inline in self.items if not is_inline)

        def meta(start):
            entries, offsets = b"", {True: 0, False: start}
            for number, (_, data, _, is_inline) in enumerate(self.items, 1):
                entries += struct.pack(">HHHHII", number, int(is_inline), 0, 1, offsets[is_inline], len(data))
                offsets[is_inline] += len(data)
            infos = b"".join(
                full(b"infe", 2, 0, struct.pack(">HH4s", number, 0, kind) + b"\0") for number, (kind, *_) in enumerate(self.items, 1))
            links = b"".join(
                struct.pack(">HB", number, len(properties)) + bytes(properties) for number, (_, _, properties, _) in enumerate(self.items, 1))
            content = full(b"hdlr", 0, 0, b"\0\0\0\0pict" + bytes(13)) + full(b"pitm", 0, 0, struct.pack(">H", self.primary))
            content += full(b"iloc", 1, 0, struct.pack(">BBH", 0x44, 0, len(self.items)) + entries)
            content += full(b"iinf", 0, 0, struct.pack(">H", len(self.items)) + infos)
            content += box(
                b"iprp",
                box(b"ipco", b"".join(box(kind, content) for kind, content in self.properties))
                + full(b"ipma", 0, 0, struct.pack(">I", len(self.items)) + links))
            if self.references:
                content += full(b"iref", 0, 0, b"".join(
                    box(kind, struct.pack(">HH", source, len(targets)) + struct.pack(f">{len(targets)}H", *targets))
                    for kind, source, targets in self.references))
            if inline:
                content += box(b"idat", inline)
            return full(b"meta", 0, 0, content)

        if data_first:
            return head + box(b"mdat", payload) + meta(len(head) + 8)
        return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", payload)
