"""Image embedding beside eager PyTorch, OpenVINO and ONNX Runtime, in float32 and int8: interleaved rounds, medians.

    python Benchmarks/encoders.py PROGRAM ARCHITECTURE [--batches 1 16] [--rounds 5] [--work DIR]
        [--peers eager compile openvino openvino-int8 onnx-int8] [--precisions float32 int8]

PROGRAM is the built EncoderBenchmark, ARCHITECTURE as open_clip calls it (ViT-B-16-quickgelu, RN50-quickgelu, ViT-L-14-quickgelu), its
weights drawn from a seed: their values do not matter to the time. All get prepared pixels and give embeddings in float32, with as many
threads. OpenVINO's int8 model is NNCF's, for ViTs with its settings for transformers; ONNX Runtime's is its own quantisation, of ViTs
dynamic and of ResNets static. All models are kept in DIR for a next run. Peers are taken in turns within each round, ours among them,
and every ratio is of one round. `make bench-encoders` installs the peers and runs all of it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("architecture")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--peers", nargs="+", default=["eager", "openvino", "openvino-int8", "onnx-int8"])
parser.add_argument("--precisions", nargs="+", default=["float32", "int8"])
parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(".deps/peers"))
options = parser.parse_args()

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/golden"))
import numpy as np  # noqa: E402
import reference  # noqa: E402, F401
import open_clip  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(options.threads)
torch.manual_seed(1)
whole = open_clip.create_model(options.architecture, pretrained=None).eval()
model = whole.visual
side = model.image_size[0] if isinstance(model.image_size, (tuple, list)) else model.image_size
is_transformer = options.architecture.startswith("ViT")
options.work.mkdir(parents=True, exist_ok=True)


def folder():
    """The same weights as a model folder of open_clip's."""
    path = options.work / options.architecture
    if not (path / "open_clip_config.json").exists():
        from safetensors.torch import save_file
        path.mkdir(exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in whole.state_dict().items()}, path / "open_clip_model.safetensors")
        preprocessing = {"mean": list(open_clip.OPENAI_DATASET_MEAN), "std": list(open_clip.OPENAI_DATASET_STD), "size": [side, side],
                         "mode": "RGB", "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}
        (path / "open_clip_config.json").write_text(json.dumps(
            {"model_cfg": open_clip.get_model_config(options.architecture), "preprocess_cfg": preprocessing}))
    return path


def noise(count, seed=None):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 3, side, side)).astype(np.float32)


def calibration():
    return [noise(1, seed) for seed in range(32)]


def onnx_file():
    path = options.work / f"{options.architecture}.onnx"
    if not path.exists():
        torch.onnx.export(model, (torch.from_numpy(noise(2)),), str(path), dynamo=False, opset_version=17,
                          input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
    return path


class Eager:
    def __init__(self):
        self.run = model

    def __call__(self, pixels):
        with torch.no_grad():
            return self.run(torch.from_numpy(pixels)).numpy()


class Compiled(Eager):
    def __init__(self):
        self.run = torch.compile(model)


class OpenVINO:
    def __init__(self, int8):
        import openvino
        core = openvino.Core()
        if int8:
            path = options.work / f"{options.architecture}-int8.xml"
            if not path.exists():
                import nncf
                kind = {"model_type": nncf.ModelType.TRANSFORMER} if is_transformer else {}
                rounded = nncf.quantize(core.read_model(onnx_file()), nncf.Dataset(calibration()), subset_size=32, **kind)
                openvino.save_model(rounded, path)
        else:
            path = onnx_file()
        # float32 unless the model says otherwise: a processor with bf16 would use that by itself.
        self.compiled = core.compile_model(core.read_model(path), "CPU", {
            "INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})

    def __call__(self, pixels):
        return self.compiled(pixels)[0]


class OnnxInt8:
    def __init__(self):
        import onnxruntime
        from onnxruntime import quantization
        path = options.work / f"{options.architecture}-int8.onnx"
        if not path.exists():
            if is_transformer:
                quantization.quantize_dynamic(onnx_file(), path, weight_type=quantization.QuantType.QInt8, per_channel=True,
                                              op_types_to_quantize=["MatMul", "Gemm"])
            else:
                samples = iter([{"x": pixels} for pixels in calibration()])
                reader = type("Reader", (quantization.CalibrationDataReader,), {"get_next": lambda self: next(samples, None)})()
                quantization.quantize_static(onnx_file(), path, reader, per_channel=True)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        self.session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])

    def __call__(self, pixels):
        return self.session.run(None, {"x": pixels})[0]


class Ours:
    def __init__(self, precision):
        self.process = subprocess.Popen(
            [options.program, folder(), str(options.threads), precision], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.says = self.process.stdout.readline().strip()

    def time(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


makers = {"eager": Eager, "compile": Compiled, "openvino": lambda: OpenVINO(False), "openvino-int8": lambda: OpenVINO(True),
          "onnx-int8": OnnxInt8}
peers = {}
for name in options.peers:
    start = time.perf_counter()
    peers[name] = makers[name]()
    print(f"{name}: ready in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
ours = {precision: Ours(precision) for precision in options.precisions}
for precision, program in ours.items():
    print(f"ours {precision}: {program.says}", file=sys.stderr, flush=True)


def timed(name, count):
    if name in ours:
        return ours[name].time(count)
    pixels = noise(count)
    start = time.perf_counter()
    peers[name](pixels)
    return (time.perf_counter() - start) * 1000


names = list(ours) + list(peers)
for count in options.batches:
    repeats = max(1, 4 // count)
    for name in names:
        timed(name, count), timed(name, count)
    rounds = []
    for number in range(options.rounds):
        order = names[number % len(names):] + names[:number % len(names)]
        rounds.append({name: statistics.median(timed(name, count) for _ in range(repeats)) for name in order})
    line = {"what": f"{options.architecture} image tower, batch {count}, {options.threads} threads",
            "ms": {name: round(statistics.median(r[name] for r in rounds), 1) for name in names}}
    for mine in ours:
        line[f"{mine} speed-up over"] = {
            name: round(statistics.median(r[name] / r[mine] for r in rounds), 3) for name in names if name != mine}
    print(json.dumps(line), flush=True)
for program in ours.values():
    program.process.stdin.close()
    program.process.wait()
