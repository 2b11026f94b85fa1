"""Whole training beside eager PyTorch with open_clip's towers and a DataLoader: photos of the disk, views, batches, forward and backward pass, AdamW.

    python Benchmarks/train.py PROGRAM --data DIR [--rounds 3] [--steps 20] [--cases small-vit small-resnet RN50] [--precision float32 bfloat16]

PROGRAM is the built stylefinder, DIR a data folder with a manifest.jsonl or manifest.csv. Three cases, by recipes that this script writes:

- small-vit, small-resnet: the shipped model goes on; both towers, symmetric InfoNCE, 64 different products a batch (as Recipes/stage3-v1.json).
- RN50: CLIP's ResNet-50 at its full size and 224 pixels from random weights; the image tower alone, supervised contrastive loss, 16 products x 2.

Ours is `stylefinder train` as it is. The peer reads the same recipe and trains the same parameters with the same losses, rates and clipping: views by
torchvision.transforms on Pillow's photos, DataLoader with a worker for each core, persistent and with the usual prefetching, channels_last for
convolutional towers, torch.optim.AdamW(fused=True), captions tokenised beforehand, autocast where the recipe says bfloat16. Both begin with the same
weights where a shipped model goes on, draw their own batches, use as many threads as there are cores, and save model and optimizer at the end.

Every round starts a process of each, in turns. Seconds per step are the wall time from asking for a batch to the update, the mean of --steps steps.
Those before them (4, or twice the cores) are not counted, and as many after them neither, since by then no more batches are made. "waited" is the
share of all steps' time that went by waiting for data. Memory is the peak of the whole process, loading and saving too: "RSS" the sum of each
process's highest, where pages that processes share count once for each; "PSS" the highest sum, looked at every second, where they count once in all.
Figures are medians of the rounds; a ratio is that of one round. Losses stand beside each other to show that both train the same thing.

bfloat16 is measured where the processor computes in it; --precision bfloat16 measures it anyway.
"""

import argparse
import csv
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve()
CORES = len(os.sched_getaffinity(0))
# Steps at either end that are not counted: as many as the DataLoader's workers make batches ahead.
ENDS = max(4, 2 * CORES)
FINE_TUNING = {
    "trainable": [""], "batch_norm": "frozen", "captions": ["a clothing item in {color}. {description}", "{caption}", "a photo of {category}"],
    "batch": {"sampler": "one-per-item", "size": 64}, "losses": [{"kind": "info-nce"}]}
FROM_SCRATCH = {
    "model": {
        "tower": "resnet", "layers": [3, 4, 6, 3], "width": 64, "resolution": 224, "embedding": 1024, "fitting": "squash", "text_width": 64,
        "text_layers": 1, "context_length": 16, "vocabulary": str(HERE.parents[1] / "Recipes/vocabulary")},
    "trainable": ["visual."], "batch_norm": "train", "batch": {"sampler": "items", "items": 16, "views": 2},
    "losses": [{"kind": "supcon", "temperature": 0.1}]}
CASES = {
    "small-vit": {"model": {"start": "small-vit"}, **FINE_TUNING}, "small-resnet": {"model": {"start": "small-resnet"}, **FINE_TUNING},
    "RN50": FROM_SCRATCH}
COMMON = {
    "seed": 7, "epochs": 1,
    "optimizer": {"rate": 1e-5, "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.98, "eps": 1e-6, "clip_norm": 5, "schedule": {"kind": "constant"}},
    "augmentation": {
        "area": [0.5, 1], "aspect": [0.75, 1.33], "flip": 0.5, "color": 0.5, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.02}}


def peer(recipe, rows, folder):
    """The peer's training: a process of its own."""
    sys.path.insert(0, str(HERE.parents[1] / "tools/golden"))
    import reference  # noqa: F401  Lets torchvision be imported beside a torch without CUDA.
    import open_clip
    import torch
    from PIL import Image
    from torch.nn import functional
    from torchvision import transforms

    torch.manual_seed(recipe["seed"])
    torch.set_num_threads(CORES)
    chance = random.Random(recipe["seed"])
    design, views, settings = recipe["model"], recipe["augmentation"], recipe["optimizer"]
    shipped = HERE.parents[1] / "Models" / design.get("start", "-")
    captions, normal = None, (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    if "start" not in design:
        vision = {"image_size": design["resolution"], "layers": design["layers"], "width": design["width"], "head_width": 64}
        text = {"context_length": design["context_length"], "width": design["text_width"], "heads": 1, "layers": design["text_layers"]}
        model = open_clip.CLIP(design["embedding"], vision, {**text, "vocab_size": 1024}, quick_gelu=True)
    else:
        model = shipped_model(shipped, open_clip)
        captions = tokens(shipped, [caption(recipe["captions"], row) for row in rows], model.context_length, folder, open_clip)
    trained = model.visual if recipe["trainable"] == ["visual."] else model
    model.train()
    if recipe["batch_norm"] == "frozen":
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    layout = torch.channels_last if isinstance(model.visual, open_clip.modified_resnet.ModifiedResNet) else torch.contiguous_format
    model.visual = model.visual.to(memory_format=layout)
    parameters = list(trained.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings["weight_decay"]},
         {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}],
        lr=settings["rate"], betas=(settings["beta1"], settings["beta2"]), eps=settings["eps"], fused=True)

    jitter = transforms.ColorJitter(views["brightness"], views["contrast"], views["saturation"], views["hue"])
    transform = transforms.Compose([
        transforms.RandomResizedCrop(model.visual.image_size, views["area"], views["aspect"], transforms.InterpolationMode.BICUBIC),
        transforms.RandomHorizontalFlip(views["flip"]), transforms.RandomApply([jitter], views["color"]),
        transforms.ToTensor(), transforms.Normalize(*normal)])
    numbers = {product: number for number, product in enumerate(dict.fromkeys(row["product_id"] for row in rows))}
    photos = {}
    for place, row in enumerate(rows):
        photos.setdefault(row["product_id"], []).append(place)

    class Photos(torch.utils.data.Dataset):
        def __len__(self):
            return len(rows)

        def __getitem__(self, place):
            pixels = transform(Image.open(rows[place]["image"]).convert("RGB"))
            return pixels, captions[place] if captions is not None else 0, numbers[rows[place]["product_id"]]

    count, each = recipe["batch"].get("size") or recipe["batch"]["items"], recipe["batch"].get("views", 1)
    order, batches = [], []
    for _ in range(recipe["steps_per_epoch"]):
        if len(order) < count:
            order = [product for product in photos if len(photos[product]) >= each]
            chance.shuffle(order)
        drawn, order = order[:count], order[count:]
        batches.append([place for product in drawn for place in chance.sample(photos[product], each)])
    loader = torch.utils.data.DataLoader(Photos(), batch_sampler=batches, num_workers=CORES, persistent_workers=True)

    def value(pixels, words, products):
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe["precision"] == "bfloat16"):
            images = model.encode_image(pixels)
            texts = model.encode_text(words) if captions is not None else None
        images = functional.normalize(images.float(), dim=-1)
        if texts is None:
            temperature = recipe["losses"][0]["temperature"]
            own = torch.eye(len(products))
            weights = (products[:, None] == products[None]).float() - own
            return -(weights / weights.sum(1, keepdim=True) * (images @ images.T / temperature - 1e9 * own).log_softmax(1)).sum(1).mean()
        logits = images @ functional.normalize(texts.float(), dim=-1).T * model.logit_scale.exp().clamp(max=100)
        target = (words[:, None] == words[None]).all(-1).float()
        target /= target.sum(1, keepdim=True)
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2

    waits, seconds, losses = [], [], []
    remaining = iter(loader)
    for _ in batches:
        start = time.perf_counter()
        pixels, words, products = next(remaining)
        waits.append(time.perf_counter() - start)
        optimizer.zero_grad()
        loss = value(pixels.contiguous(memory_format=layout), words, products)
        losses.append(loss.item())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings["clip_norm"])
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "peer.pt")
    print(json.dumps({"seconds": seconds, "loss": losses, "waited": sum(waits) / sum(seconds), "torch": torch.__version__}))


def caption(templates, row):
    """The first template whose columns the row has."""
    for template in templates:
        columns = re.findall(r"{(\w+)}", template)
        if all(row.get(column) for column in columns):
            return re.sub(r"{(\w+)}", lambda found: row[found[1]], template)
    raise SystemExit(f"{row['image']} has the columns of no caption: {templates}")


def tokens(shipped, texts, length, folder, open_clip):
    """open_clip's tokenizer with the model's vocabulary, which it wants compressed."""
    merges = folder / "merges.txt.gz"
    merges.write_bytes(gzip.compress((shipped / "merges.txt").read_text().rstrip("\n").encode()))
    tokenizer = open_clip.tokenizer.SimpleTokenizer(str(merges), context_length=length)
    words = json.loads((shipped / "vocab.json").read_text())
    # The last two are begin and end, which every tokenizer calls something else.
    if sorted(words, key=words.get)[:-2] != sorted(tokenizer.encoder, key=tokenizer.encoder.get)[:-2]:
        raise SystemExit(f"open_clip's tokenizer numbers the vocabulary of {shipped.name} in another order")
    return tokenizer(texts)


def shipped_model(shipped, open_clip):
    """A shipped model in open_clip: as it is, or out of transformers' names, where query, key and value are matrices of their own."""
    from safetensors.torch import load_file
    if (shipped / "open_clip_config.json").exists():
        model = open_clip.CLIP(**json.loads((shipped / "open_clip_config.json").read_text())["model_cfg"])
        weights = load_file(shipped / "open_clip_model.safetensors")
    else:
        config = json.loads((shipped / "config.json").read_text())
        vision, text = config["vision_config"], config["text_config"]
        model = open_clip.CLIP(
            config["projection_dim"],
            {"image_size": vision["image_size"], "patch_size": vision["patch_size"], "width": vision["hidden_size"],
             "layers": vision["num_hidden_layers"], "head_width": vision["hidden_size"] // vision["num_attention_heads"]},
            {"context_length": text["max_position_embeddings"], "vocab_size": text["vocab_size"], "width": text["hidden_size"],
             "heads": text["num_attention_heads"], "layers": text["num_hidden_layers"]}, quick_gelu=True)
        weights = from_transformers(load_file(shipped / "model.safetensors"))
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
    missing = [name for name, _ in model.named_parameters() if name not in weights]
    if missing or len(set(weights) - set(model.state_dict())) > 0:
        raise SystemExit(f"{shipped.name} does not fit open_clip's model: {missing or sorted(set(weights) - set(model.state_dict()))}")
    return model


def from_transformers(weights):
    import torch
    parts = [
        ("vision_model.embeddings.class_embedding", "visual.class_embedding"), ("vision_model.embeddings.patch_embedding", "visual.conv1"),
        ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"), ("vision_model.pre_layrnorm", "visual.ln_pre"),
        ("vision_model.post_layernorm", "visual.ln_post"), ("vision_model.encoder.layers", "visual.transformer.resblocks"),
        ("text_model.encoder.layers", "transformer.resblocks"), ("text_model.embeddings.token_embedding", "token_embedding"),
        ("text_model.embeddings.position_embedding.weight", "positional_embedding"), ("text_model.final_layer_norm", "ln_final"),
        ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"), ("self_attn", "attn")]
    projections = {"visual_projection.weight": "visual.proj", "text_projection.weight": "text_projection"}
    result, joined = {}, {}
    for name, tensor in weights.items():
        if name in projections:
            result[projections[name]] = tensor.T
            continue
        for old, new in parts:
            name = name.replace(old, new)
        if found := re.fullmatch(r"(.*\.attn\.)([qkv])_proj\.(\w+)", name):
            joined.setdefault(f"{found[1]}in_proj_{found[3]}", {})[found[2]] = tensor
        else:
            result[name] = tensor
    return result | {name: torch.cat([thirds[letter] for letter in "qkv"]) for name, thirds in joined.items()}


class Memory(threading.Thread):
    """The peak of a process and all below it, looked at every second."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.ended = process, threading.Event()
        self.shared_once, self.highest = 0, {}

    def run(self):
        while not self.ended.wait(1):
            total = 0
            for process in self.family(self.process):
                try:
                    total += self.number(process, "smaps_rollup", "Pss")
                    self.highest[process] = self.number(process, "status", "VmHWM")
                except (OSError, TypeError):
                    continue  # It has ended meanwhile.
            self.shared_once = max(self.shared_once, total)

    @staticmethod
    def number(process, file, key):
        return int(re.search(rf"^{key}:\s+(\d+) kB", pathlib.Path(f"/proc/{process}/{file}").read_text(), re.M)[1]) / 1024

    def family(self, process):
        result = [process]
        for file in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
            try:
                children = file.read_text().split()
            except OSError:
                continue
            for child in children:
                result += self.family(int(child))
        return result


def run(command, folder):
    """The standard output of a process, and its memory in MiB: sum of highest RSS, highest sum of PSS."""
    with open(folder / "stderr", "w+") as errors:
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=errors, text=True)
        memory = Memory(process.pid)
        memory.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        memory.ended.set()
        memory.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{command[0]} ended with {process.returncode}:\n{errors.read()}")
    workers = sum(peak for pid, peak in memory.highest.items() if pid != process.pid)
    return output, {"rss": usage.ru_maxrss / 1024 + workers, "pss": memory.shared_once}


def ours(options, recipe, folder):
    run_folder = folder / "run"
    command = [options.program, "train", recipe, "--data", folder, "--out", run_folder, "--threads", CORES]
    _, memory = run(command, folder)
    lines = [json.loads(line) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "seconds" in line]
    version = json.loads((run_folder / "best/stylefinder.json").read_text()).get("torch", "unknown")
    shutil.rmtree(run_folder)
    return memory | {
        "seconds": [line["seconds"] for line in steps], "loss": [line["loss"] for line in steps], "torch": version,
        "waited": next(line["waited"] for line in lines if "epoch" in line)}


def theirs(options, recipe, folder):
    output, memory = run([sys.executable, HERE, "--peer", recipe, folder], folder)
    return memory | json.loads(output)


def train_rows(folder):
    """Rows with split train, all where there are no splits; paths of photos from here."""
    if (folder / "manifest.jsonl").exists():
        rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines() if line.strip()]
    else:
        with open(folder / "manifest.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    if any(row.get("split") for row in rows):
        rows = [row for row in rows if row.get("split") == "train"]
    return [{**row, "image": str((folder / row["image"]).resolve())} for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--precision", nargs="+", choices=["float32", "bfloat16"])
    options = parser.parse_args()
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    processor = pathlib.Path("/proc/cpuinfo").read_text()
    native = bool(re.search(r"^flags.*\b(avx512_bf16|amx_bf16)\b", processor, re.M))
    precisions = options.precision or (["float32", "bfloat16"] if native else ["float32"])
    rows = train_rows(options.data)
    for row in rows:  # So that nobody's first round reads from a colder disk.
        pathlib.Path(row["image"]).read_bytes()
    lines, versions = [], {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for case, precision in [(case, precision) for case in options.cases for precision in precisions]:
            name = f"{case} {precision}"
            steps = ENDS + options.steps + ENDS
            recipe = folder / f"{case}-{precision}.json"
            recipe.write_text(json.dumps({"name": name, "precision": precision, "steps_per_epoch": steps, **COMMON, **CASES[case]}))
            rounds = []
            for number in range(options.rounds):
                figures = {}
                for side in (ours, theirs) if number % 2 == 0 else (theirs, ours):
                    figure = side(options, recipe, folder)
                    for key in ("seconds", "loss"):
                        figure[key] = statistics.mean(figure[key][ENDS:ENDS + options.steps])
                    versions[side.__name__] = figure.pop("torch")
                    figures[side] = figure
                    print(f"{name}, round {number + 1}, {side.__name__}: {figure['seconds']:.3f} s a step", file=sys.stderr, flush=True)
                rounds.append((figures[ours], figures[theirs]))

            def both(key, form, scale=1):
                return " | ".join(form.format(statistics.median(pair[side][key] for pair in rounds) * scale) for side in (0, 1))

            ratios = [peers["seconds"] / own["seconds"] for own, peers in rounds]
            lines.append(
                f"| {name} | {both('seconds', '{:.3f}')} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
                f"{both('waited', '{:.1f} %', 100)} | {both('rss', '{:.0f}')} | {both('pss', '{:.0f}')} | {both('loss', '{:.3f}')} |")
    model_name = re.search(r"^model name\s*: (.*)", processor, re.M)
    print(f"{model_name[1] if model_name else 'unknown processor'}, {CORES} cores; torch {versions['ours']} (ours), {versions['theirs']} (PyTorch); "
          f"{len(rows)} photos; {options.rounds} rounds of {options.steps} steps.")
    if not native:
        print("The processor does not compute in bfloat16 (no avx512_bf16, no amx_bf16)" + ("." if "bfloat16" in precisions else ": left out."))
    print("\n| case | s a step, ours | PyTorch | PyTorch / ours (rounds) | waited, ours | PyTorch | RSS MiB, ours | PyTorch | PSS MiB, ours "
          "| PyTorch | loss, ours | PyTorch |\n|---|" + "---|" * 11)
    print("\n".join(lines))


if sys.argv[1:2] == ["--peer"]:
    recipe_path, place = map(pathlib.Path, sys.argv[2:])
    peer(json.loads(recipe_path.read_text()), train_rows(place), place)
else:
    main()
