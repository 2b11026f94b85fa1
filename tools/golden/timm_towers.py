"""Convolutional towers of timm in open_clip's `TimmModel`, beside CLIP's own text tower: EfficientNet-Lite and ResNet.

open_clip's config names a tower and has no key for its sizes, so the reduced ones need names of their own; what else a name decides
(padding, eps, activation) is as in timm's own models of the family.
"""

import contextlib
import copy
import functools
import json

import reference  # noqa: F401  (first: makes torchvision importable)
import numpy
import timm
import torch
from timm.layers import Conv2dSame
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import Bottleneck, ResNet

from safetensors.torch import save_file

import goldens
import houses
import redraw

HALVES = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

# The stages of EfficientNet-Lite with few channels; two blocks where a shortcut can be.
SMALL_STAGES = [["ds_r1_k3_s1_e1_c8"], ["ir_r2_k3_s2_e6_c8"], ["ir_r2_k5_s2_e6_c16"], ["ir_r1_k3_s2_e6_c16"], ["ir_r2_k5_s1_e6_c16"],
                ["ir_r1_k5_s2_e6_c24"], ["ir_r1_k3_s1_e6_c24"]]


def small_efficientnet(follows_tensorflow, **options):
    trunk = EfficientNet(
        decode_arch_def(SMALL_STAGES), num_features=64, stem_size=8, fix_stem=True, act_layer=torch.nn.ReLU6,
        norm_layer=functools.partial(torch.nn.BatchNorm2d, eps=1e-3 if follows_tensorflow else 1e-5),
        pad_type="same" if follows_tensorflow else "", **options)
    trunk.default_cfg = {"pool_size": (3, 3)}
    return trunk


def small_resnet(**options):
    class Narrow(ResNet):  # planes are 64 times a power of two there
        pass

    trunk = Narrow(Bottleneck, [1, 2, 1, 1], channels=(8, 16, 32, 64), **options)
    trunk.default_cfg = {"pool_size": (2, 2)}
    return trunk


# The number of a ResNet counts its layers, 3 a block and 2 more.
SMALL = {
    "tf_efficientnet_lite_small": functools.partial(small_efficientnet, True),
    "efficientnet_lite_small": functools.partial(small_efficientnet, False),
    "resnet17": small_resnet,
}

# Folder, how the weights are stored, and the tower: its name, side, embedding, projection with or without bias, how pictures are fitted.
# At 72 px a strided convolution sees an odd side too, 9.
REDUCED = [
    ("timm-tf-lite-f16", torch.float16, ("tf_efficientnet_lite_small", 72, 32, "linear", False, "squash", HALVES)),
    ("timm-lite-mlp-f16", torch.float16, ("efficientnet_lite_small", 64, 24, "mlp", True, "shortest", IMAGENET)),
    ("timm-resnet-f16", torch.float16, ("resnet17", 64, 32, "linear", True, "shortest", IMAGENET)),
]
FULL = [
    ("tf-efficientnet-lite0", torch.float32, ("tf_efficientnet_lite0", 224, 256, "linear", False, "squash", HALVES)),
    ("timm-resnet50", torch.float32, ("resnet50", 224, 512, "linear", False, "shortest", IMAGENET)),
]


@contextlib.contextmanager
def _small_towers():
    """Inside, timm knows the reduced towers."""
    def entry(build):
        def create(pretrained=False, pretrained_cfg=None, pretrained_cfg_overlay=None, cache_dir=None, **options):
            return build(**options)
        return create

    entries = timm.models._registry._model_entrypoints
    entries |= {name: entry(build) for name, build in SMALL.items()}
    try:
        yield
    finally:
        for name in SMALL:
            del entries[name]


def lives_in(folder):
    written = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    name = written["model_cfg"]["vision_cfg"].get("timm_model_name", "")
    return "efficientnet" in name or "resnet" in name


def house(trunk, text, vocabulary):
    """A fresh model around the tower that a row of REDUCED or FULL describes."""
    name, side, embedding, projection, has_bias, fitting, statistics = trunk
    config = {
        "embed_dim": embedding,
        "quick_gelu": True,
        "vision_cfg": {
            "image_size": side, "timm_model_name": name, "timm_model_pretrained": False, "timm_pool": "avg", "timm_proj": projection,
            "timm_proj_bias": has_bias,
        },
        "text_cfg": {"context_length": text["context"], "vocab_size": vocabulary, "width": text["width"],
                     "heads": text["width"] // 64, "layers": text["layers"]},
    }
    preprocessing = {"size": [side, side], "mode": "RGB", **statistics, "interpolation": "bicubic", "resize_mode": fitting, "fill_color": 0}
    with _small_towers():
        made = OpenCLIP(config, preprocessing)
    made.scales = redraw.RELU6
    made.paleness = 0.4
    return made


class OpenCLIP(houses.OpenCLIP):
    def _mistakes(self):
        self.squashes = self.preprocessing["resize_mode"] == "squash"
        name = self.config["vision_cfg"]["timm_model_name"]
        if "resnet" in name:
            image = ("batch norm eps", "pooled instead of strided", "strided in the first convolution", "average instead of max pooling",
                     "maximum instead of the mean of all places")
        else:
            padding = "symmetric padding" if name.startswith("tf_") else "TensorFlow's padding"
            image = ("batch norm eps", padding, "ReLU instead of ReLU6", "no shortcuts", "maximum instead of the mean of all places")
        picture = ("no antialias", "bilinear instead of bicubic", "blue first", "OpenAI's mean and std") if self.squashes else (
            "no antialias", "bilinear instead of bicubic", "blue first", "crop one pixel off")
        fitting = "crop instead of squash" if self.squashes else "squash instead of crop"
        self.mistakes = {"image": image, "text": houses.HuggingFaceViT.mistakes["text"], "picture": (fitting, *picture)}

    @classmethod
    def open(cls, folder):
        with _small_towers():
            return super().open(folder)

    def prepared_bytes(self, picture, crop=False, squash=False, resample=None):
        if not crop:
            return super().prepared_bytes(picture, squash=squash, resample=resample)
        for step in self._transform(resize_mode="shortest").transforms[:-2]:
            picture = step(picture)
        return numpy.asarray(picture)

    def _with(self, mistake):
        if mistake not in self.mistakes["image"]:
            with _small_towers():
                return super()._with(mistake)
        model = copy.deepcopy(self.model)
        trunk = model.visual.trunk
        convolutions = [module for module in trunk.modules() if isinstance(module, torch.nn.Conv2d)]
        if mistake == "batch norm eps":
            for module in trunk.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.eps = 1e-5 if module.eps == 1e-3 else 1e-3
        elif mistake == "symmetric padding":
            for module in convolutions:
                module.__class__, module.padding = torch.nn.Conv2d, tuple(side // 2 for side in module.kernel_size)
        elif mistake == "TensorFlow's padding":
            for module in convolutions:
                module.__class__, module.padding = Conv2dSame, (0, 0)
        elif mistake == "ReLU instead of ReLU6":
            for parent in list(trunk.modules()):
                for name, child in parent.named_children():
                    if isinstance(child, torch.nn.ReLU6):
                        setattr(parent, name, torch.nn.ReLU())
        elif mistake == "no shortcuts":
            for block in trunk.blocks.modules():
                if hasattr(block, "has_skip"):
                    block.has_skip = False
        elif mistake == "maximum instead of the mean of all places":
            trunk.global_pool = torch.nn.Sequential(torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten())
        elif mistake == "average instead of max pooling":
            trunk.maxpool = torch.nn.AvgPool2d(3, 2, 1)
        else:  # of the blocks of a ResNet that halve the sides
            for block in trunk.modules():
                if isinstance(block, Bottleneck) and block.conv2.stride == (2, 2):
                    block.conv2.stride = (1, 1)
                    if mistake == "pooled instead of strided":
                        block.aa = torch.nn.AvgPool2d(2)
                    else:
                        block.conv1.stride = (2, 2)
        return model


def clear_pixels(house, tries=60):
    """Pixels [4, 3, H, W] for which no gate is in doubt: of some draws the one whose numbers are farthest from where a ReLU or ReLU6 opens and
    closes. Within a rounding of such a place a gradient has two values, and a sum in another order has the other one.
    """
    visual = copy.deepcopy(house.model.visual)
    nearest = []

    def look(gate, inputs):
        x = inputs[0].detach()
        edges = [0.0, 6.0] if isinstance(gate, torch.nn.ReLU6) else [0.0]
        nearest.append(min(float((x - edge).abs().min()) for edge in edges) / float(x.abs().max()))

    for module in visual.modules():
        if isinstance(module, (torch.nn.ReLU, torch.nn.ReLU6)):
            module.inplace = False
            module.register_forward_pre_hook(look)
    best = None
    for seed in range(7, 7 + tries):
        pixels = goldens.random_pixels(house.vision_size(), 4, seed)
        nearest.clear()
        with torch.no_grad():
            for mode in (False, True):
                copy.deepcopy(visual).train(mode)(pixels)
        if best is None or min(nearest) > best[0]:
            best = (min(nearest), seed, pixels)
    print(f"gates: pixels of seed {best[1]}, the nearest number {best[0]:.1e} of its map's greatest away")
    return best[2]


def record_gradients(house, folder):
    """`gradients.safetensors`: what a training step needs of the image tower, with its batch norms frozen and in training.

    `pixels` [n, 3, H, W] and `direction` [n, d]; the loss is the sum of the embeddings, not normalised, times the direction. Under
    `frozen.` and `train.` stand the gradients by parameter, those of few numbers and the first convolution's, and `loss`; under
    `train.` the running statistics after one pass too.
    """
    pixels = clear_pixels(house)
    shape = (4, house.config["embed_dim"])
    direction = torch.randn(shape, generator=torch.Generator().manual_seed(5))
    tensors = {"pixels": pixels, "direction": direction}
    for mode in ("frozen", "train"):
        visual = copy.deepcopy(house.model.visual).train(mode == "train")
        loss = (visual(pixels) * direction).sum()
        loss.backward()
        tensors[f"{mode}.loss"] = loss.detach()
        for name, parameter in visual.named_parameters():
            if parameter.numel() <= 512 or name.endswith(("conv_stem.weight", "trunk.conv1.weight")):
                tensors[f"{mode}.visual.{name}"] = parameter.grad
        if mode == "train":
            tensors |= {f"train.visual.{name}": buffer for name, buffer in visual.named_buffers() if "running_" in name}
    save_file({name: value.contiguous() for name, value in tensors.items()}, folder / "gradients.safetensors")
