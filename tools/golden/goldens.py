"""What every golden of a CLIP model has in common: inputs, planted mistakes and their costs, and how both are recorded.

A golden folder holds, beside the files of its model, `golden.safetensors` (inputs and the reference's answers) and `golden.json`
(what each planted mistake costs, and the reference's own rounding). `clip.py` says what is in them, one by one.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import sys

import reference
import numpy
import torch
import transformers
from open_clip.tokenizer import default_bpe
from PIL import Image
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pictures
import redraw
import train_bpe

TOLERANCE = 1e-4
SEED = 2

# The vocabulary as OpenAI published it; open_clip carries the file.
OPENAI_BPE = default_bpe()

SMALL_CORPUS = """
a photo of a red dress with long sleeves and a round neck
a photo of a blue denim jacket, front view
a clothing item in black. slim fit trousers with two pockets
a clothing item in white. cotton t-shirt with short sleeves
the shirt's collar is green; it doesn't have buttons
women's running shoes, grey and pink, size 38
men's wool coat in dark brown with a belt at the waist
a striped skirt, knee length, made of 100% linen
close-up of the knitted sweater's sleeve
a pair of leather boots seen from the back
""".strip().splitlines()


def random_pixels(size, count=2, seed=7):
    """[count, 3, size, size] with the statistics of pictures: smooth, about zero mean and unit variance."""
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    fields = [pictures._field(random, size, size, waves=4) for _ in range(count)]
    return torch.from_numpy(numpy.stack(fields)).permute(0, 3, 1, 2).float().mul(2.0).contiguous()


def random_tokens(context, vocabulary, count=5):
    """[count, context] int32: start, tokens, end, zeros; the shortest text is empty and the longest fills the context."""
    random = numpy.random.Generator(numpy.random.PCG64(11))
    tokens = numpy.zeros((count, context), dtype=numpy.int32)
    for row, length in enumerate(numpy.linspace(0, context - 2, count).astype(int)):
        tokens[row, 0] = vocabulary - 2
        tokens[row, 1 : 1 + length] = random.integers(1, vocabulary - 2, length)
        tokens[row, 1 + length] = vocabulary - 1
    return torch.from_numpy(tokens)


def random_pieces(context, vocabulary, end, padding, count=5):
    """[count, context] int32 as a SentencePiece tokenizer makes them: pieces, end, padding up to the context; no start."""
    random = numpy.random.Generator(numpy.random.PCG64(13))
    tokens = numpy.full((count, context), padding, dtype=numpy.int32)
    for row, length in enumerate(numpy.linspace(0, context - 1, count).astype(int)):
        tokens[row, :length] = random.integers(3, vocabulary, length)
        tokens[row, length] = end
    return torch.from_numpy(tokens)


def normalised(prepared, mean, std):
    pixels = prepared.permute(0, 3, 1, 2).float() / 255
    return (pixels - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def mistaken_pictures(house, images, prepared, mistake):
    """Pixels [m, 3, H, W] of the pictures, prepared with `mistake`."""
    mean, std = house.mean_and_std()
    size = house.vision_size()

    def again(**changes):
        return torch.stack([torch.from_numpy(house.prepared_bytes(image, **changes).copy()) for image in images])

    if mistake == "squash instead of crop":
        prepared = again(squash=True)
    elif mistake == "crop instead of squash":
        prepared = again(crop=True)
    elif mistake == "bilinear instead of bicubic":
        prepared = again(resample=Image.Resampling.BILINEAR)
    elif mistake == "bicubic instead of bilinear":
        prepared = again(resample=Image.Resampling.BICUBIC)
    elif mistake in ("no antialias", "crop one pixel off"):
        rows = []
        for image in images:
            width, height = image.size
            short = min(width, height)
            target = [size, size] if house.squashes else [int(size * height / short), int(size * width / short)]
            planes = torch.from_numpy(numpy.array(image)).permute(2, 0, 1)[None].float()
            resized = torch.nn.functional.interpolate(
                planes, target, mode="bicubic", antialias=mistake != "no antialias").round().clamp(0, 255)
            off = 1 if mistake == "crop one pixel off" else 0
            top = max(0, (target[0] - size) // 2 - (off if target[0] > size else 0))
            left = max(0, (target[1] - size) // 2 - (off if target[1] > size else 0))
            rows.append(resized[0, :, top : top + size, left : left + size].permute(1, 2, 0))
        prepared = torch.stack(rows)
    elif mistake == "blue first":
        prepared = prepared.flip(-1)
    elif mistake == "OpenAI's mean and std":
        mean, std = pictures.MEAN, pictures.STD
    elif mistake.startswith("mean and std rounded"):
        decimals = int(mistake.split()[5])
        mean, std = [round(value, decimals) for value in mean], [round(value, decimals) for value in std]
    else:
        raise ValueError(mistake)
    return normalised(prepared, mean, std)


def cost(right, wrong):
    difference = (right.double() - wrong.double()).abs().max().item()
    cosine = (right.double() * wrong.double()).sum(dim=-1).min().item()
    return {"max_abs": float(f"{difference:.4g}"), "cosine": round(cosine, 6), "tolerances": round(difference / TOLERANCE, 1)}


def draw(house, paths, dtype):
    """Draws the weights of `house` anew, exact in `dtype`."""
    redraw.redraw(house.model, SEED, dtype, getattr(house, "scales", redraw.Scales()))
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in house.model.modules()):
        images = [Image.open(path).convert("RGB") for path in paths]
        both = torch.cat([torch.stack([house.pixels_of(image) for image in images]), random_pixels(house.vision_size())])
        # Pale, so that pale pictures count.
        redraw.calibrate(house.model.visual, getattr(house, "paleness", 0.05) * both, SEED, dtype)


def record(name, house, folder, paths, stored_as, tokens=None, count=2, **more):
    """Asks `house`, which has been opened from `folder`, for its answers, and writes both golden files. `more` goes to golden.json."""
    size = house.vision_size()
    images = [Image.open(path).convert("RGB") for path in paths]
    pixels = random_pixels(size, count)
    prepared = torch.stack([torch.from_numpy(house.prepared_bytes(image).copy()) for image in images])
    picture_pixels = torch.stack([house.pixels_of(image) for image in images])
    own = normalised(prepared, *house.mean_and_std())
    assert (own - picture_pixels).abs().max() < 2e-6, "prepared bytes are not what the reference normalised"
    if tokens is None:
        tokens = random_tokens(*house.text_limits())
    right = {"pixels": house.image(pixels), "picture": house.image(picture_pixels), "text": house.text(tokens.long())}

    mistakes = []
    for kind in house.mistakes["image"]:
        both = torch.cat([pixels, picture_pixels])
        mistakes.append({"tower": "image", "mistake": kind,
                         **cost(torch.cat([right["pixels"], right["picture"]]), house.image(both, kind))})
    for kind in house.mistakes["picture"]:
        wrong = house.image(mistaken_pictures(house, images, prepared, kind))
        mistakes.append({"tower": "preprocessing", "mistake": kind, **cost(right["picture"], wrong)})
    for kind in house.mistakes["text"]:
        mistakes.append({"tower": "text", "mistake": kind, **cost(right["text"], house.text(tokens.long(), kind))})

    exact = {"pixels": house.image(pixels, "float64"), "picture": house.image(picture_pixels, "float64"),
             "text": house.text(tokens.long(), "float64")}
    noise = {key: float(f"{(right[key] - exact[key]).abs().max().item():.3g}") for key in right}

    scale = house.model.logit_scale.detach().float().reshape(())
    tensors = {
        "pixels": pixels, "pixel_embeddings": right["pixels"], "prepared": prepared,
        "picture_embeddings": right["picture"], "tokens": tokens.to(torch.int32), "text_embeddings": right["text"],
        "logit_scale": scale, "logits": scale.exp() * right["picture"] @ right["text"].T,
    }
    if getattr(house.model, "logit_bias", None) is not None:
        bias = house.model.logit_bias.detach().float().reshape(())
        tensors |= {"logit_bias": bias, "logits": tensors["logits"] + bias}
    save_file(tensors, folder / "golden.safetensors", metadata={"pictures": json.dumps([path.name for path in paths])})
    weak = [entry["mistake"] for entry in mistakes if entry["tolerances"] < 100]
    written = {
        "model": name, "reference": house.reference, "seed": SEED, "tolerance": TOLERANCE, "stored_as": stored_as,
        "versions": reference.versions(), "float32_against_float64": noise, "mistakes": mistakes,
        "costs_below_100_tolerances": weak, **more,
    }
    (folder / "golden.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    report(name, noise, mistakes)


def report(name, noise, mistakes):
    print(f"{name}: float32 against float64 {noise}")
    for entry in mistakes:
        mark = "" if entry["tolerances"] >= 100 else "   <- below 100 tolerances"
        print(f"  {entry['tower']:<14}{entry['mistake']:<40}{entry['max_abs']:<11.4g}cosine {entry['cosine']:.6f}{mark}")


def beginning(description, only):
    """A script's command line, `--size`, `--out` and `--only`, with the references checked; and the merges of that size's vocabulary."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("reduced", "full"), required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--only", help=only)
    options = parser.parse_args()
    reference.versions()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(2)
    return options, openai_merges() if options.size == "full" else train_bpe.train(SMALL_CORPUS, 64)


def openai_merges():
    """The merges of OpenAI's file: a header line, then merges, of which the vocabulary uses the first 48,894."""
    with gzip.open(OPENAI_BPE, "rt", encoding="utf-8") as lines:
        return [tuple(line.split()) for line in lines.read().split("\n")[1 : 49152 - 256 - 2 + 1]]


def manifest(root, without=()):
    """`MANIFEST.sha256` of all files under `root` but those whose path from there is among `without`."""
    lines = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and path.name != "MANIFEST.sha256" and name not in without:
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}")
    (root / "MANIFEST.sha256").write_text("\n".join(lines) + "\n", encoding="utf-8")
