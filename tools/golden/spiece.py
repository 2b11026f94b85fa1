"""A small SentencePiece vocabulary of SigLIP's kind, and token ids of hard strings by both reference tokenizers.

    spiece.py --out Tests/TokenizersTests/Fixtures/siglip

SigLIP's English vocabulary is a Unigram model of T5's: `<pad>` 0, `</s>` 1, `<unk>` 2, no start token, normaliser `nmt_nfkc`; the
multilingual one falls back to bytes. Both kinds are trained here on captions that this script makes up. Their normaliser is `nmt_nfkc`
without the rules for characters that no hard string has: all of them would be nine tenths of the file.

Writes `spiece.model`, `bytes.model` (with byte pieces), `tokenizer.json` (what T5's tokenizer saves of the first) and `golden.json`: an entry
per hard string with the ids up to the first padding, by model and reference, and in `cut` who lost some. `transformers` and
`transformers_bytes` are left out where they equal `open_clip` and `open_clip_bytes`.

`mistakes` counts the strings whose ids a mistake changes. Where a count is 0 the golden would not notice.
"""

import argparse
import io
import json
import pathlib
import random
import string
import struct
import tempfile
import warnings

import reference
import sentencepiece
from open_clip.tokenizer import HFTokenizer, basic_clean, canonicalize_text
from sentencepiece import sentencepiece_model_pb2 as proto
from transformers import SiglipTokenizer, T5Tokenizer

import hard_strings

CONTEXT = 64
COLOURS = "red blue navy green olive black white cream grey brown beige pink purple yellow orange turquoise burgundy".split()
FABRICS = "cotton linen wool silk denim leather suede velvet corduroy cashmere polyester knitted quilted pleated".split()
GARMENTS = "dress skirt shirt blouse jacket coat sweater hoodie cardigan jeans trousers shorts boots shoes sandals bag hat scarf".split()
DETAILS = [
    "with long sleeves", "with short sleeves and a round neck", "with two pockets", "with a zip", "with a belt at the waist", "in size 38",
    "for women", "for men", "seen from behind", "front view", "close-up of the collar", "striped", "with a floral pattern", "slim fit",
    "made of 100% organic material", "with horn buttons and a lining", "knee length", "with wide legs and a high waist",
]
ABROAD = [
    "ein rotes Kleid aus Baumwolle", "une robe noire à manches longues, été", "un vestido azul de algodón para señora", "sukienka w kwiaty",
    "красное платье с длинными рукавами", "μαύρο φόρεμα με τσέπες", "红色连衣裙", "黑色皮鞋", "赤いドレス", "デニムジャケット", "빨간 원피스",
    "فستان أحمر", "שמלה אדומה", "ชุดเดรสสีแดง", "लाल पोशाक",
]


def captions(seed):
    dice = random.Random(seed)
    made = []
    for _ in range(4000):
        parts = [dice.choice(COLOURS), dice.choice(FABRICS), dice.choice(GARMENTS), dice.choice(DETAILS)]
        made.append(dice.choice(["a photo of a ", "a clothing item: ", ""]) + " ".join(parts))
        if dice.random() < 0.3:
            made[-1] += " by " + "".join(dice.choice("bcdfglmnprstv") + dice.choice("aeiou") for _ in range(dice.randint(2, 4)))
    return made + 40 * ABROAD + 10 * (hard_strings.CAPTIONS + hard_strings.NUMBERS + hard_strings.ACCENTS)


def rules_of(blob):
    """The rules of a compiled character map, source -> target."""
    size = struct.unpack("<I", blob[:4])[0]
    units = struct.unpack(f"<{size // 4}I", blob[4 : 4 + size])
    targets = blob[4 + size :]
    rules = {}

    def below(place):
        return place ^ ((units[place] >> 10) << ((units[place] & 1 << 9) >> 6))

    waiting = [(b"", below(0))]
    while waiting:
        key, base = waiting.pop()
        for byte in range(256):
            unit = units[base ^ byte]
            if unit & 0x800000FF != byte:
                continue
            if unit >> 8 & 1:
                start = units[below(base ^ byte)] & 0x7FFFFFFF
                rules[(key + bytes([byte])).decode()] = targets[start : targets.index(0, start)].decode()
            waiting.append((key + bytes([byte]), below(base ^ byte)))
    return rules


def train(sentences, rules=None, **settings):
    out = io.BytesIO()
    settings.setdefault("vocab_size", 1000)
    if rules is None:
        settings["normalization_rule_name"] = "nmt_nfkc"
    else:
        settings["normalization_rule_tsv"] = rules
    sentencepiece.set_random_generator_seed(7)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=out, model_type="unigram", character_coverage=1.0, pad_id=0, eos_id=1, unk_id=2,
        bos_id=-1, num_threads=1, hard_vocab_limit=False, minloglevel=2, **settings)
    return proto.ModelProto.FromString(out.getvalue())


def models():
    sentences = captions(7)
    complete = train(sentences, vocab_size=400)
    cleaned = [canonicalize_text(basic_clean(text)) for text in hard_strings.ALL] + [text.lower() for text in hard_strings.ALL]
    used = set("".join(cleaned + sentences + hard_strings.ALL))
    rules = {source: target for source, target in rules_of(complete.normalizer_spec.precompiled_charsmap).items() if used >= set(source)}
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        for source, target in sorted(rules.items()):
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
        file.flush()
        made = {"spiece": train(sentences, file.name), "bytes": train(sentences, file.name, byte_fallback=True)}
    whole = sentencepiece.SentencePieceProcessor(model_proto=complete.SerializeToString())
    for model in made.values():
        model.normalizer_spec.name = "nmt_nfkc, of the characters of hard_strings.py"
        model.normalizer_spec.ClearField("normalization_rule_tsv")  # a path that is gone
        small = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        for text in cleaned + hard_strings.ALL:
            assert small.normalize(text) == whole.normalize(text), text
    return made


def trimmed(row):
    """Ids to the end token, without the padding, which is the end token too."""
    row = list(row)
    while len(row) > 1 and row[-1] == row[-2] == 1:
        row.pop()
    return row


def references(folder, name, model):
    """Both reference tokenizers of one model: a text to its ids, and to whether some were cut off."""
    path = folder / f"{name}.model"
    path.write_bytes(model.SerializeToString())
    siglip = SiglipTokenizer(str(path))
    t5 = T5Tokenizer(
        vocab=[(piece.piece, piece.score) for piece in model.pieces], extra_ids=0, pad_token="</s>", model_max_length=CONTEXT,
        _spm_precompiled_charsmap=model.normalizer_spec.precompiled_charsmap)
    t5.save_pretrained(folder / name)
    open_clip = HFTokenizer(str(folder / name), context_length=CONTEXT, clean="canonicalize")

    def by_open_clip(text):
        return trimmed(open_clip(text)[0].tolist()), len(t5(open_clip.clean_fn(text))["input_ids"]) > CONTEXT

    def by_transformers(text):
        row = siglip(text, max_length=CONTEXT, padding="max_length", truncation=True)["input_ids"]
        # Its own rule counts an end token to come even where the text ends with one.
        return trimmed(row), len(siglip.tokenize(text)) + 1 > CONTEXT

    return by_open_clip, by_transformers


def mistakes(model, entries):
    """How many strings' ids each mistake changes."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())

    def row(text):
        return trimmed((processor.encode(text)[: CONTEXT - 1] + [1] * CONTEXT)[:CONTEXT])

    drop = str.maketrans("", "", string.punctuation)
    wrong = {
        "open_clip": {
            "case kept": lambda text: basic_clean(text).replace("_", " ").translate(drop),
            "punctuation kept": lambda text: basic_clean(text).replace("_", " ").lower(),
            "underscores removed": lambda text: canonicalize_text(basic_clean(text).replace("_", "")),
            "cleaned as transformers does": lambda text: text.lower().translate(drop),
            "SentencePiece's own normaliser": lambda text: canonicalize_text(basic_clean(text)),
        },
        "transformers": {
            "case kept": lambda text: text.translate(drop),
            "punctuation kept": str.lower,
            "special tokens taken for text": lambda text: text.lower().translate(drop),
            "cleaned as open_clip does": lambda text: canonicalize_text(basic_clean(text)),
        },
    }
    return {
        name: {mistake: sum(row(clean(entry["text"])) != entry[name] for entry in entries) for mistake, clean in kinds.items()}
        for name, kinds in wrong.items()
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    warnings.simplefilter("ignore")
    options.out.mkdir(parents=True, exist_ok=True)
    made = models()
    entries = [{"text": text} for text in hard_strings.ALL]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name, suffix in (("spiece", ""), ("bytes", "_bytes")):
            (options.out / f"{name}.model").write_bytes(made[name].SerializeToString())
            for encode, who in zip(references(scratch, name, made[name]), ("open_clip", "transformers")):
                for entry in entries:
                    entry[who + suffix], cut = encode(entry["text"])
                    if cut:
                        entry.setdefault("cut", []).append(who + suffix)
        whole = json.loads((scratch / "spiece" / "tokenizer.json").read_text("utf-8"))
        (options.out / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    record = {
        "versions": reference.versions(), "context": CONTEXT, "differ": sum(e["open_clip"] != e["transformers"] for e in entries),
        "mistakes": mistakes(made["spiece"], entries),
    }
    for entry in entries:
        for suffix in ("", "_bytes"):
            if entry["transformers" + suffix] == entry["open_clip" + suffix]:
                del entry["transformers" + suffix]
    lines = [json.dumps(record, ensure_ascii=True)[:-1] + ', "entries": [']
    lines += [json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "," for entry in entries]
    lines[-1] = lines[-1][:-1]
    (options.out / "golden.json").write_text("\n".join(lines) + "\n]}\n", encoding="ascii")
    for name, model in made.items():
        print(f"{name}: {len(model.pieces)} pieces, {len(rules_of(model.normalizer_spec.precompiled_charsmap))} rules")
    print(f"golden.json: {len(entries)} strings; the references differ in {record['differ']}; {record['mistakes']}")


if __name__ == "__main__":
    main()
