"""Writes what torchxrayvision's DenseNet computes, for the tests of roentgen-models.

    pip install torch==2.13.0 torchvision==0.28.0 torchxrayvision==1.4.0
    python scripts/xrv.py            # writes the fixture
    python scripts/xrv.py FOLDER     # for the live test: a model of random weights

The fixture: the package's network, 18 outputs and one channel, filled by the formula of `parity.py`;
two films of 8-bit gray given by the same formula, scaled by the package's own `normalize`. Its first
norm's statistics are those of inputs in -1024..1024, so that no later value is out of the ordinary.

The live test: FOLDER/model.pt, a whole network of random weights saved as the package publishes its
own, FOLDER/films.bin, films of 224 x 224 bytes, and on standard output the logits.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchxrayvision as xrv

from parity import formula, noise

SIZE = 224
FILMS = 2
RANGE = 1024
OUT = Path(__file__).parent.parent / "crates/roentgen-models/tests/torchxrayvision.json"


def films():
    """Films of 8-bit gray."""
    gray = (noise("gray", FILMS * SIZE * SIZE) + 1) / 2 * 255
    return np.floor(gray).astype(np.uint8).reshape(FILMS, 1, SIZE, SIZE)


def logits(network, films):
    scaled = np.stack([xrv.utils.normalize(film, 255) for film in films])
    with torch.no_grad():
        return network.eval()(torch.from_numpy(scaled)).double().tolist()


def filled():
    """The network with the formula's values."""
    network = xrv.models.DenseNet(weights=None)
    tensors = network.state_dict()
    for name, tensor in tensors.items():
        if name.endswith("num_batches_tracked"):
            continue
        values = torch.from_numpy(formula(name, tuple(tensor.shape)))
        if name == "features.norm0.running_mean":
            values *= RANGE
        if name == "features.norm0.running_var":
            values *= RANGE**2
        tensor.copy_(values)
    network.load_state_dict(tensors)
    return network


def random(folder):
    """A network of random weights whose norms have seen the films once."""
    torch.manual_seed(2018)
    network = xrv.models.DenseNet(weights=None)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    torch.nn.init.normal_(network.classifier.weight, std=0.2)
    torch.nn.init.normal_(network.classifier.bias, std=1.0)
    gray = films()
    scaled = np.stack([xrv.utils.normalize(film, 255) for film in gray])
    with torch.no_grad():
        network.train()(torch.from_numpy(scaled))
    torch.save(network.eval(), folder / "model.pt")
    (folder / "films.bin").write_bytes(gray.tobytes())
    print(json.dumps(logits(network, gray)))


def main():
    if len(sys.argv) > 1:
        return random(Path(sys.argv[1]))
    OUT.write_text(json.dumps({"logits": logits(filled(), films())}) + "\n")


if __name__ == "__main__":
    main()
