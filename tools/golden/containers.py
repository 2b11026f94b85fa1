"""The containers that PyTorch's world keeps models in, as its own code writes them."""

import contextlib
import json
import struct

import reference  # noqa: F401
import torch
from huggingface_hub import split_torch_state_dict_into_shards


def save_script(module, path, device="cpu"):
    """A TorchScript archive without its debug records, which hold the paths of the machine that wrote it.

    With `device` the pickle says that its storages lie there, as a file says that was written on a GPU.
    """
    module.save(str(path))
    reader = torch._C.PyTorchFileReader(str(path))
    records = {name: reader.get_record(name) for name in reader.get_all_records() if not name.endswith("debug_pkl")}
    if device != "cpu":
        records["data.pkl"] = _moved(records["data.pkl"], device)
    writer = torch._C.PyTorchFileWriter(str(path))
    for name, content in records.items():
        if name not in ("version", ".data/version", ".data/serialization_id"):
            writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    torch.jit.load(str(path), map_location="cpu")


def _moved(pickle, device):
    """The string "cpu" is written once, as the device of the first storage; all others refer to it."""
    def string(text):
        return b"X" + struct.pack("<I", len(text)) + text.encode()

    if pickle.count(string("cpu")) != 1:
        raise SystemExit("TorchScript's pickle names its device in another way than expected")
    return pickle.replace(string("cpu"), string(device))


@contextlib.contextmanager
def on_device(device):
    """What `torch.save` writes inside says that its storages lie on `device`."""
    tag = torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: device
    try:
        yield
    finally:
        torch.serialization.location_tag = tag


def save_shards(state, folder, pattern, largest):
    """`torch.save` in several files and their index, as transformers did while it wrote `.bin` files."""
    plan = split_torch_state_dict_into_shards(state, filename_pattern=pattern, max_shard_size=largest)
    assert plan.is_sharded
    for name, keys in plan.filename_to_tensors.items():
        torch.save({key: state[key] for key in keys}, folder / name)
    index = {"metadata": {"total_size": plan.metadata["total_size"]}, "weight_map": plan.tensor_to_filename}
    text = json.dumps(index, indent=2, sort_keys=True) + "\n"
    (folder / (pattern.replace("{suffix}", "") + ".index.json")).write_text(text, encoding="utf-8")
