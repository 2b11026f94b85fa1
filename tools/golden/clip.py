"""Makes the reference fixtures of CLIP: model folders with weights drawn anew, inputs, and what the references answer.

    clip.py --size reduced --out Tests/CLIPTests/Fixtures      small, committed, always tested
    clip.py --size full    --out .deps/golden --bpe FILE.gz    ViT-B/16 and RN50, made by `make golden`

Each model folder gets, beside the files of its kind:

- `golden.safetensors`: `pixels` [n, 3, H, W] and `pixel_embeddings` [n, d]; `prepared` uint8 [m, H, W, 3], the pictures of
  `pictures/` after resize and crop and before normalisation, and `picture_embeddings` [m, d]; `tokens` int32 [t, context]
  and `text_embeddings` [t, d]; `logit_scale` (the natural logarithm, as stored) and `logits` [m, t].
  Embeddings have unit length. The metadata key `pictures` lists the file names.
- `golden.json`: what each planted mistake costs, as the greatest difference in a unit vector and the least cosine, and the
  reference's own rounding (float32 against float64).

`MANIFEST.sha256` lists the checksum of every file written.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import shutil
import sys

import reference
import numpy
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import houses
import pictures
import redraw
import train_bpe

TOLERANCE = 1e-4
SEED = 2

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


def hugging_face(vision, text, embed, image_size, ids, act):
    config = transformers.CLIPConfig(
        projection_dim=embed,
        vision_config=dict(
            hidden_size=vision["width"], intermediate_size=4 * vision["width"], num_hidden_layers=vision["layers"],
            num_attention_heads=vision["width"] // 64, image_size=image_size, patch_size=vision["patch"], hidden_act=act,
            layer_norm_eps=1e-5, projection_dim=embed),
        text_config=dict(
            hidden_size=text["width"], intermediate_size=4 * text["width"], num_hidden_layers=text["layers"],
            num_attention_heads=text["width"] // 64, max_position_embeddings=text["context"], vocab_size=len(ids),
            hidden_act=act, layer_norm_eps=1e-5, projection_dim=embed, bos_token_id=len(ids) - 2,
            eos_token_id=len(ids) - 1, pad_token_id=len(ids) - 1),
    )
    preprocessing = CLIPImageProcessorPil(
        size={"shortest_edge": image_size}, crop_size={"height": image_size, "width": image_size})
    return houses.HuggingFaceViT(config, preprocessing)


def open_clip(vision, text, embed, image_size, ids, quick):
    vision_cfg = {"image_size": image_size, "layers": vision["layers"], "width": vision["width"]}
    if "patch" in vision:
        vision_cfg["patch_size"] = vision["patch"]
    config = {
        "embed_dim": embed,
        "quick_gelu": quick,
        "vision_cfg": vision_cfg,
        "text_cfg": {"context_length": text["context"], "vocab_size": len(ids), "width": text["width"],
                     "heads": text["width"] // 64, "layers": text["layers"]},
    }
    preprocessing = {"size": [image_size, image_size], "mode": "RGB", "mean": list(pictures.MEAN), "std": list(pictures.STD),
                     "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}
    return houses.OpenCLIP(config, preprocessing)


def reduced_models(ids):
    text = dict(width=64, layers=2, context=20)
    yield "vit-quickgelu-f16", torch.float16, hugging_face(
        dict(width=128, layers=1, patch=8), text, 64, 40, ids, "quick_gelu")
    yield "vit-gelu-bf16", torch.bfloat16, open_clip(dict(width=64, layers=2, patch=8), text, 32, 32, ids, False)
    yield "resnet-f32", torch.float32, open_clip(
        dict(width=4, layers=[1, 2, 1, 1]), dict(text, layers=1), 48, 64, ids, True)


def full_models(ids):
    text = dict(width=512, layers=12, context=77)
    yield "vit-b-16", torch.float32, hugging_face(dict(width=768, layers=12, patch=16), text, 512, 224, ids, "quick_gelu")
    yield "rn50", torch.float32, open_clip(dict(width=64, layers=[3, 4, 6, 3]), text, 1024, 224, ids, True)


def random_pixels(size, count=2):
    """[count, 3, size, size] with the statistics of pictures: smooth, about zero mean and unit variance."""
    random = numpy.random.Generator(numpy.random.PCG64(7))
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


def normalised(prepared, mean, std):
    pixels = prepared.permute(0, 3, 1, 2).float() / 255
    return (pixels - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def mistaken_pictures(house, images, prepared, mistake):
    """Pixels [m, 3, H, W] of the pictures, prepared with `mistake`."""
    mean, std = house.mean_and_std()
    size = house.vision_size()
    if mistake == "squash instead of crop":
        prepared = torch.stack([torch.from_numpy(house.prepared_bytes(image, squash=True).copy()) for image in images])
    elif mistake == "bilinear instead of bicubic":
        bilinear = Image.Resampling.BILINEAR
        prepared = torch.stack([torch.from_numpy(house.prepared_bytes(image, resample=bilinear).copy()) for image in images])
    elif mistake in ("no antialias", "crop one pixel off"):
        rows = []
        for image in images:
            width, height = image.size
            short = min(width, height)
            target = [int(size * height / short), int(size * width / short)]
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
    elif mistake.startswith("mean and std rounded"):
        decimals = int(mistake.split()[5])
        mean, std = [round(value, decimals) for value in mean], [round(value, decimals) for value in std]
    return normalised(prepared, mean, std)


def cost(right, wrong):
    difference = (right.double() - wrong.double()).abs().max().item()
    cosine = (right.double() * wrong.double()).sum(dim=-1).min().item()
    return {"max_abs": float(f"{difference:.4g}"), "cosine": round(cosine, 6), "tolerances": round(difference / TOLERANCE, 1)}


def golden(name, dtype, house, folder, paths):
    size = house.vision_size()
    context, vocabulary = house.text_limits()
    images = [Image.open(path).convert("RGB") for path in paths]

    pixels = random_pixels(size)
    redraw.redraw(house.model, SEED, dtype)
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in house.model.modules()):
        both = torch.cat([torch.stack([house.pixels_of(image) for image in images]), pixels])
        redraw.calibrate(house.model.visual, 0.05 * both, SEED, dtype)  # pale, so that pale pictures count
    house.save(folder, dtype)
    house = houses.open_folder(folder)  # from here on: what the file holds, as the reference library reads it

    prepared = torch.stack([torch.from_numpy(house.prepared_bytes(image).copy()) for image in images])
    picture_pixels = torch.stack([house.pixels_of(image) for image in images])
    own = normalised(prepared, *house.mean_and_std())
    assert (own - picture_pixels).abs().max() < 2e-6, "prepared bytes are not what the reference normalised"
    tokens = random_tokens(context, vocabulary)
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
    save_file(
        {
            "pixels": pixels, "pixel_embeddings": right["pixels"], "prepared": prepared,
            "picture_embeddings": right["picture"], "tokens": tokens.to(torch.int32), "text_embeddings": right["text"],
            "logit_scale": scale, "logits": scale.exp() * right["picture"] @ right["text"].T,
        },
        folder / "golden.safetensors",
        metadata={"pictures": json.dumps([path.name for path in paths])},
    )
    weak = [entry["mistake"] for entry in mistakes if entry["tolerances"] < 100]
    record = {
        "model": name, "reference": house.reference, "seed": SEED, "tolerance": TOLERANCE, "stored_as": str(dtype)[6:],
        "versions": reference.versions(), "float32_against_float64": noise, "mistakes": mistakes,
        "costs_below_100_tolerances": weak,
    }
    (folder / "golden.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    report(name, noise, mistakes)


def report(name, noise, mistakes):
    print(f"{name}: float32 against float64 {noise}")
    for entry in mistakes:
        mark = "" if entry["tolerances"] >= 100 else "   <- below 100 tolerances"
        print(f"  {entry['tower']:<14}{entry['mistake']:<40}{entry['max_abs']:<11.4g}cosine {entry['cosine']:.6f}{mark}")


def openai_merges(path):
    """The merges of OpenAI's file: a header line, then merges, of which the vocabulary uses the first 48,894."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [tuple(line.split()) for line in lines.read().split("\n")[1 : 49152 - 256 - 2 + 1]]


def manifest(root):
    lines = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name != "MANIFEST.sha256":
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}")
    (root / "MANIFEST.sha256").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--size", choices=("reduced", "full"), required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--bpe", type=pathlib.Path, help="bpe_simple_vocab_16e6.txt.gz, needed for --size full")
    arguments.add_argument("--only", help="one model by its folder name")
    options = arguments.parse_args()
    reference.versions()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(2)
    if options.size == "full":
        if options.bpe is None or not options.bpe.is_file():
            arguments.error(f"--size full needs --bpe FILE: OpenAI's bpe_simple_vocab_16e6.txt.gz; got {options.bpe}")
        merges = openai_merges(options.bpe)
    else:
        merges = train_bpe.train(SMALL_CORPUS, 64)
    root = options.out / "models"
    ids = train_bpe.vocabulary(merges)
    paths = pictures.draw(root / "pictures", 45 if options.size == "reduced" else 224)
    models = reduced_models(ids) if options.size == "reduced" else full_models(ids)
    for name, dtype, house in models:
        if options.only in (None, name):
            shutil.rmtree(root / name, ignore_errors=True)
            golden(name, dtype, house, root / name, paths)
            train_bpe.write(root / name, merges)
    manifest(root)


if __name__ == "__main__":
    main()
