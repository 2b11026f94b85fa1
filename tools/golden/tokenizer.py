"""Token ids of hard strings by both reference tokenizers, with OpenAI's vocabulary and with a small one of our own.

    tokenizer.py --out Tests/TokenizersTests/Fixtures/tokenizer

Writes `openai.json` (ids only; that vocabulary is not part of the project) and `small.json` with its `vocab.json` and
`merges.txt`, and the same vocabulary as transformers saves it, `tokenizer.json`. Each entry: `kind`, `text`, `cleaned` (what open_clip encodes), `open_clip` and `transformers` (ids from start to
end token, cut to the context). Entries where the references disagree have both, and `differ` counts them.
"""

import argparse
import gzip
import json
import pathlib
import sys
import tempfile

import reference
from open_clip.tokenizer import SimpleTokenizer, basic_clean, whitespace_clean
from transformers import CLIPTokenizer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import goldens
import hard_strings
import train_bpe


def encoded(folder, openai_file, context):
    """Entries for every hard string."""
    theirs = SimpleTokenizer(str(openai_file), context_length=context)
    hugging_face = CLIPTokenizer.from_pretrained(folder)
    entries = []
    for kind, texts in hard_strings.KINDS.items():
        for text in texts:
            row = theirs(text, context)[0].tolist()
            last = max(place for place, token in enumerate(row) if token == theirs.eot_token_id)
            entries.append({
                "kind": kind,
                "text": text,
                "cleaned": whitespace_clean(basic_clean(text)).lower(),
                "open_clip": row[: last + 1],
                "transformers": hugging_face(text, truncation=True, max_length=context)["input_ids"],
            })
    return entries


def write(path, folder, openai_file, context):
    entries = encoded(folder, openai_file, context)
    differ = sum(entry["open_clip"] != entry["transformers"] for entry in entries)
    record = {"versions": reference.versions(), "context": context, "differ": differ}
    lines = [json.dumps(record, ensure_ascii=True)[:-1] + ', "entries": [']
    lines += [json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "," for entry in entries]
    lines[-1] = lines[-1][:-1]
    path.write_text("\n".join(lines) + "\n]}\n", encoding="ascii")
    print(f"{path.name}: {len(entries)} strings, {len(entries) - differ} equal in both references")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        train_bpe.write(scratch, goldens.openai_merges())
        write(options.out / "openai.json", scratch, goldens.OPENAI_BPE, 77)
    seen = [text for kind, texts in hard_strings.KINDS.items() if kind not in hard_strings.UNSEEN for text in texts]
    corpus = goldens.SMALL_CORPUS + 3 * [text for text in seen if len(text) < 100]
    merges = train_bpe.train(corpus, 400)
    train_bpe.write(options.out, merges)
    with tempfile.NamedTemporaryFile(suffix=".gz") as file:
        file.write(gzip.compress(("header\n" + "\n".join(" ".join(pair) for pair in merges)).encode("utf-8")))
        file.flush()
        write(options.out / "small.json", options.out, file.name, 32)
    with tempfile.TemporaryDirectory() as scratch:
        CLIPTokenizer.from_pretrained(options.out).save_pretrained(scratch)
        whole = json.loads((pathlib.Path(scratch) / "tokenizer.json").read_text("utf-8"))
        (options.out / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
