"""MobileNetV2 with drawn weights under torchvision's names, and safetensors files."""

import json
import struct

import numpy as np

# Expansion, channels, blocks and stride of each stage (table 2 of the paper).
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
          (6, 320, 1, 1)]
FEATURES = 1280


def backbone(seed=1, channels=3):
    draw = np.random.default_rng(seed)
    tensors = {}

    def conv_norm(name, norm, shape):
        fan_in = int(np.prod(shape[1:]))
        tensors[f"{name}.weight"] = draw.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)
        out = shape[0]
        for part, values in [("weight", np.ones(out)), ("bias", np.zeros(out)),
                             ("running_mean", np.zeros(out)), ("running_var", np.ones(out))]:
            tensors[f"{norm}.{part}"] = values.astype(np.float32)

    conv_norm("features.0.0", "features.0.1", (32, channels, 3, 3))
    number, width = 1, 32
    for expansion, out, blocks, _ in STAGES:
        for _ in range(blocks):
            inner, at = width * expansion, 0
            if expansion > 1:
                conv_norm(f"features.{number}.conv.0.0", f"features.{number}.conv.0.1", (inner, width, 1, 1))
                at = 1
            name = f"features.{number}.conv"
            conv_norm(f"{name}.{at}.0", f"{name}.{at}.1", (inner, 1, 3, 3))
            conv_norm(f"{name}.{at + 1}", f"{name}.{at + 2}", (out, inner, 1, 1))
            number, width = number + 1, out
    conv_norm("features.18.0", "features.18.1", (FEATURES, width, 1, 1))
    return tensors


def head(outputs, seed=2):
    draw = np.random.default_rng(seed)
    return {"classifier.1.weight": draw.normal(0, 0.02, (outputs, FEATURES)).astype(np.float32),
            "classifier.1.bias": draw.normal(0, 0.1, outputs).astype(np.float32)}


def behind(prefix, tensors, factor=1.0):
    return {prefix + name: values * np.float32(factor) for name, values in tensors.items()}


KINDS = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}


def save(path, tensors, metadata=None):
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, values in tensors.items():
        header[name] = {"dtype": KINDS[str(values.dtype)], "shape": list(values.shape),
                        "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values).tobytes())


def load(path):
    types = {short: np.dtype(name) for name, short in KINDS.items()}
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensor = lambda of: np.frombuffer(data, types[of["dtype"]], offset=8 + length + of["data_offsets"][0],
                                      count=int(np.prod(of["shape"]))).reshape(of["shape"])
    return {name: tensor(of) for name, of in header.items()}
