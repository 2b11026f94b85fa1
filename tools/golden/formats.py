"""Makes golden model folders in every format that users bring, each written by the saving code of the library it belongs to.

    formats.py --size reduced --out Tests/CLIPTests/Fixtures/formats                small, committed, always tested
    formats.py --size full --out .deps/golden/formats                              the real architectures, about 9 GB

A folder holds what `clip.py` describes, and in `golden.json` also `format`, `architecture`, `what` (how it was saved),
`model_file` where the format is one file (its path from the folder; without it the folder is the model), and `resolution` where
the model has to be opened at another one than it was saved at. The pictures are those of `pictures/`, beside the folders.

Weights, inputs and answers come from fixed seeds; each model is opened again by its library, strictly, before it is asked.
`MANIFEST.sha256` leaves out TorchScript archives: the names of their types depend on what the process has traced before.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil
import sys
import typing

import reference
import open_clip
import torch
import transformers
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import containers
import goldens
import houses
import openai_model
import pictures
import redraw
import siglip
import train_bpe
import training_run

HALF, BRAIN, FULL = torch.float16, torch.bfloat16, torch.float32


@dataclasses.dataclass
class Golden:
    """One folder. `save` writes the model of `house` and returns the model's file where the format is one file."""

    format: str
    architecture: str
    what: str
    dtype: torch.dtype
    house: typing.Any
    save: typing.Callable
    open: typing.Callable
    stored_as: str | None = None
    vocabulary: bool = False
    tokens: torch.Tensor | None = None
    more: dict = dataclasses.field(default_factory=dict)


ALL = {}


def golden(name):
    def register(make):
        ALL[name] = make
        return make

    return register


# MARK: Sizes


class Reduced:
    """Small towers. Where a config file says the sizes, heads are not 64 wide and hidden layers not four times the width."""

    full = False

    def __init__(self, merges):
        self.merges, self.ids = merges, train_bpe.vocabulary(merges)

    def hugging_face(self, large=False, patch=8):
        return (dict(width=32, heads=2, hidden=64, layers=2, patch=8, size=32),
                dict(width=32, heads=2, hidden=64, layers=2, context=20, vocabulary=len(self.ids)), 24)

    def open_clip(self, patch=8):
        return {
            "embed_dim": 24,
            "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "mlp_ratio": 2.0, "patch_size": 8},
            "text_cfg": {"context_length": 20, "vocab_size": len(self.ids), "width": 32, "heads": 2, "layers": 2},
        }

    def openai(self, patch=8):
        """What a file without a config can be: every head 64 wide."""
        return {
            "embed_dim": 32,
            "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 8},
            "text_cfg": {"context_length": 20, "vocab_size": 130, "width": 64, "heads": 1, "layers": 1},
        }

    def resnet(self, text_width=64):
        return {
            "embed_dim": 32,
            "vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 2, "patch_size": None},
            "text_cfg": {"context_length": 20, "vocab_size": 130 if text_width == 64 else len(self.ids), "width": text_width, "heads": 1, "layers": 1},
        }

    def resolutions(self):
        return 32, 48


class Full:
    """The real architectures."""

    full = True

    def __init__(self, merges):
        self.merges, self.ids = merges, train_bpe.vocabulary(merges)

    def hugging_face(self, large=False, patch=32):
        if large:
            return (dict(width=1024, heads=16, hidden=4096, layers=24, patch=14, size=224),
                    dict(width=768, heads=12, hidden=3072, layers=12, context=77, vocabulary=49408), 768)
        return (dict(width=768, heads=12, hidden=3072, layers=12, patch=patch, size=224),
                dict(width=512, heads=8, hidden=2048, layers=12, context=77, vocabulary=49408), 512)

    def open_clip(self, patch=16):
        return {
            "embed_dim": 512,
            "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": patch},
            "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
        }

    openai = open_clip

    def resnet(self, text_width=512):
        return {
            "embed_dim": 1024,
            "vision_cfg": {"image_size": 224, "layers": [3, 4, 6, 3], "width": 64, "patch_size": None},
            "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
        }

    def resolutions(self):
        return 224, 336


def named(size, name):
    return name if size.full else f"{name}, reduced"


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def half_precision(model, dtype):
    return {name: (value.to(dtype) if value.is_floating_point() else value).contiguous() for name, value in model.state_dict().items()}


# MARK: Hugging Face


def hugging_face(size, act, end=None, **which):
    vision, text, embed = size.hugging_face(**which)
    vocabulary = text["vocabulary"]
    config = transformers.CLIPConfig(
        projection_dim=embed,
        vision_config=dict(
            hidden_size=vision["width"], intermediate_size=vision["hidden"], num_hidden_layers=vision["layers"],
            num_attention_heads=vision["heads"], image_size=vision["size"], patch_size=vision["patch"], hidden_act=act,
            projection_dim=embed),
        text_config=dict(
            hidden_size=text["width"], intermediate_size=text["hidden"], num_hidden_layers=text["layers"],
            num_attention_heads=text["heads"], max_position_embeddings=text["context"], vocab_size=vocabulary, hidden_act=act,
            projection_dim=embed, bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1 if end is None else end,
            pad_token_id=vocabulary - 1),
    )
    side = vision["size"]
    preprocessing = houses.CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    return houses.HuggingFaceViT(config, preprocessing)


def save_config(house, folder, preprocessor="new"):
    """`config.json` and `preprocessor_config.json`, the latter in its present form or in the one of 2021, with bare numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    house.config.save_pretrained(folder)
    if preprocessor == "new":
        house.preprocessing.save_pretrained(folder)
        return
    side = house.vision_size()
    mean, std = house.mean_and_std()
    write_json(folder / "preprocessor_config.json", {
        "crop_size": side, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": list(mean), "image_std": list(std), "resample": 3, "size": side,
    })


@golden("hf-safetensors-f16")
def _(size):
    house = hugging_face(size, "quick_gelu")
    return Golden(
        "hugging-face", named(size, "ViT-B/32"), "CLIPModel.save_pretrained of a float16 model: one model.safetensors", HALF, house,
        lambda folder: house.save(folder, HALF), houses.HuggingFaceViT.open, vocabulary=True)


@golden("hf-shards-bf16")
def _(size):
    house = hugging_face(size, "gelu", large=True)

    def save(folder):
        folder.mkdir(parents=True, exist_ok=True)
        house.model.to(BRAIN).save_pretrained(folder, max_shard_size="400MB" if size.full else "60KB")
        house.preprocessing.save_pretrained(folder)

    return Golden(
        "hugging-face", named(size, "ViT-L/14"),
        "CLIPModel.save_pretrained of a bfloat16 model with max_shard_size: model-0000i-of-0000n.safetensors and their index; exact GELU",
        BRAIN, house, save, houses.HuggingFaceViT.open, vocabulary=True)


@golden("hf-bin-f32")
def _(size):
    house = hugging_face(size, "quick_gelu", end=2)

    def save(folder):
        save_config(house, folder, "old")
        state = house.model.state_dict()
        vision, text = house.config.vision_config, house.config.text_config
        state["vision_model.embeddings.position_ids"] = torch.arange((vision.image_size // vision.patch_size) ** 2 + 1)[None]
        state["text_model.embeddings.position_ids"] = torch.arange(text.max_position_embeddings)[None]
        torch.save(state, folder / "pytorch_model.bin")

    return Golden(
        "hugging-face", named(size, "ViT-B/32"),
        "torch.save of CLIPModel's state dict with the position_ids of its time, old preprocessor_config.json, eos_token_id 2 (legacy)",
        FULL, house, save, houses.HuggingFaceViT.open, vocabulary=True)


@golden("hf-bin-shards-f16")
def _(size):
    house = hugging_face(size, "gelu")

    def save(folder):
        save_config(house, folder, "old")
        house.model.config.dtype = HALF
        containers.save_shards(
            half_precision(house.model, HALF), folder, "pytorch_model{suffix}.bin", "100MB" if size.full else "60KB")

    return Golden(
        "hugging-face", named(size, "ViT-B/32"),
        "float16 state dict in shards as transformers 4 cut them: pytorch_model-0000i-of-0000n.bin and their index; exact GELU", HALF,
        house, save, houses.HuggingFaceViT.open, vocabulary=True)


@golden("hf-tokenizer-json")
def _(size):
    house = hugging_face(size, "quick_gelu", patch=16 if size.full else 8)
    texts = ["", "a photo of a red dress", "Men's wool coat, size 38!", "  BLUE   denim\tjacket ", "crème brûlée 👗", "it doesn't"]
    more = {}

    def save(folder):
        house.save(folder, HALF)
        merges = [tuple(pair) for pair in size.merges]
        tokenizer = transformers.CLIPTokenizer(vocab=dict(size.ids), merges=merges, model_max_length=house.text_limits()[0])
        tokenizer.save_pretrained(folder)
        for name in ("vocab.json", "merges.txt"):
            (folder / name).unlink(missing_ok=True)
        again = transformers.CLIPTokenizer.from_pretrained(folder)
        more["token_ids"] = {text: again(text)["input_ids"] for text in texts}

    return Golden(
        "hugging-face", named(size, "ViT-B/16"),
        "CLIPModel.save_pretrained in float16 and CLIPTokenizer.save_pretrained: tokenizer.json, no vocab.json and no merges.txt", HALF,
        house, save, houses.HuggingFaceViT.open, more=more)


# MARK: open_clip


def open_clip_house(config, **preprocessing):
    side = config["vision_cfg"]["image_size"]
    whole = {"size": [side, side], "mode": "RGB", "mean": list(pictures.MEAN), "std": list(pictures.STD),
             "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}
    house = houses.OpenCLIP(config, preprocessing or whole)
    if config["vision_cfg"]["layers"] == 1:
        house.scales = redraw.Scales(colour=1.0)  # one layer makes little of a mean that was rounded to three decimals
    return house


def save_open_clip(house, folder, file, dtype):
    """As open_clip's `save_for_hf`: the config and the state dict under one of its file names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "open_clip_config.json", {"model_cfg": house.config, "preprocess_cfg": house.preprocessing})
    state = half_precision(house.model, dtype)
    if file.endswith(".safetensors"):
        save_file(state, folder / file, metadata={"format": "pt"})
    else:
        torch.save(state, folder / file)


@golden("open-clip-safetensors-f16")
def _(size):
    house = open_clip_house(size.open_clip())
    return Golden(
        "open-clip", named(size, "ViT-B/16"),
        "open_clip's save_for_hf: open_clip_config.json without quick_gelu (so exact GELU) and open_clip_model.safetensors", HALF, house,
        lambda folder: save_open_clip(house, folder, "open_clip_model.safetensors", HALF), houses.OpenCLIP.open, vocabulary=True)


@golden("open-clip-bin-f16")
def _(size):
    config = {**size.open_clip(**({"patch": 32} if size.full else {})), "quick_gelu": True}
    house = open_clip_house(config)
    short = {"mean": list(pictures.MEAN), "std": list(pictures.STD)}

    def save(folder):
        house.preprocessing = short
        save_open_clip(house, folder, "open_clip_pytorch_model.bin", HALF)

    return Golden(
        "open-clip", named(size, "ViT-B/32"),
        "open_clip's save_for_hf: open_clip_pytorch_model.bin (torch.save of an OrderedDict); preprocess_cfg has only mean and std", HALF,
        house, save, houses.OpenCLIP.open, vocabulary=True)


@golden("open-clip-resnet-f16")
def _(size):
    house = open_clip_house({**size.resnet(text_width=32), "quick_gelu": True})
    return Golden(
        "open-clip", named(size, "RN50"), "open_clip's save_for_hf of a ModifiedResNet: open_clip_model.safetensors", HALF, house,
        lambda folder: save_open_clip(house, folder, "open_clip_model.safetensors", HALF), houses.OpenCLIP.open, vocabulary=True)


@golden("open-clip-custom-text-bf16")
def _(size):
    house = open_clip_house({**size.open_clip(), "custom_text": True})
    return Golden(
        "open-clip", named(size, "ViT-B/16"),
        "open_clip's save_for_hf of a CustomTextCLIP with the ordinary text tower: its keys begin with text.; open_clip_pytorch_model.safetensors",
        BRAIN, house, lambda folder: save_open_clip(house, folder, "open_clip_pytorch_model.safetensors", BRAIN), houses.OpenCLIP.open, vocabulary=True)


# MARK: Training checkpoints of open_clip


def training_checkpoint(size, model, precision, dtype, quick, scalar):
    config = {**size.openai(**({"patch": 32} if size.full else {})), "quick_gelu": quick}
    house = open_clip_house(config)
    run = f"2026_01_31-12_00_00-model_{model}-lr_0.001-b_32-j_2-p_{precision}"
    arguments = ["--model", model, "--precision", precision, "--name", run, "--epochs", "1", "--lr", "0.001", "--batch-size", "32",
                 "--lock-image", "--lock-image-unlocked-groups", "1", "--lock-text", "--lock-text-unlocked-layers", "1"]
    if quick and not model.endswith("quickgelu"):
        arguments.append("--force-quick-gelu")
    if not scalar:
        house.model = open_clip.CLIP(**config, nonscalar_logit_scale=True).eval()

    def save(folder):
        training_run.save(house.model, folder / "logs" / run, arguments, dtype, lambda: goldens.draw(house, [], dtype))
        return folder / "logs" / run / "checkpoints/epoch_1.pt"

    def open_checkpoint(path):
        with training_run.known_as(model, config):
            opened = open_clip.create_model(model, pretrained=str(path), precision="fp32")
        return houses.OpenCLIP.holding(opened, config, house.preprocessing)

    return house, save, open_checkpoint


@golden("open-clip-training-scalar")
def _(size):
    house, save, opened = training_checkpoint(size, "ViT-B-32", "pure_bf16", BRAIN, quick=False, scalar=True)
    return Golden(
        "open-clip-training", named(size, "ViT-B/32"),
        "open_clip_train's params.txt and epoch_1.pt: keys begin with module., a real AdamW state, logit_scale has no dimension; exact GELU",
        BRAIN, house, save, opened)


@golden("open-clip-training-vector")
def _(size):
    house, save, opened = training_checkpoint(size, "ViT-B-32-quickgelu", "pure_fp16", HALF, quick=True, scalar=False)
    return Golden(
        "open-clip-training", named(size, "ViT-B/32"),
        "open_clip_train's params.txt and epoch_1.pt: keys begin with module., a real AdamW state, logit_scale has one dimension; QuickGELU",
        HALF, house, save, opened)


# MARK: OpenAI's names


def open_openai(path, house):
    return houses.OpenCLIP.holding(open_clip.load_openai_model(str(path), precision="fp32", device="cpu"), house.config, house.preprocessing)


def openai_archive(size, config, file, architecture):
    house = open_clip_house({**config, "quick_gelu": True})

    def save(folder):
        folder.mkdir(parents=True, exist_ok=True)
        ours = openai_model.half(openai_model.like(house.model, house.config))
        containers.save_script(openai_model.scripted(ours), folder / file, device="cuda:0")
        return folder / file

    return Golden(
        "openai", named(size, architecture),
        "TorchScript archive as OpenAI's: traced, float16 with float32 norms and embeddings, storages on cuda:0, three numbers among the weights",
        HALF, house, save, lambda path: open_openai(path, house), stored_as="float16 and float32")


@golden("openai-vit")
def _(size):
    return openai_archive(size, size.openai(**({"patch": 32} if size.full else {})), "ViT-B-32.pt", "ViT-B/32")


@golden("openai-resnet")
def _(size):
    return openai_archive(size, size.resnet(), "RN50.pt", "RN50")


@golden("openfashionclip")
def _(size):
    config = size.openai(**({"patch": 32} if size.full else {}))
    house = open_clip_house(config)

    def save(folder):
        folder.mkdir(parents=True, exist_ok=True)
        torch.save({"CLIP": half_precision(house.model, HALF)}, folder / "openfashionclip.pt")
        return folder / "openfashionclip.pt"

    def opened(path):  # as its repository opens it
        with training_run.known_as("ViT-B-32", config):
            model = open_clip.create_model("ViT-B/32")
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["CLIP"], strict=True)
        return houses.OpenCLIP.holding(model, config, house.preprocessing)

    return Golden(
        "openfashionclip", named(size, "ViT-B/32"), 'torch.save of {"CLIP": state dict} with OpenAI\'s names; open_clip\'s ViT-B-32, so exact GELU',
        HALF, house, save, opened)


# MARK: The original StyleFinder


def from_state(state, house):
    model = open_clip.model.build_model_from_openai_state_dict(dict(state), quick_gelu=True, cast_dtype=None).float()
    # That function rounds the weights to float16 on the way, whatever they were.
    model.load_state_dict({key: value for key, value in state.items() if key in model.state_dict()})
    return houses.OpenCLIP.holding(model, house.config, house.preprocessing)


def training_arguments(name):
    return argparse.Namespace(
        model_name=name, batch_size=64, epochs=10, lr=1e-5, weight_decay=0.2, warmup_steps=100, data_dir="data/fashion",
        output_dir=pathlib.PurePosixPath("checkpoints"), seed=42, freeze_vision=False, device="cuda")


def stage_three(size, config, name, dtype, as_dictionary):
    house = open_clip_house({**config, "quick_gelu": True})

    def save(folder):
        folder.mkdir(parents=True, exist_ok=True)
        ours = openai_model.like(house.model, house.config)
        optimizer = training_run.stepped(
            [parameter for key, parameter in ours.named_parameters() if key in ("logit_scale", "ln_final.weight", "ln_final.bias")])
        state = half_precision(ours, dtype) if dtype != FULL else ours.state_dict()
        arguments = training_arguments(name)
        arguments.output_dir = str(arguments.output_dir)
        path = folder / "stage3_best.pth"
        with containers.on_device("cuda:0"):
            torch.save({
                "epoch": 7, "model_state_dict": state, "optimizer_state_dict": optimizer.state_dict(), "scheduler_state_dict": None,
                "model_name": name, "best_recall": 0.625, "loss": 1.25, "train_args": vars(arguments) if as_dictionary else arguments,
            }, path)
        return path

    def opened(path):
        return from_state(torch.load(path, map_location="cpu", weights_only=False)["model_state_dict"], house)

    return house, save, opened


@golden("stylefinder-stage3-vit")
def _(size):
    house, save, opened = stage_three(size, size.openai(), "ViT-B/16", FULL, as_dictionary=False)
    return Golden(
        "stylefinder-stage3", named(size, "ViT-B/16"),
        "torch.save of model_state_dict (float32, on cuda:0), model_name, train_args (an argparse.Namespace), optimizer_state_dict", FULL,
        house, save, opened)


@golden("stylefinder-stage3-resnet")
def _(size):
    dtype = FULL if size.full else HALF
    house, save, opened = stage_three(size, size.resnet(), "RN50", dtype, as_dictionary=True)
    return Golden(
        "stylefinder-stage3", named(size, "RN50"),
        "torch.save of model_state_dict (on cuda:0), model_name, train_args (a dictionary), optimizer_state_dict", dtype, house, save, opened)


@golden("stylefinder-stage2")
def _(size):
    house = open_clip_house({**size.openai(), "quick_gelu": True})

    def save(folder):
        folder.mkdir(parents=True, exist_ok=True)
        ours = openai_model.half(openai_model.like(house.model, house.config))
        path = folder / "stage2_epoch_5.pth"
        with openai_model.as_openai(), containers.on_device("cuda:0"):
            torch.save({"epoch": 5, "model": ours, "best_loss": 0.5}, path)
        return path

    def opened(path):
        with openai_model.as_openai():
            module = torch.load(path, map_location="cpu", weights_only=False)["model"]
        opened = from_state(module.state_dict(), house)
        pixels = goldens.random_pixels(house.vision_size())
        tokens = goldens.random_tokens(*house.text_limits()).long()
        with torch.no_grad():  # the module that was pickled computes what open_clip does
            ours = module.float()
            for mine, theirs in ((ours.encode_image(pixels), opened.image(pixels)), (ours.encode_text(tokens), opened.text(tokens))):
                assert torch.allclose(torch.nn.functional.normalize(mine, dim=-1), theirs, atol=1e-5)
        return opened

    return Golden(
        "stylefinder-stage2", named(size, "ViT-B/16"),
        "torch.save of a whole module under `model`: the pickle names clip.model.CLIP and its parts; float16 with float32 norms and embeddings",
        HALF, house, save, opened, stored_as="float16 and float32")


# MARK: SigLIP


def hugging_face_siglip(size, version, dtype):
    house = siglip.hugging_face(size.full, version)
    padding = 1 if version == 1 else 0
    tokens = goldens.random_pieces(*house.text_limits(), end=1, padding=padding)
    house.padding = padding

    def save(folder):
        siglip.save_hugging_face(house, folder, dtype, minimal=version == 1)

    def opened(folder):
        again = siglip.HuggingFace.open(folder)
        again.padding = padding
        return again

    return house, tokens, save, opened


@golden("siglip-hf-f16")
def _(size):
    house, tokens, save, opened = hugging_face_siglip(size, 1, HALF)
    return Golden(
        "siglip-hugging-face", named(size, "SigLIP ViT-B/16"),
        "SiglipModel.save_pretrained; config.json without the keys that have transformers' default values, as google/siglip-base-patch16-224",
        HALF, house, save, opened, tokens=tokens)


@golden("siglip2-hf-bf16")
def _(size):
    house, tokens, save, opened = hugging_face_siglip(size, 2, BRAIN)
    return Golden(
        "siglip-hugging-face", named(size, "SigLIP 2 ViT-B/16"),
        "SiglipModel.save_pretrained: SigLIP 2 of a fixed resolution is saved as model_type siglip; other vocabulary, padding 0, bilinear", BRAIN,
        house, save, opened, tokens=tokens)


def open_clip_siglip(size, tanh, file, dtype):
    house = siglip.open_clip_house(size.full, tanh)
    tokens = goldens.random_pieces(*house.text_limits(), end=1, padding=1)
    return house, tokens, lambda folder: save_open_clip(house, folder, file, dtype)


@golden("siglip-open-clip-f16")
def _(size):
    house, tokens, save = open_clip_siglip(size, False, "open_clip_model.safetensors", HALF)
    return Golden(
        "siglip-open-clip", named(size, "SigLIP ViT-B/16"),
        "open_clip's save_for_hf of CustomTextCLIP with timm's vision tower (Marqo FashionSigLIP): no act_kwargs, so exact GELU in both towers",
        HALF, house, save, siglip.OpenCLIP.open, tokens=tokens)


@golden("siglip-open-clip-bin-bf16")
def _(size):
    house, tokens, save = open_clip_siglip(size, True, "open_clip_pytorch_model.bin", BRAIN)
    return Golden(
        "siglip-open-clip", named(size, "SigLIP 2 ViT-B/16"),
        "open_clip's save_for_hf, .bin: act_kwargs make the text tower's GELU the tanh form, while timm's vision tower has exact GELU", BRAIN,
        house, save, siglip.OpenCLIP.open, tokens=tokens)


# MARK: Another resolution


def resized(size, saved, opened):
    config = size.open_clip()
    config["vision_cfg"]["image_size"] = saved
    if not size.full:
        config["text_cfg"]["layers"] = 1
    house = open_clip_house(config)
    return Golden(
        "open-clip", named(size, "ViT-B/16"),
        f"saved at {saved} x {saved} pixels and opened by open_clip with force_image_size={opened}: positions interpolated bicubically with antialias",
        # float32: the reference can't interpolate half-precision positions on a CPU.
        FULL, house, lambda folder: save_open_clip(house, folder, "open_clip_model.safetensors", FULL),
        lambda folder: houses.OpenCLIPResized.open(folder, opened), vocabulary=True, more={"resolution": opened})


@golden("open-clip-resized-up")
def _(size):
    small, large = size.resolutions()
    return resized(size, small, large)


@golden("open-clip-resized-down")
def _(size):
    small, large = size.resolutions()
    return resized(size, large, small)


# MARK: All of them


def make(name, size, root, paths):
    torch.manual_seed(goldens.SEED)
    entry = ALL[name](size)
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    if entry.format != "open-clip-training":  # which draws its weights after the step that fills the optimizer
        goldens.draw(entry.house, paths, entry.dtype)
    path = entry.save(folder)
    del entry.house  # from here on: what the file holds, as the library reads it
    opened = entry.open(path or folder)
    if entry.vocabulary:
        train_bpe.write(folder, size.merges)
    more = {"format": entry.format, "architecture": entry.architecture, "what": entry.what, **entry.more}
    if path:
        more["model_file"] = path.relative_to(folder).as_posix()
    stored = entry.stored_as or str(entry.dtype)[6:]
    goldens.record(name, opened, folder, paths, stored, tokens=entry.tokens, count=2 if size.full else 1, **more)


def main():
    options, merges = goldens.beginning(__doc__, only="folders whose name begins so")
    size = (Full if options.size == "full" else Reduced)(merges)
    names = [name for name in ALL if name.startswith(options.only or "")]
    if not names:
        sys.exit(f"--only {options.only}: no such format; there are " + ", ".join(ALL))
    paths = pictures.draw(options.out / "pictures", 224 if size.full else 40)
    for name in names:
        make(name, size, options.out, paths)
    archives = [f"{name}/{file}" for name, file in (("openai-vit", "ViT-B-32.pt"), ("openai-resnet", "RN50.pt"))]
    goldens.manifest(options.out, without=archives)


if __name__ == "__main__":
    main()
