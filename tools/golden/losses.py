"""Writes Tests/TrainingTests/Fixtures/losses.json: losses and their gradients, on seeded vectors.

SupCon by pytorch-metric-learning; the others by torch: CLIP's cross-entropy for distinct captions, cross-entropy against shared
target probabilities for equal ones, cosine_similarity and mse_loss for the teacher. In float64, so that what is compared against
has no rounding of its own; inputs are exact in float32.

    python tools/golden/losses.py
"""

import json
import pathlib

import reference  # noqa: F401  (first: makes torchvision importable)
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import SupConLoss

FIXTURE = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Fixtures/losses.json"


def vectors(seed, rows, size):
    """Not of unit length: normalising is part of what is differentiated."""
    values = torch.randn(rows, size, generator=torch.Generator().manual_seed(seed))
    return values.double().requires_grad_()


def case(name, loss, **inputs):
    loss.backward()
    return {
        "name": name,
        "value": loss.item(),
        "inputs": {key: value.detach().flatten().tolist() for key, value in inputs.items()},
        "shapes": {key: list(value.shape) for key, value in inputs.items()},
        "gradients": {key: value.grad.flatten().tolist() for key, value in inputs.items() if value.grad is not None},
    }


def info_nce(name, captions, log_scale, seed):
    images, texts = vectors(seed, len(captions), 5), vectors(seed + 1, len(captions), 5)
    scale = torch.tensor(log_scale, dtype=torch.float32).double().requires_grad_()
    logits = scale.exp().clamp(max=100) * F.normalize(images) @ F.normalize(texts).T
    labels = torch.tensor(captions)
    if len(set(captions)) == len(captions):
        target = torch.arange(len(captions))
    else:
        equal = (labels[:, None] == labels[None, :]).double()
        target = equal / equal.sum(1, keepdim=True)
    loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    return {"captions": captions, **case(name, loss, images=images, texts=texts, log_scale=scale)}


def sup_con(name, labels, temperature, seed):
    embeddings = vectors(seed, len(labels), 6)
    loss = SupConLoss(temperature=temperature)(embeddings, torch.tensor(labels))  # normalises by itself
    return {"labels": labels, "temperature": temperature, **case(name, loss, embeddings=embeddings)}


def teacher(seed):
    student, target = vectors(seed, 7, 5), F.normalize(vectors(seed + 1, 7, 5).detach().float()).double()
    regression = (1 - F.cosine_similarity(student, target)).mean()
    yield case("regression", regression, student=student, teacher=target)
    student, target = vectors(seed + 2, 7, 4), F.normalize(vectors(seed + 3, 7, 5).detach().float()).double()
    unit = F.normalize(student)
    off = ~torch.eye(7, dtype=torch.bool)
    relations = F.mse_loss((unit @ unit.T)[off], (target @ target.T)[off])
    yield case("relations", relations, student=student, teacher=target)


def main():
    reference.versions()
    fixture = {
        "info_nce": [
            info_nce("distinct captions", [0, 1, 2, 3, 4, 5], 2.6592, 1),
            info_nce("equal captions", [0, 1, 0, 2, 1, 0, 3], 1.5, 3),
            info_nce("a scale above its limit", [0, 1, 2, 2], 5.0, 5),
        ],
        "sup_con": [
            sup_con("pairs", [0, 0, 1, 1, 2, 2, 3, 3], 0.1, 11),
            sup_con("classes of several sizes and lonely anchors", [4, 0, 0, 0, 1, 1, 2, 7, 4], 0.07, 12),
            sup_con("a warm temperature", [1, 2, 1, 2, 1, 2], 1.0, 13),
        ],
        "teacher": list(teacher(21)),
    }
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text(json.dumps(fixture) + "\n", encoding="utf-8")
    for kind, cases in fixture.items():
        for entry in cases:
            print(f"{kind:<10}{entry['name']:<48}{entry['value']:.6f}")


if __name__ == "__main__":
    main()
