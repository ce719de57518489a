"""Runs roentgen and its peers in turn on the same weights and films, and prints the table.

    python -m venv .venv
    .venv/bin/pip install torch==2.13.0 torchvision==0.28.0 safetensors==0.8.0 numpy==2.4.6 \
        tensorflow-cpu==2.21.0 keras==3.15.1
    cargo build --release
    .venv/bin/python benches/peers/compare.py [WORK...] [--pairs 5] [--steps 8] [--peers channels-last]

A work is `train:ARCHITECTURE:BATCH` or `predict:ARCHITECTURE:BATCH`; those of the table are run where none
is named. Each pair is one process of each side, in turn, so that whatever else the machine does meets both.
The ratio is ours over theirs, smaller is better: its median over the pairs and its spread. Both sides must
begin with the same loss, within a thousandth.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
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
]

parser = argparse.ArgumentParser()
parser.add_argument("works", nargs="*", default=WORKS)
parser.add_argument("--pairs", type=int, default=5)
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--peers", default="eager,channels-last,keras", help="which of them, parted by commas")
args = parser.parse_args()


def run(command):
    threads = {name: str(args.threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **threads})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1] if "python" in str(command[0]) else done.stdout)


def peers(architecture):
    asked = args.peers.split(",")
    layouts = [layout for layout in ("eager", "channels-last") if layout in asked]
    found = [[HERE / "torch_steps.py", "--layout", layout] for layout in layouts]
    if architecture == "mobilenet" and "keras" in asked:
        found.append([HERE / "keras_mobilenet.py"])
    return found


print("| work | peer | ours, ms (p95) | theirs, ms (p95) | time ratio (spread) | memory ratio | losses |")
print("|---|---|---|---|---|---|---|")
for work in args.works:
    what, architecture, batch = work.split(":")
    steps = args.steps * (5 if what == "predict" else 1)
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "shared.safetensors"
        make = "import sys, torch_networks as t; t.write_shared(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])"
        subprocess.run(
            [sys.executable, "-c", make, architecture, batch, str(args.size), str(shared)],
            check=True, env={**os.environ, "PYTHONPATH": str(HERE)},
        )
        common = ["--steps", str(steps), "--threads", str(args.threads)]
        ours_command = [ROENTGEN, "bench", what, "--architecture", architecture, "--like", shared, "--json"]
        for peer in peers(architecture):
            peer_command = [sys.executable, peer[0], what, architecture, shared, *peer[1:], *common]
            pairs = [(run(ours_command + common), run(peer_command)) for _ in range(args.pairs)]
            ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
            for a, b in pairs:
                difference = abs(a["first_loss"] - b["first_loss"]) / b["first_loss"]
                if difference > 1e-3:
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
