"""Writes small checkpoints as PyTorch writes them, for the tests of roentgen-models.

    pip install torch==2.13.0 numpy==2.4.6
    python scripts/checkpoints.py

`zip.pth` is today's format, `legacy.pth.tar` that of PyTorch before 1.6, in which the checkpoints of
CheXNet's re-implementations were published: both hold a trained network as those do, its tensors
under `state_dict` behind `module.`, beside an epoch, a figure and an optimizer. `half.pth` is in half
precision and turned, so that its values do not lie in the order of its axes. `company.ckpt` keeps
everything else beside the weights that checkpoints keep: arguments, subclasses of dictionaries and
lists of packages that are not installed, objects that refer to themselves. `module.pt` is a whole
network, with a buffer that its state dictionary leaves out.
"""

import argparse
import collections
import datetime
import enum
import pathlib
import sys
import types
from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).parent.parent / "crates/roentgen-models/tests/checkpoints"


def foreign(module, name, bases):
    """A class of a package that is not installed."""
    made = type(name, bases, {"__module__": module})
    sys.modules.setdefault(module, types.ModuleType(module))
    setattr(sys.modules[module], name, made)
    return made


def company(state):
    Attributes = foreign("lightning_parsing", "AttributeDict", (dict,))
    Listed = foreign("project_config", "Listed", (list,))
    Callback = foreign("project_config", "Callback", (object,))
    Kind = enum.Enum("Kind", ["CXR"], module="project_config")
    sys.modules["project_config"].Kind = Kind
    circle = Callback()
    circle.trainer, circle.model = circle, Callback()
    circle.model.callbacks = [circle, circle.model]
    nodes = collections.deque([1, circle])
    return {
        "state_dict": state,
        "hyper_parameters": Attributes(lr=1e-3, root=pathlib.PurePosixPath("/data"), kind=Kind.CXR),
        "args": argparse.Namespace(lr=0.1, device=torch.device("cuda:0"), dtype=torch.float16),
        "listed": Listed([1, {2, 3}, frozenset([4]), slice(1, 2), 1 + 2j, 1 << 80, b"\x00\xff"]),
        "counts": collections.Counter("aab"),
        "lists": collections.defaultdict(list, {(0, 1): [None], None: 2.5, True: "x"}),
        "numbers": [np.float64(0.5), np.arange(3.0), np.array(["Mass", None], dtype=object)],
        "when": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
        "circle": circle,
        "nodes": nodes,
        "function": torch.nn.functional.relu,
        "generator": torch.Generator().get_state(),
        "sparse": torch.eye(2).to_sparse(),
        "scripts": {"nan": float("nan"), "text": "Röntgen"},
    }


def main():
    OUT.mkdir(exist_ok=True)
    weight = torch.nn.Parameter(torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4)
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "arch": "densenet121",
        "best_mAP": 0.5,
        "state_dict": {
            "module.classifier.0.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
            "module.classifier.0.bias": torch.tensor([-1.5, 2.0]),
            "module.norm0.num_batches_tracked": torch.tensor(7),
        },
        "optimizer": optimizer.state_dict(),
    }
    torch.save(checkpoint, OUT / "zip.pth")
    torch.save(checkpoint, OUT / "legacy.pth.tar", _use_new_zipfile_serialization=False)
    torch.save({"weight": torch.arange(6).reshape(3, 2).T.half() / 4}, OUT / "half.pth")
    torch.save(company(checkpoint["state_dict"]), OUT / "company.ckpt")
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    network.load_state_dict(
        {
            "0.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
            "0.bias": torch.tensor([-1.5, 2.0]),
            "1.weight": torch.ones(2),
            "1.bias": torch.zeros(2),
            "1.running_mean": torch.tensor([0.5, 0.25]),
            "1.running_var": torch.ones(2),
            "1.num_batches_tracked": torch.tensor(7),
        }
    )
    network.loss = torch.nn.BCELoss()
    network.register_buffer("scratch", torch.zeros(2), persistent=False)
    network.seen = torch.ones(3)
    torch.save(network, OUT / "module.pt")


if __name__ == "__main__":
    main()
