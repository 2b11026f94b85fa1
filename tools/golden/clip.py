"""Makes the reference fixtures of CLIP: model folders with weights drawn anew, inputs, and what the references answer.

    clip.py --size reduced --out Tests/CLIPTests/Fixtures      small, committed, always tested
    clip.py --size full    --out .deps/golden                 ViT-B/16, RN50 and timm's towers, made by `make golden`

Each model folder gets, beside the files of its kind:

- `golden.safetensors`: `pixels` [n, 3, H, W] and `pixel_embeddings` [n, d]; `prepared` uint8 [m, H, W, 3], the pictures of
  `pictures/` after resize and crop and before normalisation, and `picture_embeddings` [m, d]; `tokens` int32 [t, context]
  and `text_embeddings` [t, d]; `logit_scale` (the natural logarithm, as stored) and `logits` [m, t].
  Embeddings have unit length. The metadata key `pictures` lists the file names.
- `golden.json`: what each planted mistake costs, as the greatest difference in a unit vector and the least cosine, and the
  reference's own rounding (float32 against float64).
- `gradients.safetensors`, of timm's towers alone: see `timm_towers.record_gradients`.

`MANIFEST.sha256` lists the checksum of every file written.
"""

import pathlib
import shutil
import sys

import reference
import torch
import transformers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import goldens
import houses
import pictures
import timm_towers
import train_bpe

def hugging_face(vision, text, embed, image_size, ids, act):
    config = transformers.CLIPConfig(
        projection_dim=embed,
        vision_config=dict(
            hidden_size=vision["width"], intermediate_size=4 * vision["width"], num_hidden_layers=vision["layers"],
            num_attention_heads=vision["width"] // 64, image_size=image_size, patch_size=vision["patch"], hidden_act=act,
            layer_norm_eps=1e-5, projection_dim=embed),
        text_config=dict(
            hidden_size=text["width"], intermediate_size=4 * text["width"], num_hidden_layers=text["layers"],
            num_attention_heads=text["width"] // 64, max_position_embeddings=text["context"], vocab_size=len(ids),
            hidden_act=act, layer_norm_eps=1e-5, projection_dim=embed, bos_token_id=len(ids) - 2,
            eos_token_id=len(ids) - 1, pad_token_id=len(ids) - 1),
    )
    preprocessing = CLIPImageProcessorPil(
        size={"shortest_edge": image_size}, crop_size={"height": image_size, "width": image_size})
    return houses.HuggingFaceViT(config, preprocessing)


def open_clip(vision, text, embed, image_size, ids, quick):
    vision_cfg = {"image_size": image_size, "layers": vision["layers"], "width": vision["width"]}
    if "patch" in vision:
        vision_cfg["patch_size"] = vision["patch"]
    config = {
        "embed_dim": embed,
        "quick_gelu": quick,
        "vision_cfg": vision_cfg,
        "text_cfg": {"context_length": text["context"], "vocab_size": len(ids), "width": text["width"],
                     "heads": text["width"] // 64, "layers": text["layers"]},
    }
    preprocessing = {"size": [image_size, image_size], "mode": "RGB", "mean": list(pictures.MEAN), "std": list(pictures.STD),
                     "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}
    return houses.OpenCLIP(config, preprocessing)


def reduced_models(ids):
    text = dict(width=64, layers=2, context=20)
    yield "vit-quickgelu-f16", torch.float16, hugging_face(
        dict(width=128, layers=1, patch=8), text, 64, 40, ids, "quick_gelu")
    yield "vit-gelu-bf16", torch.bfloat16, open_clip(dict(width=64, layers=2, patch=8), text, 32, 32, ids, False)
    yield "resnet-f32", torch.float32, open_clip(
        dict(width=4, layers=[1, 2, 1, 1]), dict(text, layers=1), 48, 64, ids, True)


    for name, dtype, trunk in timm_towers.REDUCED:
        yield name, dtype, timm_towers.house(trunk, text, len(ids))


def full_models(ids):
    text = dict(width=512, layers=12, context=77)
    yield "vit-b-16", torch.float32, hugging_face(dict(width=768, layers=12, patch=16), text, 512, 224, ids, "quick_gelu")
    yield "rn50", torch.float32, open_clip(dict(width=64, layers=[3, 4, 6, 3]), text, 1024, 224, ids, True)
    for name, dtype, trunk in timm_towers.FULL:
        yield name, dtype, timm_towers.house(trunk, text, len(ids))


def golden(name, dtype, house, folder, paths):
    goldens.draw(house, paths, dtype)
    house.save(folder, dtype)
    house = houses.open_folder(folder)  # from here on: what the file holds, as the reference library reads it
    goldens.record(name, house, folder, paths, str(dtype)[6:])
    if isinstance(house, timm_towers.OpenCLIP):
        timm_towers.record_gradients(house, folder)


def main():
    options, merges = goldens.beginning(__doc__, only="one model by its folder name")
    root = options.out / "models"
    ids = train_bpe.vocabulary(merges)
    paths = pictures.draw(root / "pictures", 45 if options.size == "reduced" else 224)
    models = reduced_models(ids) if options.size == "reduced" else full_models(ids)
    for name, dtype, house in models:
        if options.only in (None, name):
            shutil.rmtree(root / name, ignore_errors=True)
            golden(name, dtype, house, root / name, paths)
            train_bpe.write(root / name, merges)
    goldens.manifest(root)


if __name__ == "__main__":
    main()
