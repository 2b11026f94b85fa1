"""A CLIP whose classes, attributes and parameters are named as in OpenAI's package, so that what is saved of it looks as theirs does.

Our own code. It serves two formats: TorchScript archives like the files that OpenAI hands out, and checkpoints that hold a
whole pickled module, whose pickle names the classes as `clip.model.CLIP`, `clip.model.LayerNorm`, ….
"""

import collections
import contextlib
import sys
import types

import reference  # noqa: F401
import torch
from torch import nn
from torch.nn import functional


class LayerNorm(nn.LayerNorm):
    """Computes in float32, whatever comes in."""

    def forward(self, x):
        return functional.layer_norm(x.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps).to(x.dtype)


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class ResidualAttentionBlock(nn.Module):
    def __init__(self, width, heads, attn_mask):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1 = LayerNorm(width)
        self.mlp = nn.Sequential(collections.OrderedDict(
            c_fc=nn.Linear(width, 4 * width), gelu=QuickGELU(), c_proj=nn.Linear(4 * width, width)))
        self.ln_2 = LayerNorm(width)
        self.attn_mask = attn_mask  # no buffer: a pickled module holds it beside its parameters

    def forward(self, x):
        mask = None if self.attn_mask is None else self.attn_mask.to(x.dtype)
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, attn_mask=None):
        super().__init__()
        self.width, self.layers = width, layers
        self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads, attn_mask) for _ in range(layers)])

    def forward(self, x):
        return self.resblocks(x)


class VisionTransformer(nn.Module):
    def __init__(self, input_resolution, patch_size, width, layers, heads, output_dim):
        super().__init__()
        self.input_resolution, self.output_dim = input_resolution, output_dim
        self.conv1 = nn.Conv2d(3, width, patch_size, patch_size, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros((input_resolution // patch_size) ** 2 + 1, width))
        self.ln_pre = LayerNorm(width)
        self.transformer = Transformer(width, layers, heads)
        self.ln_post = LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, output_dim))

    def forward(self, x):
        patches = self.conv1(x).flatten(2).permute(2, 0, 1)
        start = self.class_embedding.to(patches.dtype).expand(1, patches.shape[1], -1)
        x = torch.cat([start, patches]) + self.positional_embedding.to(patches.dtype)[:, None]
        return self.ln_post(self.transformer(self.ln_pre(x))[0]) @ self.proj


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        out = planes * self.expansion
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.relu2 = nn.ReLU(inplace=True)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3, self.bn3 = nn.Conv2d(planes, out, 1, bias=False), nn.BatchNorm2d(out)
        self.relu3 = nn.ReLU(inplace=True)
        self.downsample, self.stride = None, stride
        if stride > 1 or inplanes != out:
            self.downsample = nn.Sequential(collections.OrderedDict(
                [("-1", nn.AvgPool2d(stride)), ("0", nn.Conv2d(inplanes, out, 1, bias=False)), ("1", nn.BatchNorm2d(out))]))

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.avgpool(y)))
        return self.relu3(y + (x if self.downsample is None else self.downsample(x)))


class AttentionPool2d(nn.Module):
    def __init__(self, spacial_dim, embed_dim, num_heads, output_dim):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(spacial_dim**2 + 1, embed_dim))
        self.k_proj, self.q_proj, self.v_proj = (nn.Linear(embed_dim, embed_dim) for _ in range(3))
        self.c_proj = nn.Linear(embed_dim, output_dim)
        self.num_heads = num_heads

    def forward(self, x):
        x = x.flatten(2).permute(0, 2, 1)
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding.to(x.dtype)
        query, key, value = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in (self.q_proj(x[:, :1]), self.k_proj(x), self.v_proj(x)))
        weights = (query @ key.transpose(-2, -1) * key.shape[-1] ** -0.5).softmax(-1)
        return self.c_proj((weights @ value).transpose(1, 2).flatten(2)[:, 0])


class ModifiedResNet(nn.Module):
    def __init__(self, layers, output_dim, heads, input_resolution, width):
        super().__init__()
        self.output_dim, self.input_resolution = output_dim, input_resolution
        half = width // 2
        self.conv1, self.bn1, self.relu1 = nn.Conv2d(3, half, 3, 2, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True)
        self.conv2, self.bn2, self.relu2 = nn.Conv2d(half, half, 3, 1, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True)
        self.conv3, self.bn3, self.relu3 = nn.Conv2d(half, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        self.avgpool = nn.AvgPool2d(2)
        self._inplanes = width
        self.layer1 = self._stage(width, layers[0], 1)
        self.layer2 = self._stage(width * 2, layers[1], 2)
        self.layer3 = self._stage(width * 4, layers[2], 2)
        self.layer4 = self._stage(width * 8, layers[3], 2)
        self.attnpool = AttentionPool2d(input_resolution // 32, width * 32, heads, output_dim)

    def _stage(self, planes, blocks, stride):
        first = Bottleneck(self._inplanes, planes, stride)
        self._inplanes = planes * Bottleneck.expansion
        return nn.Sequential(first, *[Bottleneck(self._inplanes, planes) for _ in range(blocks - 1)])

    def forward(self, x):
        for conv, norm, act in ((self.conv1, self.bn1, self.relu1), (self.conv2, self.bn2, self.relu2), (self.conv3, self.bn3, self.relu3)):
            x = act(norm(conv(x)))
        return self.attnpool(self.layer4(self.layer3(self.layer2(self.layer1(self.avgpool(x))))))


class CLIP(nn.Module):
    def __init__(self, embed_dim, image_resolution, vision_layers, vision_width, vision_patch_size, context_length, vocab_size,
                 transformer_width, transformer_heads, transformer_layers):
        super().__init__()
        self.context_length = context_length
        if isinstance(vision_layers, (tuple, list)):
            self.visual = ModifiedResNet(vision_layers, embed_dim, vision_width * 32 // 64, image_resolution, vision_width)
        else:
            self.visual = VisionTransformer(
                image_resolution, vision_patch_size, vision_width, vision_layers, vision_width // 64, embed_dim)
        mask = torch.full((context_length, context_length), float("-inf")).triu(1)
        self.transformer = Transformer(transformer_width, transformer_layers, transformer_heads, mask)
        self.vocab_size = vocab_size
        self.token_embedding = nn.Embedding(vocab_size, transformer_width)
        self.positional_embedding = nn.Parameter(torch.zeros(context_length, transformer_width))
        self.ln_final = LayerNorm(transformer_width)
        self.text_projection = nn.Parameter(torch.zeros(transformer_width, embed_dim))
        self.logit_scale = nn.Parameter(torch.zeros([]))

    def encode_image(self, image):
        return self.visual(image.to(self.visual.conv1.weight.dtype))

    def encode_text(self, text):
        x = (self.token_embedding(text) + self.positional_embedding).to(self.visual.conv1.weight.dtype)
        x = self.ln_final(self.transformer(x.transpose(0, 1))).transpose(0, 1)
        return x[torch.arange(x.shape[0], device=x.device), text.argmax(-1)] @ self.text_projection

    def forward(self, image, text):
        images = functional.normalize(self.encode_image(image), dim=-1)
        texts = functional.normalize(self.encode_text(text), dim=-1)
        logits = self.logit_scale.exp() * images.float() @ texts.float().t()
        return logits, logits.t()


CLASSES = (LayerNorm, QuickGELU, ResidualAttentionBlock, Transformer, VisionTransformer, Bottleneck, AttentionPool2d, ModifiedResNet, CLIP)


def like(model, config):
    """This file's CLIP with the weights of `model`, an `open_clip.CLIP` of `config`."""
    vision, text = config["vision_cfg"], config["text_cfg"]
    ours = CLIP(config["embed_dim"], vision["image_size"], vision["layers"], vision["width"], vision.get("patch_size"),
                text["context_length"], text["vocab_size"], text["width"], text["heads"], text["layers"])
    ours.load_state_dict(model.state_dict(), strict=True)
    return ours.eval()


def half(model):
    """Halves what OpenAI's package halves: convolutions, linear layers, attention and projections. Norms, embeddings and the
    logit scale stay float32, so that one file holds both types."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.half()
        elif isinstance(module, nn.MultiheadAttention):
            module.in_proj_weight.data = module.in_proj_weight.data.half()
            module.in_proj_bias.data = module.in_proj_bias.data.half()
        for name in ("proj", "text_projection"):
            if isinstance(getattr(module, name, None), nn.Parameter):
                getattr(module, name).data = getattr(module, name).data.half()
    return model


def scripted(model):
    """Traced as OpenAI's archives are: `forward`, `encode_image`, `encode_text`, and three numbers among the weights."""
    size, context, vocabulary = model.visual.input_resolution, model.context_length, model.vocab_size
    for name, number in (("input_resolution", size), ("context_length", context), ("vocab_size", vocabulary)):
        if hasattr(model, name):
            delattr(model, name)
        model.register_buffer(name, torch.tensor(number))
    picture, text = torch.zeros(1, 3, size, size), torch.zeros(1, context, dtype=torch.int32)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with as_openai():
        return torch.jit.trace_module(
            model, {"forward": (picture, text), "encode_image": (picture,), "encode_text": (text,)}, check_trace=False, _store_inputs=False)


@contextlib.contextmanager
def as_openai():
    """Inside, the classes of this file go by the names `clip.model.CLIP`, ….: what is pickled says so, and what says so is found."""
    package, module = types.ModuleType("clip"), types.ModuleType("clip.model")
    package.model = module
    before = {name: sys.modules.get(name) for name in ("clip", "clip.model")}
    for cls in CLASSES:
        setattr(module, cls.__name__, cls)
        cls.__module__ = "clip.model"
    sys.modules.update({"clip": package, "clip.model": module})
    try:
        yield
    finally:
        for cls in CLASSES:
            cls.__module__ = __name__
        for name, value in before.items():
            if value is None:
                del sys.modules[name]
            else:
                sys.modules[name] = value
