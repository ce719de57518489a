"""Runs roentgen and its peers in turn on the same weights and films, and prints the table.

    python -m venv .venv
    .venv/bin/pip install torch==2.13.0 torchvision==0.28.0 safetensors==0.8.0 numpy==2.4.6 \
        tensorflow-cpu==2.21.0 keras==3.15.1 onnxruntime==1.32.0
    cargo build --release
    .venv/bin/python benches/peers/compare.py [WORK...] [--pairs 5] [--steps 8] [--peers channels-last]

A work is `train:ARCHITECTURE:BATCH`, `predict:ARCHITECTURE:BATCH` or, for ONNX Runtime on both sides and the
file that we export, `onnx:ARCHITECTURE:BATCH`; those of the table are run where none
is named. Each pair is one process of each side, in turn, so that whatever else the machine does meets both.
The ratio is ours over theirs, smaller is better: its median over the pairs and its spread. Both sides must
begin with the same loss, within a thousandth.

On a GPU, with a build that has the feature: `--device vulkan --dtypes f32,bf16`. Theirs then runs on CUDA, once in
each of the types (bf16: within a hundredth of our loss), ours in float32; memory is the GPU's, as
`nvidia-smi` sees it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
ROENTGEN = Path(os.environ.get("ROENTGEN", HERE.parent.parent / "target/release/roentgen"))
WORKS = [
    "train:mobilenet:16",
    "train:mobilenet-v2:16",
    "train:vgg19:4",
    "train:densenet121:8",
    "train:resnet50:8",
    "predict:mobilenet-v2:1",
    "predict:mobilenet-v2:16",
    "onnx:mobilenet-v2:1",
    "onnx:mobilenet-v2:16",
]

parser = argparse.ArgumentParser()
parser.add_argument("works", nargs="*", default=WORKS)
parser.add_argument("--pairs", type=int, default=5)
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--peers", default="eager,channels-last,keras", help="which of them, parted by commas")
parser.add_argument("--device", default="cpu", help="ours; theirs is CUDA where it is not the CPU")
parser.add_argument("--dtypes", default="f32", help="theirs on a GPU, parted by commas")
args = parser.parse_args()
is_gpu = args.device != "cpu"


def gpu_mib():
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    return int(subprocess.run(query, capture_output=True, text=True).stdout.split()[0])


def run(command):
    threads = {name: str(args.threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")}
    ended, before, most = threading.Event(), gpu_mib() if is_gpu else 0, [0]

    def watch():
        while not ended.wait(0.2):
            most[0] = max(most[0], gpu_mib() - before)

    watcher = threading.Thread(target=watch, daemon=True)
    if is_gpu:
        watcher.start()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **threads})
    ended.set()
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1] if "python" in str(command[0]) else done.stdout)
    if is_gpu:
        watcher.join()
        found["peak_memory_mib"] = most[0]
    return found


def peers(architecture):
    asked = args.peers.split(",")
    layouts = [layout for layout in ("eager", "channels-last") if layout in asked]
    if is_gpu:
        kinds = args.dtypes.split(",")
        steps = [HERE / "torch_steps.py", "--device", "cuda", "--layout"]
        return [[*steps, layout, "--dtype", kind] for layout in layouts for kind in kinds]
    found = [[HERE / "torch_steps.py", "--layout", layout] for layout in layouts]
    if architecture == "mobilenet" and "keras" in asked:
        found.append([HERE / "keras_mobilenet.py"])
    return found


print("| work | peer | ours, ms (p95) | theirs, ms (p95) | time ratio (spread) | memory ratio | losses |")
print("|---|---|---|---|---|---|---|")
if is_gpu:
    # ONNX Runtime runs on the CPU on both sides.
    args.works = [work for work in args.works if not work.startswith("onnx:")]
for work in args.works:
    what, architecture, batch = work.split(":")
    steps = args.steps * (1 if what == "train" else 5)
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "shared.safetensors"
        make = "import sys, torch_networks as t; t.write_shared(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])"
        subprocess.run(
            [sys.executable, "-c", make, architecture, batch, str(args.size), str(shared)],
            check=True, env={**os.environ, "PYTHONPATH": str(HERE)},
        )
        on = ["--device", args.device] if is_gpu else []
        common = ["--steps", str(steps), "--threads", str(args.threads)]
        ours_command = [ROENTGEN, "bench", what, "--architecture", architecture, "--like", shared]
        ours_command += ["--json", *on]
        works = [
            [sys.executable, peer[0], what, architecture, shared, *peer[1:], *common]
            for peer in peers(architecture)
        ]
        if what == "onnx":
            model, exported = Path(folder) / "model", Path(folder) / "model.onnx"
            imported = ["--architecture", architecture, "--findings", "chexnet", "--out", model]
            run([ROENTGEN, "weights", "import", shared, *imported, "--size", str(args.size), "--json"])
            run([ROENTGEN, "export", model, "--out", exported, "--json"])
            ours_command[2:3] = ["predict", "--engine", "onnx", "--model", model]
            works = [[sys.executable, HERE / "onnx_steps.py", exported, shared, *common]]
        for peer_command in works:
            pairs = [(run(ours_command + common), run(peer_command)) for _ in range(args.pairs)]
            ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
            for a, b in pairs:
                difference = abs(a["first_loss"] - b["first_loss"]) / b["first_loss"]
                if difference > (1e-2 if "bf16" in peer_command else 1e-3):
                    sys.exit(f"{work}: the losses differ by {difference:.1e}: not the same work")
            ratios = sorted(a["median_ms"] / b["median_ms"] for a, b in pairs)
            memory = statistics.median(a["peak_memory_mib"] / b["peak_memory_mib"] for a, b in pairs)
            middle = lambda runs, key: statistics.median(run[key] for run in runs)
            print(
                f"| {what} {architecture}, batch {batch}, {args.size} px | {theirs[0]['peer']} "
                f"| {middle(ours, 'median_ms'):.1f} ({middle(ours, 'p95_ms'):.1f}) "
                f"| {middle(theirs, 'median_ms'):.1f} ({middle(theirs, 'p95_ms'):.1f}) "
                f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) | {memory:.2f} "
                f"| {ours[0]['first_loss']:.5f}, {theirs[0]['first_loss']:.5f} |",
                flush=True,
            )
