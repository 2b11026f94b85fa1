"""The server that `Benchmarks/peer.py` compares with: FastAPI, uvicorn, eager PyTorch and open_clip, as one would write it in Python.

    python Benchmarks/peer_server.py MODEL_FOLDER VECTORS.safetensors --data DIR [--port 0] [--at-once 40] [--torch-threads 2]

The model stays loaded, the catalogue's vectors are one matrix, and a query is compared with all of them: matmul, then topk. Pictures are decoded
by Pillow and prepared by open_clip's own transform. `POST /api/search` (`image`, `top_k`) answers
`{"similar_images": [{"url", "score", "rank", "label"}]}`, `GET /images/{name}` the picture. The endpoint is a plain function, which FastAPI calls
on its pool of threads; --at-once is the size of that pool, 40 by default as FastAPI has it.

VECTORS is what `stylefinder features` writes: unit vectors [n, d], with the pictures' paths below DIR. Needs, beside `make reference`:
`pip install fastapi 'uvicorn[standard]' python-multipart` (uvicorn then runs on uvloop and httptools).
"""

import argparse
import contextlib
import io
import json
import pathlib
import socket
import sys
from typing import Annotated

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/golden"))
import reference  # noqa: E402, F401
import anyio.to_thread  # noqa: E402
import open_clip  # noqa: E402
import torch  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI, File, Form, HTTPException, UploadFile  # noqa: E402
from fastapi.responses import FileResponse  # noqa: E402
from PIL import Image, UnidentifiedImageError  # noqa: E402
from safetensors import safe_open  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("vectors")
parser.add_argument("--data", type=pathlib.Path, required=True)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--at-once", type=int, default=40)
parser.add_argument("--torch-threads", type=int)
options = parser.parse_args()

if options.torch_threads:
    torch.set_num_threads(options.torch_threads)
model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{options.folder}", precision="fp32")
model.eval()
with safe_open(options.vectors, framework="pt") as file:
    names = json.loads(file.metadata()["image_paths"])
    # [d, n], so that a query [1, d] is one multiplication away from its scores.
    gallery = file.get_tensor("features").T.contiguous()
labels = {}
with (options.data / "manifest.jsonl").open() as manifest:
    for line in manifest:
        row = json.loads(line)
        labels[row["image"]] = row["product_id"]


@contextlib.asynccontextmanager
async def lifespan(_):
    anyio.to_thread.current_default_thread_limiter().total_tokens = options.at_once
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/api/search")
def search(image: Annotated[UploadFile, File()], top_k: Annotated[int, Form(ge=1, le=200)] = 10):
    try:
        picture = Image.open(io.BytesIO(image.file.read())).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise HTTPException(422, f"The image can't be read: {error}") from error
    with torch.inference_mode():
        query = model.encode_image(prepare(picture).unsqueeze(0), normalize=True)
        scores, places = (query @ gallery).squeeze(0).topk(min(top_k, gallery.shape[1]))
    return {"similar_images": [
        {"url": f"/images/{names[place]}", "score": score, "rank": rank, "label": labels[names[place]]}
        for rank, (score, place) in enumerate(zip(scores.tolist(), places.tolist()), 1)]}


@app.get("/images/{name:path}")
def picture(name: str):
    if name not in labels:
        raise HTTPException(404, "There is no such image.")
    return FileResponse(options.data / name)


@app.get("/healthz")
def health():
    return {"status": "ok"}


# A client that waits for the other server keeps its connection. Bound here: whoever started it is told the port, and none is taken in between.
listening = socket.create_server(("127.0.0.1", options.port))
print(json.dumps({"port": listening.getsockname()[1], "torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_keep_alive=300)).run(sockets=[listening])
