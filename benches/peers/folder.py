"""A folder of 1024-px films to a table of scores, ours and Python's in turn: prints the table's row.

    python3 -m venv .venv && .venv/bin/pip install onnxruntime==1.32.0 pillow==13.0.0 numpy==2.4.6
    cargo build --release
    .venv/bin/python benches/peers/folder.py MODEL FOLDER [--pairs 5]

MODEL is a run or imported directory with fixed normalization (ImageNet's). Ours is `roentgen predict --engine
onnx`, and Burn beside it; theirs is what one would write in Python: two processes that decode and resize with
Pillow, ONNX Runtime on the exported file in batches of 16. Whole commands, start and imports with them. The
largest difference of the probabilities is printed: films are resized by two programs, so it is not zero.
"""

import argparse
import csv
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROENTGEN = os.environ.get("ROENTGEN", str(HERE.parent.parent / "target/release/roentgen"))

PEER = r'''
import csv, json, pathlib, sys
from concurrent.futures import ProcessPoolExecutor
import numpy
from PIL import Image

def decode(task):
    path, size = task
    with Image.open(path) as film:
        return numpy.asarray(film.convert("L").resize((size, size), Image.Resampling.LANCZOS))

if __name__ == "__main__":
    model, folder, out = sys.argv[1:]
    paths = sorted(pathlib.Path(folder).rglob("*.png"))
    with ProcessPoolExecutor(2) as pool:
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        meta = session.get_modelmeta().custom_metadata_map
        size = int(meta["size"])
        mean, std = (numpy.float32(json.loads(meta[key]))[None, :, None, None] for key in ("mean", "std"))
        films = pool.map(decode, [(path, size) for path in paths], chunksize=8)
        with open(out, "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["image", *json.loads(meta["findings"])])
            for first in range(0, len(paths), 16):
                batch = numpy.stack([next(films) for _ in paths[first:first + 16]])
                image = (batch[:, None].astype(numpy.float32) - mean) / std
                [logits] = session.run(["logits"], {"image": image})
                for path, row in zip(paths[first:first + 16], 1 / (1 + numpy.exp(-logits))):
                    table.writerow([path.name, *row])
'''

parser = argparse.ArgumentParser()
parser.add_argument("model", type=Path)
parser.add_argument("folder", type=Path)
parser.add_argument("--pairs", type=int, default=5)
args = parser.parse_args()


capi = Path(importlib.util.find_spec("onnxruntime").origin).parent / "capi"
library = next(capi.glob("libonnxruntime.*"))


def timed(command):
    began = time.perf_counter()
    environment = {**os.environ, "ORT_DYLIB_PATH": str(library)}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{command}\n{done.stderr[-2000:]}")
    return time.perf_counter() - began


def table(path):
    rows = {row["image"]: row for row in csv.DictReader(open(path))}
    return rows


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    peer, onnx = folder / "peer.py", folder / "model.onnx"
    peer.write_text(PEER)
    timed([ROENTGEN, "export", args.model, "--out", onnx])
    ours = lambda engine: [
        ROENTGEN, "predict", args.model, args.folder, "--engine", engine, "--out", folder / f"{engine}.csv"
    ]
    theirs = [sys.executable, peer, onnx, args.folder, folder / "peer.csv"]
    times = [(timed(ours("onnx")), timed(ours("burn")), timed(theirs)) for _ in range(args.pairs)]
    expected, found = table(folder / "peer.csv"), table(folder / "onnx.csv")
    findings = [key for key in next(iter(expected.values())) if key != "image"]
    difference = max(
        abs(float(found[name][key]) - float(row[key])) for name, row in expected.items() for key in findings
    )
    for at, engine in enumerate(["onnx", "burn"]):
        ratios = sorted(each[at] / each[2] for each in times)
        middle = lambda side: statistics.median(each[side] for each in times)
        print(
            f"| {len(expected)} films, engine {engine} | {middle(at):.2f} s | {middle(2):.2f} s "
            f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) | differ by {difference:.1e} |"
        )
