"""Writes the Grad-CAM and Grad-CAM++ maps of the package `grad-cam`, for the tests of roentgen-models.

    pip install torch==2.13.0 torchvision==0.28.0 timm==1.0.31 grad-cam==1.5.7 numpy==2.4.6
    pip install --no-deps pretrainedmodels==0.7.4 munch==4.0.0
    python scripts/grad_cam.py

Networks are filled by the formula of `parity.py`, so no weights need to be shipped. Two films of
8-bit gray in three channels, scaled to -1..1: a coarse pattern with noise over it. Each film is
explained for an output of its own.

MobileNetV2 and ResNet-50 have a linear head on the mean of the feature map. Gradients behind such a
head are the same everywhere, so DenseNet-121 has the head with attention, whose parameters are filled
by their own names and shapes (dense weights are `[inputs, outputs]`).

The fixture has every eighth pixel of each map in the size of the films, as the package returns it:
between 0 and 1.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from parity import formula, noise, torch_networks

SIZE = 160
FINDINGS = 14
CELL = 20
STEP = 8
OUTPUTS = [3, 1]
OUT = Path(__file__).parent.parent / "crates/roentgen-models/tests/parity/grad-cam.json"


def films():
    """Films of 8-bit gray, [2, SIZE, SIZE]."""
    cells = SIZE // CELL
    coarse = noise("coarse", len(OUTPUTS) * cells * cells).reshape(-1, cells, cells)
    coarse = coarse.repeat(CELL, axis=1).repeat(CELL, axis=2)
    fine = noise("fine", len(OUTPUTS) * SIZE * SIZE).reshape(-1, SIZE, SIZE)
    return np.floor((0.7 * coarse + 0.3 * fine + 1) / 2 * 255)


class Network(torch.nn.Module):
    def __init__(self, name):
        super().__init__()
        build, self.features = torch_networks()[name][:2]
        self.backbone = build()
        with torch.no_grad():
            for tensor_name, tensor in self.backbone.state_dict().items():
                if not tensor_name.endswith("num_batches_tracked"):
                    tensor.copy_(torch.from_numpy(formula(tensor_name, tuple(tensor.shape))))
        # The layer that the package watches.
        self.last = torch.nn.Identity()
        self.head = attention if name == "densenet121" else linear

    def forward(self, films):
        return self.head(self.last(self.features(self.backbone, films)))


def tensor(name, *shape):
    return torch.from_numpy(formula(name, shape))


def linear(features):
    weight = tensor("head.weight", FINDINGS, features.shape[1])
    return features.mean((2, 3)) @ weight.T + tensor("head.bias", FINDINGS)


def attention(features):
    """The head of `roentgen-models/src/attention.rs`, in inference."""
    channels = features.shape[1]
    own = lambda name, *shape: tensor(f"attention.{name}", *shape)
    x = F.batch_norm(
        features,
        own("norm.running_mean", channels),
        own("norm.running_var", channels),
        own("norm.gamma", channels),
        own("norm.beta", channels),
    )
    inputs = channels
    for number, outputs in enumerate([128, 32, 16]):
        weight = own(f"convs.{number}.weight", outputs, inputs, 1, 1)
        x = F.elu(F.conv2d(x, weight, own(f"convs.{number}.bias", outputs)))
        inputs = outputs
    x = F.avg_pool2d(F.pad(x, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
    mask = torch.sigmoid(F.conv2d(x, own("mask.weight", 1, inputs, 1, 1), own("mask.bias", 1)))
    pooled = (features * mask).mean((2, 3)) / (mask.mean((2, 3)) + 1e-6)
    x = F.elu(pooled @ tensor("head.hidden.weight", channels, 128) + tensor("head.hidden.bias", 128))
    return x @ tensor("head.logits.weight", 128, FINDINGS) + tensor("head.logits.bias", FINDINGS)


def main():
    gray = films()
    batch = torch.from_numpy(((gray - 127.5) / 127.5).astype(np.float32))[:, None].repeat(1, 3, 1, 1)
    fixture = {"size": SIZE, "cell": CELL, "step": STEP, "outputs": OUTPUTS, "networks": {}}
    for name in ["mobilenet-v2", "resnet50", "densenet121"]:
        network = Network(name).eval()
        with torch.no_grad():
            logits = network(batch)
        found = {"logits": [logits[film, out].item() for film, out in enumerate(OUTPUTS)]}
        for method, package in [("grad-cam", GradCAM), ("grad-cam++", GradCAMPlusPlus)]:
            with package(model=network, target_layers=[network.last]) as cam:
                maps = cam(input_tensor=batch, targets=[ClassifierOutputTarget(o) for o in OUTPUTS])
            # Half a step in, so that no pixel is beyond the centers of the outer cells for all maps.
            maps = maps[:, STEP // 2 :: STEP, STEP // 2 :: STEP]
            assert all(map_.max() - map_.min() > 0.5 for map_ in maps), "a flat map proves nothing"
            found[method] = [[round(float(v), 6) for v in map_.ravel()] for map_ in maps]
        fixture["networks"][name] = found
        print(name, found["logits"])
    OUT.write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
