"""The two kinds of model folder, each with its reference library behind one shape.

A house opens its folder, prepares pictures, embeds, and embeds with one mistake planted. All in float32 unless said.
"""

import contextlib
import copy
import json

import reference  # noqa: F401  (first: makes torchvision importable)
import numpy
import open_clip
import torch
import transformers
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from transformers.models.clip import modeling_clip
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


def _unit(vectors):
    return torch.nn.functional.normalize(vectors, dim=-1)


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


class HuggingFaceViT:
    """`config.json`, `model.safetensors`, `preprocessor_config.json`: `transformers.CLIPModel`."""

    reference = "transformers"
    squashes = False
    model_class, processor_class = transformers.CLIPModel, CLIPImageProcessorPil
    mistakes = {
        "image": ("activation", "layer norm eps", "q and k swapped", "one head"),
        "text": ("activation", "layer norm eps", "q and k swapped", "no causal mask", "pooling at the last position",
                 "pooling at the first position"),
        "picture": ("squash instead of crop", "bilinear instead of bicubic", "no antialias", "blue first",
                    "mean and std rounded to 2 decimals", "mean and std rounded to 3 decimals", "crop one pixel off"),
    }

    def __init__(self, config, preprocessing):
        self.config, self.preprocessing = config, preprocessing
        self.model = self._build(config)

    @classmethod
    def open(cls, folder):
        """Strictly: a missing, extra or mis-shaped tensor ends the program."""
        model, report = cls.model_class.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        # Older files hold the lists 0, 1, 2, … as `position_ids`; they are no weights, and newer versions leave them out.
        wrong = {key: [name for name in sorted(map(str, value)) if not name.endswith("position_ids")]
                 for key, value in report.items()}
        wrong = {key: names for key, names in wrong.items() if names}
        if wrong:
            raise SystemExit(f"{folder}: transformers reports {wrong}")
        house = cls.__new__(cls)
        house.config, house.model = model.config, model.eval()
        house.preprocessing = cls.processor_class.from_pretrained(folder)
        return house

    @classmethod
    def _build(cls, config):
        config = copy.deepcopy(config)
        config._attn_implementation = "eager"
        return cls.model_class(config).eval()

    def vision_size(self):
        return self.config.vision_config.image_size

    def text_limits(self):
        return self.config.text_config.max_position_embeddings, self.config.text_config.vocab_size

    def save(self, folder, dtype):
        folder.mkdir(parents=True, exist_ok=True)
        copy.deepcopy(self.model).to(dtype).save_pretrained(folder)
        generation = folder / "generation_config.json"
        generation.unlink(missing_ok=True)
        self.preprocessing.save_pretrained(folder)

    def visual(self, pixels):
        return self.model.get_image_features(pixel_values=pixels).pooler_output

    def prepared_bytes(self, picture, squash=False, resample=None):
        """uint8 [H, W, 3] as the folder's rule makes it, before values are rescaled and normalised."""
        size = self.vision_size()
        if squash:
            return numpy.asarray(picture.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
        extra = {} if resample is None else {"resample": resample}
        out = self.preprocessing(picture, do_rescale=False, do_normalize=False, return_tensors="np", **extra)["pixel_values"][0]
        return numpy.ascontiguousarray(out.transpose(1, 2, 0)).astype(numpy.uint8)

    def mean_and_std(self):
        return self.preprocessing.image_mean, self.preprocessing.image_std

    def pixels_of(self, picture):
        return torch.from_numpy(numpy.asarray(self.preprocessing(picture, return_tensors="np")["pixel_values"][0])).float()

    @torch.no_grad()
    def image(self, pixels, mistake=None):
        model = self._with(mistake)
        return _unit(model.get_image_features(pixel_values=pixels.to(model.dtype)).pooler_output)

    @torch.no_grad()
    def text(self, tokens, mistake=None):
        model = self._with(mistake)
        if mistake in ("pooling at the last position", "pooling at the first position"):
            states = model.text_model(input_ids=tokens).last_hidden_state
            return _unit(model.text_projection(states[:, -1 if "last" in mistake else 0]))
        with self._unmasked() if mistake == "no causal mask" else contextlib.nullcontext():
            return _unit(model.get_text_features(input_ids=tokens).pooler_output)

    @staticmethod
    @contextlib.contextmanager
    def _unmasked():
        masked = modeling_clip.create_causal_mask
        modeling_clip.create_causal_mask = lambda **_: None
        try:
            yield
        finally:
            modeling_clip.create_causal_mask = masked

    def _with(self, mistake):
        config, state = copy.deepcopy(self.config), self.model.state_dict()
        towers = (config.text_config, config.vision_config)
        if mistake == "float64":
            return copy.deepcopy(self.model).double()
        if mistake == "activation":
            for tower in towers:
                tower.hidden_act = "gelu" if tower.hidden_act == "quick_gelu" else "quick_gelu"
        elif mistake == "layer norm eps":
            for tower in towers:
                tower.layer_norm_eps = 1e-6 if tower.layer_norm_eps == 1e-5 else 1e-5
        elif mistake == "one head":
            config.vision_config.num_attention_heads = 1
        elif mistake == "q and k swapped":
            state = {
                name.replace(".q_proj.", ".*.").replace(".k_proj.", ".q_proj.").replace(".*.", ".k_proj."): value
                for name, value in state.items()
            }
        else:
            return self.model
        model = self._build(config)
        model.load_state_dict(state, strict=True)
        return model


class OpenCLIP:
    """`open_clip_config.json`, `open_clip_model.safetensors`: `open_clip.CLIP`, with a ViT or a ModifiedResNet."""

    reference = "open_clip"
    squashes = False

    def __init__(self, config, preprocessing):
        self.config, self.preprocessing = config, preprocessing
        self.model = self._build(config)
        self._mistakes()

    @classmethod
    def holding(cls, model, config, preprocessing):
        """A model that the library has opened some other way than from a folder."""
        house = cls.__new__(cls)
        house.config, house.preprocessing, house.model = config, preprocessing, model.eval()
        house._mistakes()
        return house

    @staticmethod
    def _build(config):
        config = dict(config)
        kind = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
        return kind(**config).eval()

    def _mistakes(self):
        vision = self.config["vision_cfg"]
        convolutional = isinstance(vision["layers"], (list, tuple))
        heads = vision["width"] * (32 if convolutional else 1) // vision.get("head_width", 64)
        one_head = ("one head",) if heads > 1 else ()
        self.mistakes = {
            "image": ("batch norm eps", "q and k swapped", *one_head, "no average pooling in the downsample")
            if convolutional else ("activation", "layer norm eps", "q and k swapped", *one_head),
            "text": HuggingFaceViT.mistakes["text"],
            "picture": HuggingFaceViT.mistakes["picture"],
        }

    @classmethod
    def open(cls, folder):
        """Through the library's own entry, which loads strictly."""
        written = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
        config = written["model_cfg"]
        preprocessing = {"size": config["vision_cfg"]["image_size"], **written["preprocess_cfg"]}
        return cls.holding(open_clip.create_model(f"local-dir:{folder}", precision="fp32"), config, preprocessing)

    def vision_size(self):
        return self.config["vision_cfg"]["image_size"]

    def text_limits(self):
        return self.config["text_cfg"]["context_length"], self.config["text_cfg"]["vocab_size"]

    def save(self, folder, dtype):
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / "open_clip_config.json", {"model_cfg": self.config, "preprocess_cfg": self.preprocessing})
        state = {
            name: (value.to(dtype) if value.is_floating_point() else value).contiguous()
            for name, value in self.model.state_dict().items()
        }
        save_file(state, folder / "open_clip_model.safetensors", metadata={"format": "pt"})

    def visual(self, pixels):
        return self.model.visual(pixels)

    def _transform(self, **changes):
        return image_transform_v2(PreprocessCfg(**{**self.preprocessing, **changes}), is_train=False)

    def prepared_bytes(self, picture, squash=False, resample=None):
        changes = {"resize_mode": "squash"} if squash else {}
        if resample is not None:
            changes["interpolation"] = {Image.Resampling.BILINEAR: "bilinear", Image.Resampling.BICUBIC: "bicubic"}[resample]
        for step in self._transform(**changes).transforms[:-2]:
            picture = step(picture)
        return numpy.asarray(picture)

    def mean_and_std(self):
        return self.preprocessing["mean"], self.preprocessing["std"]

    def pixels_of(self, picture):
        return self._transform()(picture)

    @torch.no_grad()
    def image(self, pixels, mistake=None):
        model = self._with(mistake)
        return model.encode_image(pixels.double() if mistake == "float64" else pixels, normalize=True)

    @torch.no_grad()
    def text(self, tokens, mistake=None):
        return self._with(mistake).encode_text(tokens, normalize=True)

    def _with(self, mistake):
        config, state = copy.deepcopy(self.config), dict(self.model.state_dict())
        text, vision = config["text_cfg"], config["vision_cfg"]
        if mistake == "float64":
            return copy.deepcopy(self.model).double()
        if mistake == "activation":
            config["quick_gelu"] = not config.get("quick_gelu", False)
        elif mistake == "layer norm eps":
            text["norm_kwargs"] = {"eps": 1e-6}
            vision["norm_kwargs"] = {"eps": 1e-6}
        elif mistake == "no causal mask":
            text["no_causal_mask"] = True
        elif mistake in ("pooling at the last position", "pooling at the first position"):
            text["pool_type"] = "last" if "last" in mistake else "first"
        elif mistake == "one head":
            vision["head_width"] = vision["width"] * (32 if isinstance(vision["layers"], (list, tuple)) else 1)
        elif mistake == "q and k swapped":
            swapped = {}
            for name, value in state.items():
                if ".in_proj_" in name:
                    query, key, rest = value.chunk(3)
                    value = torch.cat([key, query, rest])
                swapped[name.replace(".q_proj.", ".*.").replace(".k_proj.", ".q_proj.").replace(".*.", ".k_proj.")] = value
            state = swapped
        elif mistake == "batch norm eps":
            model = copy.deepcopy(self.model)
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.eps = 1e-6
            return model
        elif mistake == "no average pooling in the downsample":
            model = copy.deepcopy(self.model)
            for module in model.visual.modules():
                if getattr(module, "downsample", None) is not None:
                    stride = module.stride
                    module.downsample[0] = torch.nn.Identity()
                    module.downsample[1].stride = (stride, stride)
            return model
        else:
            return self.model
        model = self._build(config)
        model.load_state_dict(state, strict=True)
        return model


class OpenCLIPResized(OpenCLIP):
    """A folder that open_clip opens at another resolution than it was saved at: position embeddings are interpolated on the way."""

    @classmethod
    def open(cls, folder, size):
        written = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
        model = open_clip.create_model(f"local-dir:{folder}", precision="fp32", force_image_size=size)
        written["model_cfg"]["vision_cfg"]["image_size"] = size
        house = cls.holding(model, written["model_cfg"], {**written["preprocess_cfg"], "size": size})
        saved = open_clip.factory.load_state_dict(str(next(folder.glob("open_clip_*model.*"))))
        house.saved_positions = saved["visual.positional_embedding"].float()
        return house

    def _mistakes(self):
        super()._mistakes()
        self.mistakes["image"] += ("positions without antialias", "positions bilinear", "positions nearest", "positions with aligned corners",
                                   "positions transposed")

    def _with(self, mistake):
        if mistake is None or not mistake.startswith("positions "):
            return super()._with(mistake)
        start, grid = self.saved_positions[:1], self.saved_positions[1:]
        before, after = round(len(grid) ** 0.5), round((len(self.model.visual.positional_embedding) - 1) ** 0.5)
        grid = grid.reshape(1, before, before, -1).permute(0, 3, 1, 2)
        kind = mistake.removeprefix("positions ")
        if kind == "transposed":
            grid = grid.transpose(2, 3)
        options = {
            "without antialias": dict(mode="bicubic"), "bilinear": dict(mode="bilinear", antialias=True), "nearest": dict(mode="nearest"),
            "with aligned corners": dict(mode="bicubic", align_corners=True), "transposed": dict(mode="bicubic", antialias=True),
        }[kind]
        grid = torch.nn.functional.interpolate(grid, size=(after, after), **options)
        model = copy.deepcopy(self.model)
        model.visual.positional_embedding.data = torch.cat([start, grid.permute(0, 2, 3, 1).reshape(after * after, -1)])
        return model


def open_folder(folder):
    if (folder / "open_clip_config.json").is_file():
        import timm_towers

        return (timm_towers.OpenCLIP if timm_towers.lives_in(folder) else OpenCLIP).open(folder)
    if (folder / "config.json").is_file():
        return HuggingFaceViT.open(folder)
    raise SystemExit(f"{folder}: neither config.json (Hugging Face) nor open_clip_config.json (open_clip) is there")
