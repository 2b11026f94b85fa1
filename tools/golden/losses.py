"""Writes Tests/TrainingTests/Fixtures/losses.json: losses and their gradients, on seeded vectors, and schedules step by step.

SupCon, ArcFace, normalised softmax, triplets with their miners and Proxy-Anchor by pytorch-metric-learning; the others by torch: CLIP's
cross-entropy for distinct captions, cross-entropy against shared target probabilities for equal ones, cosine_similarity and mse_loss
for the teacher, cross_entropy with label smoothing, BatchNorm1d for the neck, cross_entropy with shared targets for the teacher's contrast, cdist
for triplets with a memory; OneCycleLR and MultiStepLR for the schedules. In
float64, so that what is compared against has no rounding of its own; inputs are exact in float32.

    python tools/golden/losses.py
"""

import json
import math
import pathlib

import reference  # noqa: F401  (first: makes torchvision importable)
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import ArcFaceLoss, NormalizedSoftmaxLoss, ProxyAnchorLoss, SupConLoss, TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer

FIXTURE = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Fixtures/losses.json"


def vectors(seed, rows, size):
    """Not of unit length: normalising is part of what is differentiated."""
    values = torch.randn(rows, size, generator=torch.Generator().manual_seed(seed))
    return values.double().requires_grad_()


def case(name, loss, **inputs):
    loss.backward()
    return recorded(name, loss, inputs)


def recorded(name, loss, inputs):
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


def memories(seed, count, size):
    """Unit vectors of earlier batches: no gradient reaches them. Exact in float32."""
    return F.normalize(torch.randn(count, size, generator=torch.Generator().manual_seed(seed))).double()


def sup_con_memory(name, labels, memory_labels, temperature, seed):
    embeddings, memory = vectors(seed, len(labels), 6), memories(seed + 300, len(memory_labels), 6)
    # The batch is compared with itself and with the memory; nobody is compared with itself.
    everyone = torch.cat([embeddings, memory])
    all_labels = torch.tensor(labels + memory_labels)
    anchors, others = torch.meshgrid(torch.arange(len(labels)), torch.arange(len(all_labels)), indexing="ij")
    keep = anchors != others
    same = all_labels[anchors] == all_labels[others]
    pairs = (anchors[keep & same], others[keep & same], anchors[keep & ~same], others[keep & ~same])
    loss = SupConLoss(temperature=temperature)(
        embeddings, torch.tensor(labels), indices_tuple=pairs, ref_emb=everyone, ref_labels=all_labels)
    return {"labels": labels, "memory_labels": memory_labels, "temperature": temperature,
            **case(name, loss, embeddings=embeddings, memory=memory)}


def triplet_memory(name, labels, memory_labels, margin, seed):
    embeddings, memory = vectors(seed, len(labels), 5), memories(seed + 300, len(memory_labels), 5)
    unit, everyone = F.normalize(embeddings), torch.cat([F.normalize(embeddings), memory])
    all_labels = torch.tensor(labels + memory_labels)
    distances = torch.cdist(unit, everyone, compute_mode="donot_use_mm_for_euclid_dist")
    costs = []
    for anchor, label in enumerate(labels):
        same = all_labels == label
        same[anchor] = False
        if same.any():
            costs.append(F.relu(distances[anchor][same].max() - distances[anchor][all_labels != label].min() + margin))
    return {"labels": labels, "memory_labels": memory_labels, "margin": margin, "mining": "batch-hard",
            **case(name, torch.stack(costs).mean(), embeddings=embeddings, memory=memory)}


def teacher_contrast(name, items, temperature, seed):
    student, target = vectors(seed, len(items), 5), F.normalize(vectors(seed + 1, len(items), 5).detach().float()).double()
    labels = torch.tensor(items)
    equal = (labels[:, None] == labels[None, :]).double()
    loss = F.cross_entropy(F.normalize(student) @ target.T / temperature, equal / equal.sum(1, keepdim=True))
    return {"labels": items, "temperature": temperature, **case(name, loss, student=student, teacher=target)}


def text_prototypes(name, rows, count, scale, smoothing, seed):
    images, prototypes = vectors(seed, len(rows), 5), memories(seed + 300, count, 5)
    loss = F.cross_entropy(scale * F.normalize(images) @ prototypes.T, torch.tensor(rows), label_smoothing=smoothing)
    return {"labels": rows, "scale": scale, "smoothing": smoothing, **case(name, loss, images=images, prototypes=prototypes)}


def weight_drift(seed):
    now, start = vectors(seed, 4, 3), vectors(seed + 1, 4, 3).detach()
    return case("half the squared distance", F.mse_loss(now, start, reduction="sum") / 2, now=now, start=start)


def teacher(seed):
    student, target = vectors(seed, 7, 5), F.normalize(vectors(seed + 1, 7, 5).detach().float()).double()
    regression = (1 - F.cosine_similarity(student, target)).mean()
    yield case("regression", regression, student=student, teacher=target)
    student, target = vectors(seed + 2, 7, 4), F.normalize(vectors(seed + 3, 7, 5).detach().float()).double()
    unit = F.normalize(student)
    off = ~torch.eye(7, dtype=torch.bool)
    relations = F.mse_loss((unit @ unit.T)[off], (target @ target.T)[off])
    yield case("relations", relations, student=student, teacher=target)


def proxies(seed, classes, size):
    return vectors(seed + 100, classes, size)


def with_weight(module, name, weight):
    """A module whose parameter is `weight` itself, so that its gradient is left there."""
    delattr(module, name)
    setattr(module, name, weight)
    return module


def neck(features, weight):
    norm = torch.nn.BatchNorm1d(features.shape[1]).double().train()
    norm.bias.requires_grad_(False)
    return with_weight(norm, "weight", weight)(features)


def cross_entropy(name, labels, classes, smoothing, seed, with_neck=False):
    features, weight = vectors(seed, len(labels), 5), proxies(seed, classes, 5)
    inputs = {"features": features, "weight": weight}
    if with_neck:
        inputs["neck"] = vectors(seed + 200, 1, 5).detach().flatten().requires_grad_()
        features = neck(features, inputs["neck"])
    loss = F.cross_entropy(features @ weight.T, torch.tensor(labels), label_smoothing=smoothing)
    return {"labels": labels, "smoothing": smoothing, **case(name, loss, **inputs)}


def arc_face(name, labels, classes, margin, scale, seed, with_neck=False, towards=None):
    """`towards` turns the rows' own classes into the rows' directions times that number: -1 has angles near π, where the margin passes it."""
    features, weight = vectors(seed, len(labels), 5), proxies(seed, classes, 5)
    if towards is not None:
        with torch.no_grad():
            for row, label in enumerate(labels):
                weight[label] = (towards * features[row] + 0.1 * weight[label]).float().double()
    inputs = {"features": features, "weight": weight}
    if with_neck:
        inputs["neck"] = vectors(seed + 200, 1, 5).detach().flatten().requires_grad_()
        features = neck(features, inputs["neck"])
    module = ArcFaceLoss(classes, 5, margin=math.degrees(margin), scale=scale)
    del module.W
    module.W = torch.nn.Parameter(weight.detach().T.clone())
    loss = module(features, torch.tensor(labels))
    loss.backward()
    weight.grad = module.W.grad.T.contiguous()
    return {"labels": labels, "margin": margin, "scale": scale, **recorded(name, loss, inputs)}


def normalized_softmax(name, labels, classes, temperature, seed):
    features, weight = vectors(seed, len(labels), 5), proxies(seed, classes, 5)
    module = NormalizedSoftmaxLoss(classes, 5, temperature=temperature)
    del module.W
    module.W = torch.nn.Parameter(weight.detach().T.clone())
    loss = module(features, torch.tensor(labels))
    loss.backward()
    weight.grad = module.W.grad.T.contiguous()
    return {"labels": labels, "temperature": temperature, **recorded(name, loss, {"features": features, "weight": weight})}


def proxy_anchor(name, labels, classes, margin, scale, seed):
    features, weight = vectors(seed, len(labels), 5), proxies(seed, classes, 5)
    module = ProxyAnchorLoss(classes, 5, margin=margin, alpha=scale)
    del module.proxies
    module.proxies = torch.nn.Parameter(weight.detach().clone())
    loss = module(features, torch.tensor(labels))
    loss.backward()
    weight.grad = module.proxies.grad
    return {"labels": labels, "margin": margin, "scale": scale, **recorded(name, loss, {"features": features, "weight": weight})}


def triplet(name, labels, mining, margin, seed):
    """`margin` None is the soft one. The mean is over all mined triplets, where pytorch-metric-learning by itself takes those that cost."""
    embeddings = vectors(seed, len(labels), 5)
    miner = BatchHardMiner() if mining == "batch-hard" else TripletMarginMiner(margin=margin, type_of_triplets="semihard")
    module = TripletMarginLoss(margin=margin or 0, smooth_loss=margin is None, reducer=MeanReducer())
    mined = miner(embeddings, torch.tensor(labels))
    loss = module(embeddings, torch.tensor(labels), mined)
    return {"labels": labels, "mining": mining, **({} if margin is None else {"margin": margin}), "triplets": len(mined[0]),
            **case(name, loss, embeddings=embeddings)}


def factors(schedule, steps):
    """The factor of every step; `schedule` makes a scheduler of an optimizer whose rate is 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, result = schedule(optimizer), []
    for step in range(steps):
        result.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if step < steps - 1:  # OneCycleLR refuses a step behind its last
            scheduler.step()
    return result


def one_cycle(steps, rise, first, final):
    result = factors(lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=steps, pct_start=rise, div_factor=1 / first, final_div_factor=first / final), steps)
    return {"steps": steps, "rise": rise, "first": first, "final": final, "factors": result}


def step_decay(steps, at, drop):
    result = factors(lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=at, gamma=drop), steps)
    return {"steps": steps, "at": at, "drop": drop, "factors": result}


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
        "cross_entropy": [
            cross_entropy("plain", [0, 3, 1, 1, 6], 7, 0.0, 31),
            cross_entropy("smoothed", [2, 2, 0, 5], 6, 0.1, 32),
            cross_entropy("smoothed, behind a neck", [2, 2, 0, 5, 1, 4], 6, 0.1, 33, with_neck=True),
        ],
        "arc_face": [
            arc_face("the paper's margin", [0, 3, 1, 1, 6], 7, 0.5, 64, 41),
            arc_face("a small margin and scale", [2, 2, 0, 5], 6, 0.25, 8, 42),
            arc_face("near its class", [0, 1, 2, 3], 5, 0.5, 2, 43, towards=1),
            arc_face("opposite to its class", [0, 1, 2, 3], 5, 0.5, 4, 44, towards=-1),
            arc_face("behind a neck", [2, 2, 0, 5, 1, 4], 6, 0.3, 16, 45, with_neck=True),
        ],
        "normalized_softmax": [
            normalized_softmax("the paper's temperature", [0, 3, 1, 1, 6], 7, 0.05, 51),
            normalized_softmax("a warm one", [2, 2, 0, 5], 6, 0.7, 52),
        ],
        "triplet": [
            triplet("batch-hard", [0, 0, 1, 1, 2, 2, 2, 3], "batch-hard", 0.2, 61),
            triplet("batch-hard, soft margin", [0, 0, 1, 1, 2, 2, 2, 3], "batch-hard", None, 62),
            triplet("semi-hard", [0, 0, 1, 1, 2, 2, 2, 3], "semi-hard", 0.4, 63),
        ],
        "proxy_anchor": [
            proxy_anchor("the paper's settings", [0, 3, 1, 1, 6], 7, 0.1, 32, 71),
            proxy_anchor("gentle ones", [2, 2, 0, 5], 6, 0.3, 4, 72),
        ],
        "sup_con_memory": [
            sup_con_memory("a memory with positives", [0, 0, 1, 2, 2, 5], [0, 2, 3, 3, 9, 1, 0], 0.2, 81),
            sup_con_memory("positives in the memory alone", [0, 1, 2], [2, 1, 1, 7], 0.1, 82),
        ],
        "triplet_memory": [
            triplet_memory("hard ones from a memory", [0, 0, 1, 1, 2, 4], [0, 2, 3, 1, 5], 0.3, 83),
        ],
        "teacher_contrast": [
            teacher_contrast("views of their own", [0, 1, 2, 3, 4], 0.07, 84),
            teacher_contrast("views that share an item", [0, 0, 1, 2, 2, 2], 0.5, 85),
        ],
        "text_prototypes": [
            text_prototypes("as CLIP scales", [0, 2, 2, 5], 6, 14.3, 0.0, 86),
            text_prototypes("smoothed", [1, 3, 0], 4, 5.0, 0.1, 87),
        ],
        "weight_drift": [weight_drift(88)],
        "one_cycle": [one_cycle(20, 0.3, 0.04, 0.000004), one_cycle(37, 0.45, 0.1, 0.001)],
        "step_decay": [step_decay(12, [3, 8], 0.1), step_decay(9, [2, 4, 4, 7], 0.5)],
    }
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text(json.dumps(fixture) + "\n", encoding="utf-8")
    for kind, cases in fixture.items():
        for entry in cases:
            if "value" in entry:
                print(f"{kind:<20}{entry['name']:<48}{entry['value']:.6f}")


if __name__ == "__main__":
    main()
