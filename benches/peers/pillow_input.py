"""Decodes and resizes films as `roentgen bench input` does, with Pillow on one thread: prints JSON.

    python3 -m venv .venv && .venv/bin/pip install Pillow==13.0.0
    .venv/bin/python benches/peers/pillow_input.py FOLDER --size 224 --steps 10
"""
import argparse
import json
import statistics
import time
from pathlib import Path

import PIL
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--steps", type=int, default=10)
args = parser.parse_args()
films = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg"})


def one_pass() -> float:
    began = time.perf_counter()
    for path in films:
        with Image.open(path) as film:
            film.convert("L").resize((args.size, args.size), Image.Resampling.LANCZOS)
    return time.perf_counter() - began


for _ in range(2):
    one_pass()
times = sorted(one_pass() for _ in range(args.steps))
median = statistics.median(times)
print(json.dumps({
    "what": f"decode and LANCZOS resize on one thread, Pillow {PIL.__version__}",
    "films": len(films),
    "size": args.size,
    "median_ms": median * 1e3,
    "films_per_second": len(films) / median,
}))
