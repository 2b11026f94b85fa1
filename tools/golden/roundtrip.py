"""Opens a model folder that StyleFinder wrote with the library that kind of folder belongs to, strictly, and compares.

    roundtrip.py FOLDER --golden GOLDEN_FOLDER

FOLDER is what our writer made of the model in GOLDEN_FOLDER. It passes when `transformers` (config.json) or `open_clip`
(open_clip_config.json) opens it with no missing, extra or mis-shaped tensor, prepares the golden's pictures to the same bytes
and values, and embeds pixels, pictures and tokens as recorded: cosine at least 0.99999, every component within 1e-4.
Prints one line per comparison; exit code 1 where one fails.
"""

import argparse
import json
import pathlib
import sys

import reference
import numpy
import torch
import transformers
from PIL import Image
from safetensors import safe_open

import houses

COSINE, TOLERANCE = 0.99999, 1e-4


def read(folder):
    with safe_open(folder / "golden.safetensors", framework="pt") as file:
        pictures = json.loads(file.metadata()["pictures"])
        return {name: file.get_tensor(name) for name in file.keys()}, pictures


def compare(name, ours, expected):
    if ours.shape != expected.shape:
        print(f"{name:<20}shape {list(ours.shape)}, golden {list(expected.shape)}   FAILED")
        return False
    cosine = torch.nn.functional.cosine_similarity(ours.double(), expected.double(), dim=-1).min().item()
    error = (ours.double() - expected.double()).abs().max().item()
    good = cosine >= COSINE and error <= TOLERANCE
    print(f"{name:<20}cosine {cosine:.8f}   max error {error:.3g}   {'good' if good else 'FAILED'}")
    return good


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--golden", type=pathlib.Path, required=True, help="the folder that holds golden.safetensors")
    options = arguments.parse_args()
    reference.versions()
    transformers.utils.logging.disable_progress_bar()
    golden, names = read(options.golden)
    house = houses.open_folder(options.folder)
    images = [Image.open(options.golden.parent / "pictures" / name).convert("RGB") for name in names]
    prepared = torch.stack([torch.from_numpy(numpy.array(house.prepared_bytes(image))) for image in images])
    same = torch.equal(prepared, golden["prepared"])
    print(f"{'prepared pictures':<20}{'equal in every byte' if same else 'FAILED: bytes differ'}")
    pixels = torch.stack([house.pixels_of(image) for image in images])
    scale = house.model.logit_scale.detach().float().reshape(())
    scaled = torch.allclose(scale, golden["logit_scale"], rtol=1e-6)
    print(f"{'logit scale':<20}{scale.item():.6f}   {'good' if scaled else 'FAILED'}")
    good = [
        same,
        scaled,
        compare("pixels", house.image(golden["pixels"]), golden["pixel_embeddings"]),
        compare("pictures", house.image(pixels), golden["picture_embeddings"]),
        compare("texts", house.text(golden["tokens"].long()), golden["text_embeddings"]),
    ]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
