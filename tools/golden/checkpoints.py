"""Writes the PyTorch checkpoints of Tests/TensorFilesTests/Fixtures/checkpoints, or checks one that StyleFinder wrote.

    python tools/golden/checkpoints.py                    writes the fixtures and `expected.json`
    python tools/golden/checkpoints.py FILE WANTED        opens FILE with `torch.load(weights_only=True)` and compares it with WANTED

`expected.json` has, for each file and each tensor, its type, shape, strides, offset, whether it lies in a row, and its values as
`float.hex` (Swift reads that exactly), and the values beside the tensors. WANTED has the same form; of its tensors it needs `type`,
`shape` and `values`.
"""

import argparse
import collections
import json
import math
import pathlib
import sys

import reference
import torch

from containers import save_script

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/TensorFilesTests/Fixtures/checkpoints"
TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def hexadecimal(value):
    """What Swift's `Double(_:)` reads exactly; `float.hex` has other words for what is not finite."""
    value = float(value)
    return value.hex() if math.isfinite(value) else ("nan" if math.isnan(value) else ("inf" if value > 0 else "-inf"))


def describe(tensor):
    tensor = tensor.detach().cpu()
    return {
        "type": TYPES[tensor.dtype],
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "contiguous": tensor.is_contiguous(),
        # A checkpoint's Float is rounded to nearest where the type holds more.
        "values": [hexadecimal(value) for value in tensor.flatten().float().tolist()],
    }


class Block(torch.nn.Module):
    """A layer of every kind that matters: parameters, buffers to be saved and not, a missing bias, a list, a function."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.randn(()))
        self.proj = torch.nn.Linear(3, 2, bias=False)
        self.norm = torch.nn.BatchNorm1d(2)
        self.layers = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Sequential(collections.OrderedDict(act=torch.nn.GELU(), fc=torch.nn.Linear(2, 1)))])
        self.register_buffer("mask", torch.full((2, 2), float("-inf")).triu(1), persistent=False)
        self.register_buffer("kept", torch.arange(3))

    def forward(self, x):
        return self.layers[0](self.norm(self.proj(x))) * self.scale


class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 2)
        self.register_buffer("input_resolution", torch.tensor(224))
        self.widths = [1, 2, 3]
        self.names = ["a", "b"]

    def forward(self, x):
        return self.inner(x) + self.widths[0]


def checkpoints():
    """Name -> (object to save, keys that lead to the tensors, how a reader names them, pickle protocol)."""
    torch.manual_seed(7)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    views = {
        "whole": base, "transposed": base.t(), "rows": base[1:3], "columns": base[:, 2:5], "every other": base[::2, ::3],
        "one": base[2, 3], "expanded": base[0, :3].expand(2, 3), "cube": base.reshape(2, 2, 6).permute(2, 0, 1),
        "odd": torch.arange(10, dtype=torch.int16)[1::2], "bytes": torch.arange(6, dtype=torch.uint8).reshape(2, 3).t(),
        "empty": torch.zeros(0, 3), "single row": base[1:2].t()[:, :1],
    }
    special = torch.tensor([[0.0, -0.0, 1.0, -1.5], [0.1, 65504.0, float("inf"), float("nan")]])
    whole = torch.tensor([-3, 0, 7, 100])
    block = Block().eval()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    optimizer = torch.optim.AdamW(block.parameters(), lr=1e-3)
    block(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    state = {name: tensor.clone() for name, tensor in block.state_dict().items()}
    training = {
        "epoch": 12, "name": "ViT-tiny", "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
        "optimizer": optimizer.state_dict(), "scaler": None, "best": -0.125, "big": 1 << 40, "huge": 1 << 80, "done": True,
        "note": "quote \" é 👗", "history": [0.5, (1, 2), {"lr": 1e-4}], "tags": {"only"}, "raw": b"\x00\xff", "dtype": torch.float16,
        "device": torch.device("cuda", 0), "size": torch.Size([2, 3]), "args": argparse.Namespace(lr=1e-4, model="ViT-B/16"),
        "counts": collections.defaultdict(int, {"a": 1}),
    }
    return {
        "types": (
            {
                "f64": special.double(), "f32": special, "f16": special.half(), "bf16": special.bfloat16(), "i64": whole,
                "i32": whole.int(), "i16": whole.short(), "i8": whole.to(torch.int8), "u8": whole.abs().to(torch.uint8),
                "bool": torch.tensor([True, False]), "scalar": torch.tensor(2.5),
            }, [], 2),
        "state": (block.state_dict(), [], 2),
        "views": (views, [], 2),
        "parameters": ({"weight": torch.nn.Parameter(base), "frozen": torch.nn.Parameter(base.half(), requires_grad=False)}, [], 2),
        "training": (training, ["state_dict"], 2),
        "protocol3": (training, ["state_dict"], 3),
        "protocol4": (training, ["state_dict"], 4),
        "protocol5": (training, ["state_dict"], 5),
        "clip": ({"CLIP": state}, ["CLIP"], 2),
        "module": ({"model": torch.nn.DataParallel(block), "epoch": 3}, ["model"], 2),
        "script": (torch.jit.script(Scripted()), [], 2),
        "old": (state, [], 2),
    }


def tensors_of(value, keys):
    for key in keys:
        value = value[key]
    # A pickled module is read under the names of its own state_dict.
    return value.state_dict() if isinstance(value, torch.nn.Module) else value


def write():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, (value, keys, protocol) in checkpoints().items():
        path = FIXTURES / f"{name}.pt"
        if name == "script":
            save_script(value, path)
        elif name == "old":
            torch.save(value, path, _use_new_zipfile_serialization=False)
            continue
        else:
            torch.save(value, path, pickle_protocol=protocol)
        expected[name] = {"keys": keys, "tensors": {key: describe(tensor) for key, tensor in tensors_of(value, keys).items()}}
    lines = [f"{json.dumps(name)}: {json.dumps(entry, allow_nan=False)}" for name, entry in sorted(expected.items())]
    (FIXTURES / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{FIXTURES}: {sum(path.stat().st_size for path in FIXTURES.iterdir())} bytes")


def check(path, wanted):
    wanted = json.loads(pathlib.Path(wanted).read_text())
    found = torch.load(path, weights_only=True)
    tensors = tensors_of(found, wanted["keys"])
    named = {key: value for key, value in tensors.items() if isinstance(value, torch.Tensor)}
    assert list(named) == wanted["order"], list(named)
    for key, want in wanted["tensors"].items():
        have = describe(named[key])
        assert have["contiguous"], key
        for field in ("type", "shape", "values"):
            assert have[field] == want[field], (key, field, have[field], want[field])
    beside = {key: value for key, value in found.items() if not isinstance(value, torch.Tensor) and key not in wanted["keys"]}
    assert beside == wanted["values"], beside
    mapped = torch.load(path, weights_only=True, mmap=True)
    assert list(tensors_of(mapped, wanted["keys"])) == list(tensors), "mapped"
    print(f"{path}: {len(named)} tensors equal")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        check(*sys.argv[1:])
    else:
        write()
