"""Writes Tests/TensorFilesTests/Fixtures/reference.safetensors with the reference library, or checks a file of ours.

    python tools/golden/tensorfiles.py            writes the fixture
    python tools/golden/tensorfiles.py FILE       opens FILE with the reference library and compares it with the same values
"""

import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

FIXTURE = pathlib.Path(__file__).parents[2] / "Tests/TensorFilesTests/Fixtures/reference.safetensors"
METADATA = {"format": "pt", "note": 'quote " backslash \\ line\nend é 👗'}

# Values that every floating-point format holds, and some that only the wider ones do.
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 65504.0, 6.103515625e-05, 5.960464477539063e-08, 1e-3, float("inf"), float("-inf"), float("nan")]


def tensors():
    floats = torch.tensor(FLOATS, dtype=torch.float64).reshape(3, 4)
    whole = torch.tensor([[-3, 0, 7], [100, -128, 127]])
    return {
        "f64": floats,
        "f32": floats.float(),
        "f16": floats.half(),
        "bf16": floats.bfloat16(),
        "i64": whole,
        "i32": whole.int(),
        "i16": whole.short(),
        "i8": whole.to(torch.int8),
        "u8": torch.tensor([0, 1, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 5),
        "weird/näme.\"quoted\"": torch.tensor([4.0]),
    }


def same(a, b):
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return torch.equal(a.contiguous().view(torch.uint8) if a.dim() else a, b.contiguous().view(torch.uint8) if b.dim() else b)


if len(sys.argv) > 1:
    with safe_open(sys.argv[1], framework="pt") as file:
        wanted = tensors()
        assert file.metadata() == METADATA, file.metadata()
        assert set(file.keys()) == set(wanted), file.keys()
        for name, tensor in wanted.items():
            assert same(file.get_tensor(name), tensor), name
    print(f"{sys.argv[1]}: {len(wanted)} tensors equal")
else:
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors(), FIXTURE, METADATA)
    print(f"{FIXTURE}: {FIXTURE.stat().st_size} bytes")
