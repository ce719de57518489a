"""Writes small checkpoints as PyTorch writes them, for the tests of roentgen-models.

    pip install torch==2.13.0
    python scripts/checkpoints.py

`zip.pth` is today's format, `legacy.pth.tar` that of PyTorch before 1.6, in which the checkpoints of
CheXNet's re-implementations were published: both hold a trained network as those do, its tensors
under `state_dict` behind `module.`, beside an epoch, a figure and an optimizer. `half.pth` is in half
precision and turned, so that its values do not lie in the order of its axes.
"""

from pathlib import Path

import torch

OUT = Path(__file__).parent.parent / "crates/roentgen-models/tests/checkpoints"


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


if __name__ == "__main__":
    main()
