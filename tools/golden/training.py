"""Trains the two kinds of backbone for 20 steps in eager PyTorch and records every loss, for our trainer to follow.

    python tools/golden/training.py

Writes Tests/TrainingTests/Fixtures/training/<vit|resnet>/, and <vit|resnet>-classes/ with losses over all labels, on the same start:

- `start/`: the model training begins with, a Hugging Face folder (ViT) or an open_clip folder (ModifiedResNet);
- `recipe.json`: read by both sides;
- `golden.json`: the batches without their pixels (items, captioned views, tokens), and loss, terms, gradient norm and rate of each step;
- `golden.safetensors`: `teacher` [steps, views, t], the losses' own tensors as they begin (such as `teacher_head` [t, d]), and what stands at
  the end: `final.` before each of them, `final.embeddings` [views, d] of the first batch in evaluation mode and, of the ResNet, `final.<name>` of the running statistics
  and of the first and last weights.

The ResNet's rate is small for a reason. A difference of 1e-7, as another order of sums makes it, carries a few of its units across the
kink of their ReLU, and at a rate of 1e-3 one such unit changes later losses by more than 1e-4: PyTorch in channels_last then leaves
PyTorch in the default layout by 1e-2. At 2e-5 float64, channels_last and weights disturbed by 1e-7 stay within 1e-5 of each other, while
twenty steps of training change the loss by 2e-1.

Pixels are not stored: both sides compute them from the integers of `pixel`.

The towers are the reference libraries'; losses, optimizer and schedule are torch's own (cross_entropy with target probabilities,
AdamW with parameter groups, LambdaLR, clip_grad_norm_, BatchNorm1d); SupCon, ArcFace and the triplets are pytorch-metric-learning's.
"""

import json
import math
import pathlib
import shutil

import reference
import numpy
import open_clip
import torch
import torch.nn.functional as F
import transformers
from pytorch_metric_learning.losses import ArcFaceLoss, SupConLoss, TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from safetensors.torch import save_file
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import houses
import pictures

FIXTURES = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Fixtures/training"
STEPS, ITEMS, VIEWS, CLASSES, TEACHER, VOCABULARY, CONTEXT = 20, 4, 2, 12, 8, 40, 6
EMBEDDING = 24


TERMS = {"image_text": 0.3, "items": 1, "item_temperature": 0.5, "teacher": 0.8, "teacher_relations": 2}
CLASS_TERMS = [
    {"kind": "info-nce", "weight": 0.3},
    {"kind": "supcon", "weight": 1, "temperature": 0.5},
    {"kind": "arcface", "weight": 0.1, "margin": 0.3, "scale": 8, "neck": True},
    {"kind": "triplet", "weight": 0.5, "margin": 0.3},
    {"kind": "cross-entropy", "weight": 0.2, "label_smoothing": 0.1},
]


def recipe(name, start, rate, clip_norm, losses):
    """Every term, every group, warm-up within the run, a clip norm that some gradients exceed."""
    return {
        "name": name,
        "model": {"start": start},
        "batch": {"items": ITEMS, "views": VIEWS},
        "epochs": 2,
        "steps_per_epoch": STEPS // 2,
        "optimizer": {"rate": rate, "weight_decay": 0.1, "beta1": 0.9, "beta2": 0.98, "eps": 1e-6, "clip_norm": clip_norm,
                      "warmup_steps": 5, "final_factor": 0.1},
        "losses": losses,
    }


def pixel(step, view, item, side):
    """[3, side, side]: 8×8 patches that belong to the item, and noise of the view, from whole numbers below 2³² only."""
    channel, y, x = numpy.meshgrid(numpy.arange(3), numpy.arange(side), numpy.arange(side), indexing="ij")
    pattern = (item * 97 + channel * 31 + (y // 8) * 57 + (x // 8) * 83 + item * (y // 8) * (x // 8) * 13) % 128
    place = (((step * 16 + view) * 3 + channel) * side + y) * side + x
    noise = place * 2654435761 % 2**32
    noise = (noise ^ (noise >> 15)) * 2246822519 % 2**32 >> 20
    return ((pattern * 64 + noise - 6144) / 4096).astype(numpy.float32)  # exact: a small integer over a power of two


def batches(random):
    for step in range(STEPS):
        chosen = [int(item) for item in random.permutation(CLASSES)[:ITEMS]]
        items = [item for item in chosen for _ in range(VIEWS)]
        rows, captioned, tokens = {}, [], []
        for place, item in enumerate(chosen):
            caption = item % 5  # items share captions
            if caption not in rows:
                rows[caption] = len(rows)
                words = [VOCABULARY - 2, 1 + caption, 10 + 2 * caption, 20 + step % 3, VOCABULARY - 1]
                tokens.append(words[: 3 + caption % 2] + [VOCABULARY - 1] + [0] * (CONTEXT - 4 - caption % 2))
            captioned.append([place * VIEWS + step % VIEWS, rows[caption]])
        vectors = torch.from_numpy(random.standard_normal((ITEMS, TEACHER))).float()
        vectors = vectors.repeat_interleave(VIEWS, 0) + 0.2 * torch.from_numpy(random.standard_normal((len(items), TEACHER))).float()
        yield {"items": items, "captioned": captioned, "tokens": tokens, "teacher": F.normalize(vectors)}


def pixels_of(step, items, side):
    return torch.from_numpy(numpy.stack([pixel(step, view, item, side) for view, item in enumerate(items)]))


def vit():
    config = transformers.CLIPConfig(
        projection_dim=24,
        vision_config=dict(hidden_size=32, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2, image_size=32,
                           patch_size=8, hidden_act="quick_gelu", layer_norm_eps=1e-5, projection_dim=24),
        text_config=dict(hidden_size=32, intermediate_size=128, num_hidden_layers=1, num_attention_heads=2,
                         max_position_embeddings=CONTEXT, vocab_size=VOCABULARY, hidden_act="quick_gelu", layer_norm_eps=1e-5,
                         projection_dim=24, bos_token_id=VOCABULARY - 2, eos_token_id=VOCABULARY - 1,
                         pad_token_id=VOCABULARY - 1))
    return houses.HuggingFaceViT(config, CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}))


def resnet():
    config = {
        "embed_dim": 24, "quick_gelu": True,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 2, 1], "width": 4},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": 32, "heads": 2, "layers": 1},
    }
    return houses.OpenCLIP(config, {
        "size": [64, 64], "mode": "RGB", "mean": list(pictures.MEAN), "std": list(pictures.STD), "interpolation": "bicubic",
        "resize_mode": "shortest", "fill_color": 0})


def texts_of(model, tokens):
    if isinstance(model, open_clip.CLIP):
        return model.encode_text(tokens)
    return model.get_text_features(input_ids=tokens).pooler_output


def images_of(house, pixels):
    out = house.visual(pixels)
    return F.normalize(out, dim=-1)


def image_text(house, batch, images):
    views, captions = zip(*batch["captioned"])
    texts = F.normalize(texts_of(house.model, torch.tensor(batch["tokens"])), dim=-1)[list(captions)]
    logits = house.model.logit_scale.exp().clamp(max=100) * images[list(views)] @ texts.T
    labels = torch.tensor(captions)
    equal = (labels[:, None] == labels[None, :]).float()
    target = equal / equal.sum(1, keepdim=True)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


class TeacherLosses:
    terms = TERMS

    def __init__(self, seed):
        head = torch.randn(TEACHER, EMBEDDING, generator=torch.Generator().manual_seed(seed)) / math.sqrt(EMBEDDING)
        self.tensors = {"teacher_head": head.requires_grad_()}

    def __call__(self, house, batch, pixels):
        images = images_of(house, pixels)
        off = ~torch.eye(len(images), dtype=torch.bool)
        terms = {
            "image_text": image_text(house, batch, images),
            "items": SupConLoss(temperature=TERMS["item_temperature"])(images, torch.tensor(batch["items"])),
            "teacher": (1 - F.cosine_similarity(images @ self.tensors["teacher_head"].T, batch["teacher"])).mean(),
            "teacher_relations": F.mse_loss((images @ images.T)[off], (batch["teacher"] @ batch["teacher"].T)[off]),
        }
        return sum(TERMS[name] * value for name, value in terms.items()), terms


class ClassLosses:
    terms = CLASS_TERMS

    def __init__(self, seed):
        generator = torch.Generator().manual_seed(seed)
        self.tensors = {
            name: (torch.randn(CLASSES, EMBEDDING, generator=generator) / math.sqrt(EMBEDDING)).requires_grad_()
            for name in ("arcface_head", "cross_entropy_head")}
        self.tensors["arcface_neck"] = (1 + 0.1 * torch.randn(EMBEDDING, generator=generator)).requires_grad_()
        arcface = CLASS_TERMS[2]
        self.arcface = ArcFaceLoss(CLASSES, EMBEDDING, margin=math.degrees(arcface["margin"]), scale=arcface["scale"])
        del self.arcface.W
        self.triplet = TripletMarginLoss(margin=CLASS_TERMS[3]["margin"], reducer=MeanReducer())

    def __call__(self, house, batch, pixels):
        features, labels = house.visual(pixels), torch.tensor(batch["items"])
        images = F.normalize(features, dim=-1)
        normed = F.batch_norm(features, None, None, self.tensors["arcface_neck"], None, training=True)
        self.arcface.W = self.tensors["arcface_head"].T
        terms = {
            "info_nce": image_text(house, batch, images),
            "supcon": SupConLoss(temperature=CLASS_TERMS[1]["temperature"])(images, labels),
            "arcface": self.arcface(normed, labels),
            "triplet": self.triplet(images, labels, BatchHardMiner()(images, labels)),
            "cross_entropy": F.cross_entropy(
                features @ self.tensors["cross_entropy_head"].T, labels, label_smoothing=CLASS_TERMS[4]["label_smoothing"]),
        }
        return sum(term["weight"] * value for term, value in zip(CLASS_TERMS, terms.values())), terms


def run(name, start, losses, seed, rate, clip_norm):
    """`start` is a folder beside the run's own, or within it."""
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    plan = recipe(f"twenty-steps-{name}", start, rate, clip_norm, losses.terms)
    (folder / "recipe.json").write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
    house = houses.open_folder(folder / start)  # what the file holds, as the reference library reads it
    house.model.train()
    begin = {key: value.detach().clone() for key, value in losses.tensors.items()}
    settings = plan["optimizer"]
    parameters = [*house.model.parameters(), *losses.tensors.values()]
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings["weight_decay"]},
         {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}],
        lr=settings["rate"], betas=(settings["beta1"], settings["beta2"]), eps=settings["eps"])
    warmup, final = settings["warmup_steps"], settings["final_factor"]

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return final + (1 - final) * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup))) / 2

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    given, records = list(batches(numpy.random.default_rng(seed))), []
    side = house.vision_size()
    for step, batch in enumerate(given):
        optimizer.zero_grad()
        loss, terms = losses(house, batch, pixels_of(step, batch["items"], side))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, settings["clip_norm"])
        records.append({
            "loss": loss.item(), "gradient_norm": norm.item(), "rate": schedule.get_last_lr()[0],
            "terms": {key: value.item() for key, value in terms.items()}})
        optimizer.step()
        schedule.step()
    house.model.eval()
    with torch.no_grad():
        embeddings = images_of(house, pixels_of(0, given[0]["items"], side))
    tensors = {
        "teacher": torch.stack([batch.pop("teacher") for batch in given]), **begin, "final.embeddings": embeddings,
        **{f"final.{key}": value.detach() for key, value in losses.tensors.items()},
    }
    for key, value in house.model.state_dict().items():
        if key.endswith(("running_mean", "running_var")) or key in ("visual.conv1.weight", "visual.attnpool.c_proj.weight"):
            tensors[f"final.{key}"] = value
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "golden.safetensors")
    record = {"versions": reference.versions(), "batches": given, "steps": records}
    (folder / "golden.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    for step, entry in enumerate(records):
        print(f"{name:<15}{step:>3}  loss {entry['loss']:.6f}  norm {entry['gradient_norm']:.4f}  rate {entry['rate']:.6f}")


def save(name, house):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    house.save(folder / "start", torch.float32)


def main():
    reference.versions()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.manual_seed(5)
    house = vit()
    for parameter in house.model.parameters():  # transformers begins with biases of 0, which would hide one that is not trained
        if parameter.dim() == 1:
            parameter.data += 0.02 * torch.randn_like(parameter)
    save("vit", house)
    run("vit", "start", TeacherLosses(31), 31, rate=0.0005, clip_norm=12)
    run("vit-classes", "../vit/start", ClassLosses(33), 33, rate=0.0005, clip_norm=6)
    torch.manual_seed(6)
    house = resnet()
    for module in house.model.visual.modules():  # and open_clip with residual branches that are switched off
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data = 0.5 + 0.5 * torch.rand_like(module.weight)
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data *= math.sqrt(6)  # to He's deviation
    save("resnet", house)
    run("resnet", "start", TeacherLosses(32), 32, rate=0.00002, clip_norm=35)
    run("resnet-classes", "../resnet/start", ClassLosses(34), 34, rate=0.000005, clip_norm=35)


if __name__ == "__main__":
    main()
