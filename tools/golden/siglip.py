"""SigLIP as its two libraries keep it: transformers' `SiglipModel`, and open_clip's `CustomTextCLIP` around a tower of timm.

No class token, no norm before the blocks, an attention pool with a query of its own in place of the class token's projection; texts
are padded to the full context, unmasked, pooled at the last position, and projected with a bias; pictures are squashed.

The same weights give other vectors in the two: transformers says `gelu_pytorch_tanh` for both towers, open_clip computes the exact
GELU in timm's `vit_base_patch16_siglip_*`, and in the text tower too unless `act_kwargs` say tanh.
"""

import contextlib
import copy
import dataclasses
import json

import reference  # noqa: F401  (first: makes torchvision importable)
import numpy
import timm
import torch
import transformers
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from timm.models.vision_transformer import VisionTransformer
from transformers.models.siglip import modeling_siglip
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

import houses
import redraw

HALVES = [0.5, 0.5, 0.5]
PICTURE = ("crop instead of squash", "no antialias", "blue first", "OpenAI's mean and std")
IMAGE = ("other GELU", "quick GELU", "layer norm eps", "q and k swapped", "one head", "pool's k and v swapped", "mean instead of the pool",
         "pool without its MLP")
TEXT = ("other GELU", "quick GELU", "layer norm eps", "q and k swapped", "one head", "causal mask", "pooling at the end of the text",
        "pooling at the first position", "not padded", "no bias of the projection")


def _swap_thirds(value, first, second):
    parts = list(value.chunk(3))
    parts[first], parts[second] = parts[second], parts[first]
    return torch.cat(parts)


class SigLIP:
    """What the houses of the two libraries share. A mistake is planted in a copy of the model."""

    squashes = True

    @torch.no_grad()
    def text(self, tokens, mistake=None):
        if mistake == "not padded":  # each text alone, up to its end
            return torch.cat([self.text(row[None, : (row == 1).int().argmax() + 1]) for row in tokens])
        return self._text(self._with(mistake), tokens, mistake)


class HuggingFace(SigLIP, houses.HuggingFaceViT):
    model_class, processor_class = transformers.SiglipModel, SiglipImageProcessorPil
    mistakes = {"image": IMAGE, "text": TEXT, "picture": PICTURE}

    def __init__(self, config, preprocessing):
        super().__init__(config, preprocessing)
        self._interpolation()

    @classmethod
    def open(cls, folder):
        house = super().open(folder)
        house._interpolation()
        return house

    def _interpolation(self):
        bicubic = self.preprocessing.resample == Image.Resampling.BICUBIC
        other = "bilinear instead of bicubic" if bicubic else "bicubic instead of bilinear"
        self.mistakes = {**type(self).mistakes, "picture": (*PICTURE, other)}

    def prepared_bytes(self, picture, crop=False, resample=None):
        if crop:
            size = self.vision_size()
            fitting = PreprocessCfg(size=size, mean=HALVES, std=HALVES, resize_mode="shortest")
            for step in image_transform_v2(fitting, is_train=False).transforms[:-2]:
                picture = step(picture)
            return numpy.asarray(picture)
        return super().prepared_bytes(picture, resample=resample)

    def _text(self, model, tokens, mistake):
        with self._causal() if mistake == "causal mask" else contextlib.nullcontext():
            out = model.get_text_features(input_ids=tokens)
        if mistake == "pooling at the first position":
            pooled = model.text_model.head(out.last_hidden_state[:, 0])
        elif mistake == "pooling at the end of the text":
            pooled = model.text_model.head(out.last_hidden_state[torch.arange(len(tokens)), (tokens == 1).int().argmax(-1)])
        else:
            pooled = out.pooler_output
        return houses._unit(pooled)

    @staticmethod
    @contextlib.contextmanager
    def _causal():
        plain = modeling_siglip.create_bidirectional_mask

        def mask(inputs_embeds=None, **_):
            places = inputs_embeds.shape[1]
            return torch.full((1, 1, places, places), float("-inf"), dtype=inputs_embeds.dtype).triu(1)

        modeling_siglip.create_bidirectional_mask = mask
        try:
            yield
        finally:
            modeling_siglip.create_bidirectional_mask = plain

    def _with(self, mistake):
        config, state = copy.deepcopy(self.config), dict(self.model.state_dict())
        towers = (config.text_config, config.vision_config)
        if mistake == "float64":
            return copy.deepcopy(self.model).double()
        if mistake in ("other GELU", "quick GELU"):
            for tower in towers:
                other = "gelu" if tower.hidden_act == "gelu_pytorch_tanh" else "gelu_pytorch_tanh"
                tower.hidden_act = "quick_gelu" if mistake == "quick GELU" else other
        elif mistake == "layer norm eps":
            for tower in towers:
                tower.layer_norm_eps = 1e-5
        elif mistake == "one head":
            for tower in towers:
                tower.num_attention_heads = 1
        elif mistake == "q and k swapped":
            state = {
                name.replace(".q_proj.", ".*.").replace(".k_proj.", ".q_proj.").replace(".*.", ".k_proj."):
                    _swap_thirds(value, 0, 1) if ".in_proj_" in name else value
                for name, value in state.items()
            }
        elif mistake == "pool's k and v swapped":
            state = {name: _swap_thirds(value, 1, 2) if ".in_proj_" in name else value for name, value in state.items()}
        elif mistake == "pool without its MLP":
            state |= {name: torch.zeros_like(value) for name, value in state.items() if ".head.mlp.fc2." in name}
        elif mistake == "no bias of the projection":
            state["text_model.head.bias"] = torch.zeros_like(state["text_model.head.bias"])
        elif mistake == "mean instead of the pool":
            model = copy.deepcopy(self.model)
            model.vision_model.head = _Mean()
            return model
        else:
            return self.model
        model = self._build(config)
        model.load_state_dict(state, strict=True)
        return model


class _Mean(torch.nn.Module):
    def forward(self, states):
        return states.mean(dim=1)


# At full size: the tanh form rounds less than the exact one does, so more may be asked of it.
TANH_EVERYWHERE = dataclasses.replace(redraw.TANH_LARGE, centre=-3.7, after=1000.0)


def hugging_face(full, version):
    """A fresh model of `version` 1 or 2. SigLIP 2 of a fixed resolution is the same class with another vocabulary."""
    if full:
        vision = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224, patch_size=16)
        text = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_size=768,
                    vocab_size=32000 if version == 1 else 256000, max_position_embeddings=64)
    else:
        vision = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8)
        text = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, projection_size=32,
                    vocab_size=1000, max_position_embeddings=64 if version == 1 else 24)
    # Both generations are transformers' defaults in the rest: gelu_pytorch_tanh, eps 1e-6.
    config = transformers.SiglipConfig(vision_config=vision, text_config=text)
    side = vision["image_size"]
    # google's SigLIP has resample 3 (bicubic), its SigLIP 2 has 2 (bilinear).
    preprocessing = SiglipImageProcessorPil(
        size={"height": side, "width": side}, image_mean=HALVES, image_std=HALVES,
        resample=Image.Resampling.BICUBIC if version == 1 else Image.Resampling.BILINEAR)
    house = _scaled(HuggingFace(config, preprocessing), full)
    if full:
        house.scales = TANH_EVERYWHERE
    return house


def _scaled(house, full):
    house.scales = redraw.TANH_LARGE if full else redraw.TANH
    return house


def save_hugging_face(house, folder, dtype, minimal):
    """`minimal` leaves out of the config what transformers 4 left out: keys with the class's default values."""
    house.save(folder, dtype)
    if not minimal:
        return
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    for section, kind in (("text_config", transformers.SiglipTextConfig), ("vision_config", transformers.SiglipVisionConfig)):
        defaults = kind().to_dict()
        config[section] = {key: value for key, value in config[section].items() if key == "model_type" or value != defaults.get(key)}
        config[section].pop("projection_size", None)  # which follows from hidden_size
    houses._write_json(path, config)


class OpenCLIP(SigLIP, houses.OpenCLIP):
    def _mistakes(self):
        self.mistakes = {"image": IMAGE, "text": TEXT, "picture": (*PICTURE, "bilinear instead of bicubic")}
        if self.model.visual.trunk.blocks[0].attn.num_heads == 1:
            self.mistakes["image"] = tuple(kind for kind in IMAGE if kind != "one head")

    @classmethod
    def open(cls, folder):
        with _small_tower():
            return super().open(folder)

    def prepared_bytes(self, picture, crop=False, resample=None):
        changes = {"resize_mode": "shortest"} if crop else {}
        if resample is not None:
            changes["interpolation"] = {Image.Resampling.BILINEAR: "bilinear", Image.Resampling.BICUBIC: "bicubic"}[resample]
        for step in self._transform(**changes).transforms[:-2]:
            picture = step(picture)
        return numpy.asarray(picture)

    def _text(self, model, tokens, mistake):
        return model.encode_text(tokens, normalize=True)

    def _with(self, mistake):
        if mistake is None:
            return self.model
        model = copy.deepcopy(self.model)
        trunk, text = model.visual.trunk, model.text
        blocks = text.transformer.resblocks
        if mistake == "float64":
            return model.double()
        if mistake in ("other GELU", "quick GELU"):
            for parent in list(model.modules()):
                for name, child in parent.named_children():
                    if isinstance(child, torch.nn.GELU):
                        other = torch.nn.GELU(approximate="none" if child.approximate == "tanh" else "tanh")
                        setattr(parent, name, houses.open_clip.transformer.QuickGELU() if mistake == "quick GELU" else other)
        elif mistake == "layer norm eps":
            for module in model.modules():
                if isinstance(module, torch.nn.LayerNorm):
                    module.eps = 1e-5
        elif mistake == "one head":
            for attention in [*(block.attn for block in trunk.blocks), trunk.attn_pool]:
                attention.head_dim *= attention.num_heads
                attention.num_heads = 1
                attention.scale = attention.head_dim**-0.5
            for block in blocks:
                block.attn.num_heads, block.attn.head_dim = 1, block.attn.embed_dim
        elif mistake == "q and k swapped":
            for block in trunk.blocks:
                for value in (block.attn.qkv.weight, block.attn.qkv.bias):
                    value.data = _swap_thirds(value.data, 0, 1)
            for block in blocks:
                for value in (block.attn.in_proj_weight, block.attn.in_proj_bias):
                    value.data = _swap_thirds(value.data, 0, 1)
        elif mistake == "pool's k and v swapped":
            for value in (trunk.attn_pool.kv.weight, trunk.attn_pool.kv.bias):
                value.data = torch.cat(value.data.chunk(2)[::-1])
        elif mistake == "mean instead of the pool":
            trunk.attn_pool = _Mean()
        elif mistake == "pool without its MLP":
            trunk.attn_pool.mlp = None
        elif mistake == "causal mask":
            text.attn_mask = text.build_causal_mask()
        elif mistake == "pooling at the end of the text":
            text.pool_type, text.eos_id = "eos", 1
        elif mistake == "pooling at the first position":
            text.pool_type = "first"
        elif mistake == "no bias of the projection":
            text.text_projection.bias.data.zero_()
        else:
            raise ValueError(mistake)
        return model


SMALL = "vit_tiny_patch8_siglip_32"


@contextlib.contextmanager
def _small_tower():
    """Inside, timm knows a SigLIP tower small enough to be committed. open_clip's config has no key for a tower's sizes, so it needs a
    name; its heads are 64 wide as those of every SigLIP but the largest, its other sizes can be seen in the weights."""

    def build(pretrained=False, pretrained_cfg=None, pretrained_cfg_overlay=None, cache_dir=None, **options):
        return VisionTransformer(
            **{"img_size": 32, "patch_size": 8, "embed_dim": 64, "depth": 2, "num_heads": 1, "mlp_ratio": 1, "class_token": False,
               **options})

    entries = timm.models._registry._model_entrypoints
    entries[SMALL] = build
    try:
        yield
    finally:
        del entries[SMALL]


def open_clip_house(full, tanh):
    """With the keys of open_clip's own ViT-B-16-SigLIP.json, or with `tanh` of its ViT-B-16-SigLIP2.json."""
    sizes = dict(vocab_size=256000 if tanh else 32000, width=768, heads=12, layers=12) if full else dict(
        vocab_size=1000, width=32, heads=2, layers=2)
    text = {
        "context_length": 64 if full else 24, "vocab_size": sizes["vocab_size"],
        "hf_tokenizer_name": "timm/ViT-B-16-SigLIP2" if tanh else "timm/ViT-B-16-SigLIP", "tokenizer_kwargs": {"clean": "canonicalize"},
        "width": sizes["width"], "heads": sizes["heads"], "layers": sizes["layers"], "no_causal_mask": True, "proj_bias": True,
        "pool_type": "last", "norm_kwargs": {"eps": 1e-6},
    }
    if tanh:
        text["act_kwargs"] = {"approximate": "tanh"}
    config = {
        "embed_dim": 768 if full else 64,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 224 if full else 32, "timm_model_name": "vit_base_patch16_siglip_224" if full else SMALL,
            "timm_model_pretrained": False, "timm_pool": "map", "timm_proj": "none",
        },
        "text_cfg": text,
    }
    preprocessing = {"mean": HALVES, "std": HALVES, "interpolation": "bicubic", "resize_mode": "squash"}
    with _small_tower():
        house = _scaled(OpenCLIP(config, preprocessing), full)
    if full and tanh:
        house.scales = TANH_EVERYWHERE
    return house
