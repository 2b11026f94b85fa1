"""Embedding files, `.pt` and `.safetensors`, between Python and StyleFinder.

    python tools/golden/embeddings.py check FILE WANTED      opens FILE, which StyleFinder wrote, and compares it with WANTED (JSON)
    python tools/golden/embeddings.py write FOLDER           writes files as Python programs do, and `expected.json` with what they hold
    python tools/golden/embeddings.py refused FOLDER         writes files that hold more than data, or are of an old format
    python tools/golden/embeddings.py rewrite FILE OUT FOLDER    FILE as another program may have it: absolute paths below FOLDER, in another
                                                             order, rows of any length
"""

import json
import os
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def opened(path):
    """The dictionary that a `.pt` file holds, or the same of a safetensors file."""
    if path.suffix == ".pt":
        found = torch.load(path, weights_only=True)
        assert isinstance(found, dict), type(found)
        return found
    with safe_open(path, framework="pt") as file:
        assert list(file.keys()) == ["features"], file.keys()
        metadata = file.metadata()
        return {"features": file.get_tensor("features"), **metadata, "image_paths": json.loads(metadata["image_paths"])}


def check(path, wanted):
    found, wanted = opened(pathlib.Path(path)), json.loads(pathlib.Path(wanted).read_text())
    features = found.pop("features")
    assert features.dtype == torch.float32 and features.is_contiguous(), (features.dtype, features.stride())
    # Both ways of writing a float32 in decimals are exact.
    assert torch.equal(features, torch.tensor(wanted.pop("vectors"), dtype=torch.float32)), "vectors differ"
    names = found.pop("image_paths")
    assert type(names) is list and all(type(name) is str for name in names), names
    assert names == wanted.pop("names"), names
    assert found == {key: value for key, value in wanted.items() if value is not None}, found


def vectors():
    torch.manual_seed(7)
    return torch.randn(6, 10)


NAMES = ["images/1.jpg", "./images/2.jpg", "/abs/3.jpg", "é/👗.png", "images/1 2.jpg", "images/5.jpg"]


def write(folder):
    folder = pathlib.Path(folder)
    raw = vectors()
    unit = torch.nn.functional.normalize(raw)
    files = {
        # What a script of a few lines saves.
        "plain.pt": {"features": unit, "image_paths": NAMES},
        "lengths.pt": {"image_paths": tuple(NAMES), "features": raw * torch.tensor([[0.01], [1], [5], [100], [1], [7]])},
        # A view of something larger, by columns, that was a parameter.
        "view.pt": {"features": torch.nn.Parameter(torch.cat([raw, raw]).double().T.contiguous().T)[:6], "image_paths": NAMES, "epoch": 3},
        "half.pt": {"image_features": unit.half(), "names": NAMES, "scale": torch.tensor(4.6)},
        "bfloat16.pt": {"features": unit.bfloat16(), "files": NAMES},
        "named.pt": {"features": unit, "image_paths": NAMES, "model": "ViT-B/16", "fingerprint": "ab" * 32},
    }
    expected = {}
    for name, content in files.items():
        torch.save(content, folder / name)
        matrix = next(value for value in content.values() if isinstance(value, torch.Tensor) and value.dim() == 2)
        expected[name] = {
            "names": NAMES,
            "vectors": torch.nn.functional.normalize(matrix.detach().double()).tolist(),
            "model": content.get("model"),
            "fingerprint": content.get("fingerprint"),
        }
    save_file({"features": raw}, folder / "lengths.safetensors", {"image_paths": json.dumps(NAMES), "model": "RN50"})
    expected["lengths.safetensors"] = {**expected["plain.pt"], "model": "RN50"}
    (folder / "expected.json").write_text(json.dumps(expected))


class Code:
    """Pickled, it is a command that a careless reader runs."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def refused(folder):
    folder = pathlib.Path(folder)
    torch.save({"features": vectors(), "image_paths": NAMES, "model": Code(f"touch {folder}/ran")}, folder / "code.pt")
    torch.save({"features": vectors(), "image_paths": [pathlib.PurePosixPath(name) for name in NAMES]}, folder / "paths.pt")
    torch.save({"features": vectors(), "image_paths": NAMES}, folder / "old.pt", _use_new_zipfile_serialization=False)


def rewrite(path, out, folder):
    found = opened(pathlib.Path(path))
    count = len(found["image_paths"])
    order = [(row * 7 + 3) % count for row in range(count)]
    assert sorted(order) == list(range(count)), "7 and the number of rows share a factor"
    lengths = 1 + torch.arange(count)[:, None] / 3
    torch.save(
        {"features": found["features"][order] * lengths, "image_paths": [f"{folder}/{found['image_paths'][row]}" for row in order]}, out)


if __name__ == "__main__":
    {"check": check, "write": write, "refused": refused, "rewrite": rewrite}[sys.argv[1]](*sys.argv[2:])
