"""Trains and predicts with PyTorch on a GPU as `roentgen bench --like FILE` does: a JSON line for each network and type.

    python benches/peers/torch_gpu.py FOLDER [--networks mobilenet,resnet50] [--batch 64] [--size 224] [--steps 20]
        [--dtypes bf16,f16,f32] [--what train,predict] [--compile]

FOLDER gets `NETWORK.safetensors`, the weights, films and targets that both sides read, where it has none. Layout is
channels-last, cuDNN tries its algorithms (`benchmark`), types of 16 bits are PyTorch's automatic mixed precision, and each
step ends with reading the loss, as ours does. `f32` multiplies in float: TF32 is off.
"""

import argparse
import json
import time
from pathlib import Path

import torch

import torch_networks

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--networks", default="mobilenet,mobilenet-v2,resnet50,densenet121,vgg19")
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--dtypes", default="bf16,f16,f32")
parser.add_argument("--what", default="train,predict")
parser.add_argument("--compile", action="store_true")
args = parser.parse_args()

torch.backends.cudnn.benchmark = True
TYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
loss_of = torch.nn.functional.binary_cross_entropy_with_logits


def measured(network, what, dtype, path):
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    model, films, targets = torch_networks.read_shared(network, path)
    model = model.to("cuda", memory_format=torch.channels_last).train(what == "train")
    films = films.to("cuda", memory_format=torch.channels_last)
    targets = targets.to("cuda")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cuda", enabled=dtype == "f16")
    mixed = lambda: torch.autocast("cuda", TYPES[dtype], enabled=dtype != "f32")
    forward = torch.compile(model) if args.compile else model

    def step():
        if what == "predict":
            with torch.inference_mode(), mixed():
                return loss_of(forward(films), targets).item()
        optimizer.zero_grad(set_to_none=True)
        with mixed():
            loss = loss_of(forward(films), targets)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    began = time.perf_counter()
    first = step()
    first_ms = (time.perf_counter() - began) * 1e3
    for _ in range(5):
        step()
    times = []
    for _ in range(args.steps):
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    peer = f"PyTorch {torch.__version__}{' compiled' if args.compile else ''}"
    return {
        "peer": peer, "what": what, "architecture": network, "precision": dtype, "batch": args.batch, "size": args.size,
        "first_loss": first, "first_ms": first_ms, "median_ms": times[len(times) // 2],
        "p95_ms": times[round((len(times) - 1) * 0.95)], "gpu_mib": torch.cuda.max_memory_reserved() / 2**20,
    }


args.folder.mkdir(parents=True, exist_ok=True)
for network in args.networks.split(","):
    path = args.folder / f"{network}.safetensors"
    if not path.exists():
        torch_networks.write_shared(network, args.batch, args.size, str(path))
    for what in args.what.split(","):
        for dtype in args.dtypes.split(","):
            try:
                print(json.dumps(measured(network, what, dtype, path)), flush=True)
            except Exception as error:
                print(json.dumps({"architecture": network, "precision": dtype, "error": str(error)[:300]}), flush=True)
