"""Trains or predicts as `roentgen bench --like FILE` does, in PyTorch: prints JSON.

    python benches/peers/torch_steps.py train|predict ARCHITECTURE FILE --layout channels-last --steps 8 \
        [--device cuda] [--dtype bf16]

`bf16` is PyTorch's automatic mixed precision: weights and losses stay in float32.
"""

import argparse

import torch

import torch_networks
from measure import measure

parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["train", "predict"])
parser.add_argument("architecture")
parser.add_argument("file")
parser.add_argument("--layout", choices=["eager", "channels-last"], default="channels-last")
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
args = parser.parse_args()

torch.set_num_threads(args.threads)
model, films, targets = torch_networks.read_shared(args.architecture, args.file)
if args.layout == "channels-last":
    model = model.to(memory_format=torch.channels_last)
    films = films.contiguous(memory_format=torch.channels_last)
model = model.to(args.device)
films, targets = films.to(args.device), targets.to(args.device)
mixed = lambda: torch.autocast(args.device, torch.bfloat16, enabled=args.dtype == "bf16")
loss_of = torch.nn.functional.binary_cross_entropy_with_logits
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
model.train(args.what == "train")


def step():
    if args.what == "predict":
        with torch.inference_mode(), mixed():
            return loss_of(model(films), targets).item()
    optimizer.zero_grad(set_to_none=True)
    with mixed():
        loss = loss_of(model(films), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


where = "" if args.device == "cpu" else f" {args.device} {args.dtype}"
measure(f"PyTorch {torch.__version__} {args.layout}{where}", len(films), args.steps, step)
