"""Whether two files hold the same tensors under the same names, whatever their precision; the first must hold float32.

    same_tensors.py OURS THEIRS        each .safetensors, or a dictionary that torch.load(weights_only=True) opens
"""

import sys

import torch
from safetensors.torch import load_file


def tensors(path):
    state = load_file(path) if path.endswith(".safetensors") else torch.load(path, weights_only=True, map_location="cpu")
    # An index list and a counter, not weights: the libraries do without them.
    return {name: tensor for name, tensor in state.items() if not name.endswith(("position_ids", "num_batches_tracked"))}


ours, theirs = map(tensors, sys.argv[1:])
if ours.keys() != theirs.keys():
    sys.exit(f"other names: {sorted(ours.keys() ^ theirs.keys())[:8]}")
for name, tensor in ours.items():
    if tensor.dtype != torch.float32:
        sys.exit(f"{name} is {tensor.dtype}")
    if not torch.equal(tensor.reshape(-1), theirs[name].float().reshape(-1)):
        sys.exit(f"{name} differs")
    if tensor.shape != theirs[name].shape:
        sys.exit(f"{name} is {tuple(tensor.shape)}, expected {tuple(theirs[name].shape)}")
print(f"{len(ours)} tensors are the same")
