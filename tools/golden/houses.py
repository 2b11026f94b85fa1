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
        model, report = transformers.CLIPModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        wrong = {key: sorted(map(str, value)) for key, value in report.items() if value}
        if wrong:
            raise SystemExit(f"{folder}: transformers reports {wrong}")
        house = cls.__new__(cls)
        house.config, house.model = model.config, model.eval()
        house.preprocessing = CLIPImageProcessorPil.from_pretrained(folder)
        return house

    @staticmethod
    def _build(config):
        config = copy.deepcopy(config)
        config._attn_implementation = "eager"
        return transformers.CLIPModel(config).eval()

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

    def __init__(self, config, preprocessing):
        self.config, self.preprocessing = config, preprocessing
        self.model = open_clip.CLIP(**config).eval()
        self._mistakes()

    def _mistakes(self):
        convolutional = isinstance(self.config["vision_cfg"]["layers"], (list, tuple))
        self.mistakes = {
            "image": ("batch norm eps", "q and k swapped", "one head", "no average pooling in the downsample")
            if convolutional else ("activation", "layer norm eps", "q and k swapped"),
            "text": HuggingFaceViT.mistakes["text"],
            "picture": HuggingFaceViT.mistakes["picture"],
        }

    @classmethod
    def open(cls, folder):
        """Through the library's own entry, which loads strictly."""
        written = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
        house = cls.__new__(cls)
        house.config, house.preprocessing = written["model_cfg"], written["preprocess_cfg"]
        house.model = open_clip.create_model(f"local-dir:{folder}", precision="fp32").eval()
        house._mistakes()
        return house

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
            changes["interpolation"] = "bilinear"
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
            config["quick_gelu"] = not config["quick_gelu"]
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
        model = open_clip.CLIP(**config).eval()
        model.load_state_dict(state, strict=True)
        return model


def open_folder(folder):
    if (folder / "open_clip_config.json").is_file():
        return OpenCLIP.open(folder)
    if (folder / "config.json").is_file():
        return HuggingFaceViT.open(folder)
    raise SystemExit(f"{folder}: neither config.json (Hugging Face) nor open_clip_config.json (open_clip) is there")
