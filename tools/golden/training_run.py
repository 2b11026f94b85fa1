"""A training run of open_clip in miniature: `params.txt`, one step of its optimizer, and the checkpoint that `open_clip_train` writes."""

import contextlib
import json
import pathlib
import tempfile

import reference  # noqa: F401
import open_clip
import torch
from open_clip_train.params import parse_args

LEARNING_RATE = 1e-3


@contextlib.contextmanager
def known_as(name, config):
    """Inside, open_clip builds `config` where it is asked for `name`, which may be one of its own."""
    paths = open_clip.factory._MODEL_CONFIG_PATHS
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
        open_clip.add_model_config(folder)
        try:
            yield
        finally:
            del paths[-1]
            open_clip.factory._MODEL_CONFIGS.clear()
            open_clip.factory._rescan_model_configs()


def stepped(parameters):
    """AdamW over `parameters` after one step, with gradients of a fixed pattern; the parameters keep their values."""
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE)
    before = [parameter.detach().clone() for parameter in parameters]
    for parameter in parameters:
        parameter.grad = torch.sin(torch.arange(parameter.numel(), dtype=torch.float32)).reshape(parameter.shape).to(parameter.dtype)
    optimizer.step()
    with torch.no_grad():
        for parameter, value in zip(parameters, before):
            parameter.copy_(value)
            parameter.grad = None
    return optimizer


def save(model, folder, arguments, dtype, redraw):
    """The files of a run. The step on one batch fills the optimizer's state; `redraw` then draws the weights that are saved."""
    parsed = parse_args(arguments)
    model.to(dtype)
    model.lock_image_tower(unlocked_groups=parsed.lock_image_unlocked_groups)
    model.lock_text_tower(unlocked_layers=parsed.lock_text_unlocked_layers)
    # The groups of open_clip_train: no weight decay for gains, biases and the logit scale.
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    plain = [parameter for name, parameter in trained if parameter.ndim < 2 or "bn" in name or "ln" in name or "bias" in name or "logit_scale" in name]
    rest = [parameter for _, parameter in trained if not any(parameter is other for other in plain)]
    optimizer = torch.optim.AdamW(
        [{"params": plain, "weight_decay": 0.0}, {"params": rest, "weight_decay": parsed.wd}],
        lr=LEARNING_RATE, betas=(parsed.beta1, parsed.beta2), eps=parsed.eps)
    side, generator = model.visual.image_size, torch.Generator().manual_seed(3)
    side = side if isinstance(side, int) else side[0]
    pixels = torch.randn(2, 3, side, side, generator=generator).to(dtype)
    tokens = torch.randint(1, model.vocab_size - 2, (2, model.context_length), generator=generator)
    images, texts = model.encode_image(pixels, normalize=True), model.encode_text(tokens, normalize=True)
    open_clip.ClipLoss()(images.float(), texts.float(), model.logit_scale.exp().float()).backward()
    optimizer.step()
    redraw()

    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    with open(folder / "params.txt", "w", encoding="utf-8") as file:
        for name in sorted(vars(parsed)):
            file.write(f"{name}: {getattr(parsed, name)}\n")
    torch.save(
        {"epoch": 1, "name": parsed.name, "state_dict": {f"module.{name}": value for name, value in model.state_dict().items()},
         "optimizer": optimizer.state_dict()},
        folder / "checkpoints/epoch_1.pt")
