"""Trains a small byte-level BPE vocabulary in CLIP's form: `vocab.json` and `merges.txt`.

    train_bpe.py --size 1500 --out FOLDER [manifest.jsonl ...]      captions from manifests, else one per line on stdin

The vocabulary is the 256 bytes, the 256 bytes that end a word, one entry per merge, then `<|startoftext|>` and
`<|endoftext|>` with the two highest ids, so that pooling at the arg-max token id finds the end of a text.
The result depends on the captions only: equally frequent pairs are taken in alphabetical order.
"""

import argparse
import collections
import json
import pathlib
import sys
import unicodedata

import regex

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", regex.IGNORECASE)


def byte_symbols():
    """One printable character per byte, in the order of CLIP's vocabulary: printable bytes first, as themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(printable)]
    symbols = {byte: chr(byte) for byte in printable}
    symbols.update({byte: chr(256 + place) for place, byte in enumerate(hidden)})
    return symbols


def words_of(captions):
    """How often each word occurs, as a tuple of symbols of which the last ends the word."""
    symbols = byte_symbols()
    counts = collections.Counter()
    for caption in captions:
        text = " ".join(unicodedata.normalize("NFC", caption).split()).lower()
        for word in WORDS.findall(text):
            letters = [symbols[byte] for byte in word.encode("utf-8")]
            letters[-1] += WORD_END
            counts[tuple(letters)] += 1
    return counts


def merged(word, pair):
    out, place = [], 0
    while place < len(word):
        if word[place : place + 2] == pair:
            out.append(pair[0] + pair[1])
            place += 2
        else:
            out.append(word[place])
            place += 1
    return tuple(out)


def train(captions, merge_count):
    """The first `merge_count` merges, most frequent pair first; fewer where no pair occurs twice any more."""
    words = dict(words_of(captions))
    pairs = collections.Counter()
    where = collections.defaultdict(set)
    for word, count in words.items():
        for pair in zip(word, word[1:]):
            pairs[pair] += count
            where[pair].add(word)
    merges = []
    while len(merges) < merge_count and pairs:
        pair, count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if count < 2:
            break
        merges.append(pair)
        for word in sorted(where[pair]):
            occurrences = words.pop(word)
            for old in zip(word, word[1:]):
                pairs[old] -= occurrences
                where[old].discard(word)
                if pairs[old] <= 0:
                    del pairs[old]
            joined = merged(word, pair)
            words[joined] = words.get(joined, 0) + occurrences
            for new in zip(joined, joined[1:]):
                pairs[new] += occurrences
                where[new].add(joined)
    return merges


def vocabulary(merges):
    """Token -> id, in CLIP's order."""
    symbols = list(byte_symbols().values())
    tokens = symbols + [symbol + WORD_END for symbol in symbols] + ["".join(pair) for pair in merges] + [START, END]
    ids = {token: place for place, token in enumerate(tokens)}
    if len(ids) != len(tokens):
        raise SystemExit("two merges spell the same token, so ids would not be unique")
    return ids


def write(folder, merges):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ids = vocabulary(merges)
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ids


def captions_of(manifest):
    """What a manifest's rows say in words: caption, title, and the sentences that training builds from the rest."""
    with open(manifest, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise SystemExit(f"{manifest} line {number}: {error}; a manifest has one JSON object per line")
            if row.get("split", "train") not in ("train", "val"):
                continue
            for key in ("caption", "title", "description"):
                if row.get(key):
                    yield str(row[key])
            item = row.get("category") or row.get("label")
            if item:
                yield f"a photo of {item}"
            if row.get("color"):
                yield f"a clothing item in {row['color']}. {item or ''}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("manifests", nargs="*", help="manifest.jsonl files; without any, captions come from stdin")
    arguments.add_argument("--size", type=int, default=1500, help="entries of the vocabulary, at least 514")
    arguments.add_argument("--out", required=True, help="folder for vocab.json and merges.txt")
    options = arguments.parse_args()
    if options.size < 514:
        arguments.error(f"--size {options.size}: 512 byte tokens and two special tokens need at least 514")
    if options.manifests:
        captions = [caption for manifest in options.manifests for caption in captions_of(manifest)]
    else:
        captions = [line.rstrip("\n") for line in sys.stdin]
    ids = write(options.out, train(captions, options.size - 514))
    print(f"{len(captions)} captions -> {len(ids)} entries in {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
