"""Draws every parameter and buffer of a CLIP model anew, so that each part of it leaves a mark on the embeddings.

A freshly made model proves little: its norms are the identity, its biases zero, the last norm of each residual branch of a
ResNet zero, and its weights so small that GELU and QuickGELU agree. What is drawn here, and why:

- norm gains from 0.5 to 1.5, biases everywhere: a forgotten one shows;
- matrices scaled by their fan-in, so that activations keep about unit variance through every depth;
- queries and keys 1.5 times that: attention logits spread by about 2, so masks, heads and the order of q and k matter;
- embeddings small, as in trained models: their variance is then near the norm's eps, which makes another eps visible (at
  unit variance 1e-5 and 1e-6 differ by less than float32 resolves after a few layers);
- the first convolution answers to the mean colour too, strongly enough that on an almost flat picture of about the mean
  colour a mean rounded to three decimals shows;
- hidden units of the MLPs around -1.5, where GELU and QuickGELU are small and far apart in proportion, and the matrix after
  them large to make up for it;
- BatchNorm statistics: those of calibration pictures, disturbed.

Each tensor has a generator of its own, seeded by the seed and its name: values don't depend on the order of parameters.
"""

import dataclasses
import math
import zlib

import torch

SMALL = 0.003  # standard deviation of embeddings; their variance 9e-6 is of the order of eps 1e-5
PATCH_WEIGHTS = ("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", "visual.trunk.patch_embed.proj.weight")
# The same in towers whose first norm stands behind it: its answer to the mean colour is as strong as in PATCH_WEIGHTS.
STEMS = ("visual.trunk.conv_stem.weight", "visual.trunk.conv1.weight")
PATCH_BIASES = ("vision_model.embeddings.patch_embedding.bias", "visual.trunk.patch_embed.proj.bias")


@dataclasses.dataclass(frozen=True)
class Scales:
    centre: float = -1.5  # of the hidden units of the MLPs, before the activation
    spread: float = 0.5
    before: float = 1.0  # of the matrices before and after them
    after: float = 4.0
    patches: float = 0.03  # of what a patch of an ordinary picture adds to the embeddings
    colour: float = 0.4  # of its answer to the mean colour
    queries: float = 1.5  # of the matrices that make queries and keys
    probe: float = 1.0  # of the query of an attention pool
    convolutions: float = math.sqrt(2)  # before a ReLU, which halves the second moment
    gains: float = 1.0  # of batch norms


# GELU and its tanh form differ by 5e-4 at most, but by a tenth of themselves around -3. Patches are smaller since there is neither a
# class token nor a norm before the blocks, so that they are all that the first norm sees.
TANH = Scales(centre=-3.0, spread=0.3, before=0.3, after=200.0, patches=0.018)
# Batch norms make any scale of a convolution good; at this one their eps matters, and at these gains where ReLU6 ends.
RELU6 = Scales(convolutions=0.3, gains=3.0)
# Of 196 patches and 768 numbers each mistake would leave less: attention is sharper here, and hidden units lie where the forms of GELU
# differ by a quarter.
TANH_LARGE = Scales(centre=-3.5, spread=0.3, before=0.4, after=700.0, patches=0.018, queries=2.25, probe=3.0)


def _generator(seed, name):
    return torch.Generator().manual_seed((seed << 32) ^ zlib.crc32(name.encode()))


def _is_norm(name):
    owner = name.rsplit(".", 1)[0].rsplit(".", 1)[-1]
    return "norm" in owner or "layrnorm" in owner or owner.startswith(("ln_", "bn")) or ".downsample.1." in name


def _value(name, shape, draw, uniform, scales):
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "logit_scale":
        return torch.full(shape, math.log(23.0))
    if _is_norm(name):
        if leaf == "weight" and ".trunk." in name:
            return scales.gains * uniform(0.5, 1.5)
        return uniform(0.5, 1.5) if leaf == "weight" else 0.2 * draw()
    if "attnpool.positional_embedding" in name:
        return 0.5 * draw()
    if leaf == "logit_bias":
        return torch.full(shape, -10.3)
    if ("embedding" in name and "patch" not in name) or leaf == "pos_embed" or name in PATCH_BIASES:
        return SMALL * draw()
    if leaf in ("probe", "latent"):  # the query of an attention pool
        return scales.probe * draw()
    if ".fc1." in name or ".c_fc." in name:
        return scales.spread * draw() + scales.centre if leaf == "bias" else scales.before * draw() / math.sqrt(shape[1])
    if leaf.endswith("bias"):
        return 0.2 * draw()
    if leaf in ("proj", "text_projection"):  # stored [in, out]
        return draw() / math.sqrt(shape[0])
    fan_in = math.prod(shape[1:])
    value = draw() / math.sqrt(fan_in)
    if name in PATCH_WEIGHTS:
        to_colour = value[:, :, :1, :1].repeat(1, 1, *shape[2:]) if shape[-1] > 3 else 0
        return scales.patches * (value + scales.colour * to_colour)
    if name in STEMS:
        value = value + scales.colour * value[:, :, :1, :1].repeat(1, 1, *shape[2:])
    if len(shape) == 4:
        return scales.convolutions * value
    if leaf == "in_proj_weight" or ".qkv." in name:
        value[: 2 * shape[1]] *= scales.queries
        return value
    if ".attn_pool.kv." in name:
        value[: shape[1]] *= scales.queries
        return value
    if ".q_proj." in name or ".k_proj." in name or ".attn_pool.q." in name:
        return scales.queries * value
    if ".fc2." in name or ".mlp.c_proj." in name:
        return scales.after * value
    return value


@torch.no_grad()
def redraw(model, seed, dtype, scales=Scales()):
    """Every parameter, rounded to `dtype` so that a file of that type holds exactly what the model computes with."""
    for name, parameter in model.named_parameters():
        generator = _generator(seed, name)
        shape = tuple(parameter.shape)
        value = _value(
            name,
            shape,
            lambda: torch.randn(shape, generator=generator),
            lambda low, high: low + (high - low) * torch.rand(shape, generator=generator),
            scales,
        )
        parameter.copy_(value.to(dtype).to(torch.float32))


@torch.no_grad()
def calibrate(model, pixels, seed, dtype):
    """BatchNorm statistics: those of `pixels` on the way through, each disturbed by about a third."""
    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):

            def measure(module, inputs, name=name):
                values = inputs[0].transpose(0, 1).flatten(1)
                spread = values.std(dim=1)
                generator = _generator(seed, name + ".running")
                mean = values.mean(dim=1) + 0.3 * spread * torch.randn(spread.shape, generator=generator)
                variance = spread.square() * (0.5 + torch.rand(spread.shape, generator=generator))
                module.running_mean.copy_(mean.to(dtype).float())
                module.running_var.copy_(variance.to(dtype).float())

            hooks.append(module.register_forward_pre_hook(measure))
    model.eval()(pixels)
    for hook in hooks:
        hook.remove()
