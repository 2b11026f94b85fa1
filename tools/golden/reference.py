"""What every script here imports first: pinned reference implementations that import on a CPU-only torch.

torchvision's wheel is a CUDA build. Without its compiled library the operators `torchvision::nms` and `torchvision::qnms`
have no schema, and the import fails where fake kernels are registered for them. Declaring the schemas is enough: nothing
here calls the operators.
"""

import importlib.metadata
import os
import sys
import warnings

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore", message=".*custom C\\+\\+ extensions.*")

import torch  # noqa: E402

_torchvision = torch.library.Library("torchvision", "DEF")
for _operator in ("nms", "qnms"):
    _torchvision.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

PINNED = {
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "open_clip_torch": "3.3.0",
    "Pillow": "13.0.0",
    "tokenizers": "0.23.3",
    "sentencepiece": "0.2.3",
    "ftfy": "6.3.1",
}


def versions():
    """Version of each pinned package; ends the program where one is missing or another version."""
    found, wrong = {}, []
    for package, wanted in PINNED.items():
        try:
            found[package] = importlib.metadata.version(package).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
        if found[package] != wanted:
            wrong.append(f"{package} {found[package]} (need {wanted})")
    if wrong:
        sys.exit("fixtures need the pinned references of tools/golden/requirements.txt; here: " + ", ".join(wrong))
    return found
