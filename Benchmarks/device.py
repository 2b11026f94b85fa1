"""Full-size models on a device beside eager PyTorch on the same device: interleaved rounds in one run, medians.

    python Benchmarks/device.py PROGRAM [--device cuda] [--rounds 5] [--only "embed vit 256 bfloat16" ...]

PROGRAM is the built DeviceBenchmark. Both sides have weights of their own drawing: their values do not matter to the time. Both get pictures
as bytes in the CPU's memory and give unit vectors there, or take one training step of both towers: symmetric image-text loss, gradients clipped,
fused AdamW. The peer of ViT-B/16 is transformers' CLIPModel, that of RN50 the classes of tools/golden/openai_model.py.
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import time
import types

import torch
from torch.nn import functional

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--device", default="cuda")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--repeats", type=int, default=3)
parser.add_argument("--only", nargs="+", default=[
    "embed vit 256 bfloat16", "embed vit 256 float32", "embed rn50 256 bfloat16", "embed rn50 256 float32",
    "train vit 128 bfloat16", "train vit 128 float32", "train rn50 128 bfloat16", "train rn50 128 float32"])
options = parser.parse_args()
device = torch.device(options.device)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/golden"))
if device.type == "cpu":
    import reference  # noqa: F401
else:
    # It makes a CUDA build of torchvision importable on a CPU-only torch; a machine with a GPU has the right torch.
    sys.modules["reference"] = types.ModuleType("reference")
import openai_model  # noqa: E402

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073], device=device)[:, None, None]
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711], device=device)[:, None, None]


class HuggingFace(torch.nn.Module):
    """transformers' CLIP under the two names that the other one has."""

    def __init__(self):
        super().__init__()
        from transformers import CLIPConfig, CLIPModel
        config = CLIPConfig(vision_config={"patch_size": 16}, text_config={"eos_token_id": 49407})
        self.clip = CLIPModel._from_config(config, attn_implementation="sdpa")
        self.logit_scale = self.clip.logit_scale

    def encode_image(self, pixels):
        return self.clip.visual_projection(self.clip.vision_model(pixel_values=pixels).pooler_output)

    def encode_text(self, ids):
        return self.clip.text_projection(self.clip.text_model(input_ids=ids).pooler_output)


def model(name):
    torch.manual_seed(1)
    if name == "vit":
        return HuggingFace().to(device)
    made = openai_model.CLIP(1024, 224, (3, 4, 6, 3), 64, None, 77, 49408, 512, 8, 12)
    for parameter in made.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    made = made.to(device)
    for module in made.modules():  # the text tower's masks are no buffers
        if isinstance(getattr(module, "attn_mask", None), torch.Tensor):
            module.attn_mask = module.attn_mask.to(device)
    made.visual = made.visual.to(memory_format=torch.channels_last)
    return made


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


class Peer:
    def __init__(self, what, name, count, precision):
        self.what, self.rough = what, precision == "bfloat16"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        self.model = model(name)
        self.layout = torch.channels_last if name == "rn50" else torch.contiguous_format
        self.bytes = torch.randint(0, 256, (count, 224, 224, 3), dtype=torch.uint8)
        if what == "embed":
            self.model.eval()
            return
        self.model.train()
        self.tokens = torch.randint(1, 49000, (count, 77))
        self.tokens[:, -1] = 49407
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
             {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}],
            lr=2e-5, betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.parameters = parameters

    def pixels(self):
        pictures = self.bytes.to(device).permute(0, 3, 1, 2).contiguous(memory_format=self.layout)
        return (pictures.float() / 255 - MEAN) / DEVIATION

    def precision(self):
        return torch.autocast(device.type, torch.bfloat16) if self.rough else contextlib.nullcontext()

    def __call__(self):
        start = time.perf_counter()
        if self.what == "embed":
            with torch.no_grad():
                with self.precision():
                    vectors = self.model.encode_image(self.pixels())
                functional.normalize(vectors.float(), dim=-1).cpu()
        else:
            self.optimizer.zero_grad()
            with self.precision():
                images, texts = self.model.encode_image(self.pixels()), self.model.encode_text(self.tokens.to(device))
            images, texts = (functional.normalize(vectors.float(), dim=-1) for vectors in (images, texts))
            logits = images @ texts.T * self.model.logit_scale.exp().clamp(max=100)
            target = torch.arange(len(logits), device=device)
            loss = (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2
            loss.item()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, 5)
            self.optimizer.step()
        wait()
        return (time.perf_counter() - start) * 1000


program = subprocess.Popen([options.program, "run", options.device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(program.stdout.readline().strip(), "| PyTorch", torch.__version__,
      torch.cuda.get_device_name() if device.type == "cuda" else "", flush=True)


def ours(line):
    program.stdin.write(line + "\n")
    program.stdin.flush()
    answer = program.stdout.readline()
    if not answer:
        sys.exit(f"{options.program} ended at: {line}")
    return float(answer)


for line in options.only:
    what, name, count, precision = line.split()
    peer = Peer(what, name, int(count), precision)
    for _ in range(3):
        ours(line), peer()
    rounds = []
    for number in range(options.rounds):
        sides = (lambda: ours(line), peer) if number % 2 == 0 else (peer, lambda: ours(line))
        times = [statistics.median(side() for _ in range(options.repeats)) for side in sides]
        rounds.append(times if number % 2 == 0 else times[::-1])
    mine, theirs = (statistics.median(column) for column in zip(*rounds))
    print(json.dumps({
        "what": line, "ours_ms": round(mine, 2), "pytorch_ms": round(theirs, 2), "ours_per_s": round(int(count) / mine * 1000, 1),
        "pytorch_per_s": round(int(count) / theirs * 1000, 1), "ratio": round(theirs / mine, 3),
        "round_ratios": [round(b / a, 3) for a, b in rounds]}), flush=True)
    del peer
    if device.type == "cuda":
        torch.cuda.empty_cache()
program.stdin.close()
program.wait()
