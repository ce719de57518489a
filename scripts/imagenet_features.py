"""Writes what ImageNet weights see in ten films, by torchvision and by TensorFlow.

    pip install torch==2.13.0 torchvision==0.28.0 tensorflow-cpu==2.21.0 numpy==2.4.6 \
        pillow==13.0.0 safetensors==0.8.0
    python scripts/imagenet_features.py SHARED_DATA

SHARED_DATA holds `weights/` and `nih-2512/`, as the tests of roentgen-models expect. The films are
the first ten by name; of their 256 pixels the middle 224 are taken, so that nothing is resized.
MobileNetV2's tensors come in torchvision's order under older names; MobileNetV1's norms are folded
into its convolutions, which TensorFlow runs here one by one.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.numpy import load_file

OUT = Path(__file__).parent.parent / "crates/roentgen-models/tests/imagenet.json"
FILMS = 10
SLICE = 12


def films(folder):
    paths = sorted((folder / "nih-2512").rglob("*.png"))[:FILMS]
    planes = []
    for path in paths:
        pixels = np.asarray(Image.open(path))
        plane = pixels[..., 0] if pixels.ndim == 3 else pixels
        planes.append(plane[16:240, 16:240])
    return [path.name for path in paths], np.stack(planes)


def slices(maps):
    """Per film: the first values and some from the middle of the map, channels first, and its mean."""
    found = []
    for values in maps.astype(np.float64):
        flat = values.ravel()
        middle = flat.size // 2
        found.append(
            {
                "first": flat[:SLICE].tolist(),
                "middle": flat[middle : middle + SLICE].tolist(),
                "means": values.mean((1, 2))[:SLICE].tolist(),
            }
        )
    return found


def mobilenet_v2(folder, planes):
    stored = torch.load(folder / "weights/mobilenet_v2_imagenet.pt", map_location="cpu")
    model = torchvision.models.mobilenet_v2()
    names = [name for name in model.state_dict() if not name.startswith("classifier")]
    assert len(names) == len(stored)
    state = dict(zip(names, stored.values()))
    assert not model.load_state_dict(state, strict=False).unexpected_keys
    model.eval()
    gray = torch.from_numpy(planes.copy()).float()[:, None] / 255
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        return model.features((gray.expand(-1, 3, -1, -1) - mean) / std).numpy()


def mobilenet(folder, planes):
    import tensorflow as tf

    stored = load_file(folder / "weights/mobilenet_v1_imagenet_bn_folded.safetensors")
    find = lambda layer, kind: next(
        stored[name] for name in stored if f"/{layer}/" in name and kind in name
    )
    x = tf.constant(np.repeat(planes[..., None].astype(np.float32) / 127.5 - 1, 3, axis=3))
    strides = {2: 2, 4: 2, 6: 2, 12: 2}

    def dense(x, layer, stride):
        kernel = find(layer, "_Fold;").transpose(1, 2, 3, 0)
        x = tf.nn.conv2d(x, kernel, stride, "SAME")
        return tf.nn.relu6(x + find(layer, "BatchNorm_Fold/bias"))

    x = dense(x, "Conv2d_0", 2)
    for number in range(1, 14):
        stride = strides.get(number, 1)
        layer = f"Conv2d_{number}_depthwise"
        kernel = find(layer, "_Fold;").transpose(1, 2, 3, 0)
        x = tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")
        x = tf.nn.relu6(x + find(layer, "BatchNorm_Fold/bias"))
        x = dense(x, f"Conv2d_{number}_pointwise", 1)
    return x.numpy().transpose(0, 3, 1, 2)


def main():
    folder = Path(sys.argv[1])
    names, planes = films(folder)
    features = {
        "mobilenet-v2": mobilenet_v2(folder, planes),
        "mobilenet": mobilenet(folder, planes),
    }
    rounded = lambda o: (
        {k: rounded(v) for k, v in o.items()} if isinstance(o, dict)
        else [rounded(v) for v in o] if isinstance(o, list)
        else float(f"{o:.8g}") if isinstance(o, float) else o
    )
    fixture = {"films": names}
    for name, maps in features.items():
        fixture[name] = {"shape": list(maps.shape), "films": slices(maps)}
    OUT.write_text(json.dumps(rounded(fixture)) + "\n")


if __name__ == "__main__":
    main()
