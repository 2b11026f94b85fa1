"""One training step of a recipe beside the same step in eager PyTorch (open_clip's towers): five interleaved rounds, medians.

    python Benchmarks/train_step.py PROGRAM RECIPE [--threads 2]

PROGRAM is the built TrainingBenchmark. The peer builds the recipe's architecture from open_clip, takes the same losses (symmetric
InfoNCE, SupCon, regression and relations towards a teacher), clips the gradients and steps with torch.optim.AdamW(fused=True).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("recipe")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/golden"))
import reference  # noqa: E402, F401
import open_clip  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

torch.set_num_threads(options.threads)
recipe = json.loads(pathlib.Path(options.recipe).read_text())
design, batch, settings = recipe["model"], recipe["batch"], recipe["optimizer"]
losses = {loss["kind"]: loss for loss in recipe["losses"]}
items = sum(share.get("items", 0) + share.get("singles", 0) for share in batch.get("from", [batch]))
views = items * batch["views"]
vocabulary = len(json.loads((pathlib.Path(options.recipe).parent / design["vocabulary"] / "vocab.json").read_text()))
vision = {"image_size": design["resolution"], "width": design["width"], "layers": design["layers"]}
if design["tower"] == "vit":
    vision |= {"patch_size": design["patch"], "head_width": design["width"] // design["heads"]}
model = open_clip.CLIP(
    embed_dim=design["embedding"], quick_gelu=True, vision_cfg=vision,
    text_cfg={
        "context_length": design["context_length"], "vocab_size": vocabulary, "width": design["text_width"],
        "heads": max(design["text_width"] // 64, 1), "layers": design["text_layers"]})
model.train()
if design["tower"] == "resnet":
    model.visual = model.visual.to(memory_format=torch.channels_last)
head = torch.nn.Parameter(torch.randn(1024, design["embedding"]) / design["embedding"] ** 0.5)
parameters = [*model.parameters(), head]
optimizer = torch.optim.AdamW(
    [{"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings["weight_decay"]},
     {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}],
    lr=settings["rate"], betas=(settings.get("beta1", 0.9), settings.get("beta2", 0.98)), eps=1e-6, fused=True)
labels = torch.arange(views) // batch["views"]
weights = ((labels[:, None] == labels[None]) & ~torch.eye(views, dtype=torch.bool)).float()
weights /= weights.sum(1, keepdim=True)


def theirs():
    pixels = torch.rand(views, 3, design["resolution"], design["resolution"]) * 2 - 1
    tokens = torch.randint(1, 500, (items, design["context_length"]))
    tokens[:, -1] = vocabulary - 1
    teacher = functional.normalize(torch.rand(views, 1024) * 2 - 1, dim=-1)
    start = time.perf_counter()
    optimizer.zero_grad()
    if design["tower"] == "resnet":
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    images = model.encode_image(pixels, normalize=True)
    texts = model.encode_text(tokens, normalize=True)
    logits = images[:: batch["views"]] @ texts.T * model.logit_scale.exp().clamp(max=100)
    target = torch.arange(items)
    image_text = (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2
    similarity = images @ images.T / losses["supcon"]["temperature"] - 1e9 * torch.eye(views)
    supcon = -(weights * similarity.log_softmax(1)).sum() / views
    regression = 1 - (functional.normalize(images @ head.T, dim=-1) * teacher).sum(1).mean()
    difference = images @ images.T - teacher @ teacher.T
    relations = (difference * difference).sum() / (views * (views - 1))
    terms = {"info-nce": image_text, "supcon": supcon, "teacher": regression, "teacher-relations": relations}
    loss = sum(losses[kind]["weight"] * term for kind, term in terms.items())
    loss.item(), image_text.item(), supcon.item(), regression.item(), relations.item()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, settings["clip_norm"])
    optimizer.step()
    return (time.perf_counter() - start) * 1000


program = subprocess.Popen(
    [options.program, options.recipe, str(options.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(program.stdout.readline().strip())


def ours():
    program.stdin.write("\n")
    program.stdin.flush()
    return float(program.stdout.readline())


ours(), theirs()
rounds = []
for number in range(options.rounds):
    sides = (ours, theirs) if number % 2 == 0 else (theirs, ours)
    times = {side: side() for side in sides}
    rounds.append((times[ours], times[theirs]))
mine, peer = (statistics.median(column) for column in zip(*rounds))
print(json.dumps({
    "what": f"training step of {recipe['name']}, {views} views, {options.threads} threads, fp32",
    "ours_ms": round(mine, 1), "pytorch_ms": round(peer, 1), "ratio": round(peer / mine, 3),
    "round_ratios": [round(b / a, 3) for a, b in rounds], "torch": torch.__version__,
}))
program.stdin.close()
program.wait()
