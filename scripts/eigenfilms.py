#!/usr/bin/env python3
"""Fits the eigenfilms by which the input gate recognizes an upright chest film, and measures the gate.

    scripts/eigenfilms.py NIH_FOLDER crates/roentgen-data/src/gate/eigenfilms.safetensors

A film is averaged to 32 x 32, centred and divided by its standard deviation. The eigenfilms are the
first principal components of such films (Turk and Pentland, Eigenfaces for Recognition, 1991), with
the variance of each. Fitted on 60 of 100 patients of train_val_list.txt; the rest of the films only
measure. Needs numpy, Pillow and safetensors.
"""

import csv
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

SIDE, COMPONENTS = 32, 16
RESIDUAL, DISTANCE, RATIO = 0.45, 7.0, 0.7  # as in crates/roentgen-data/src/gate/picture.rs


def standardized(films):
    films = films.reshape(len(films), -1)
    films = films - films.mean(1, keepdims=True)
    return films / np.maximum(films.std(1, keepdims=True), 1e-6)


def main(folder, out):
    files = {path.name: path for path in folder.rglob("*.png")}
    with open(next(folder.glob("Data_Entry_2017*.csv")), encoding="utf-8-sig") as table:
        rows = list(csv.DictReader(table))
    test = set((folder / "test_list.txt").read_text().split())
    films = np.stack([
        np.asarray(Image.open(files[row["Image Index"]]).convert("L").resize((SIDE, SIDE), Image.BOX), float)
        for row in rows
    ])
    fitted = np.array([
        row["Image Index"] not in test and zlib.crc32(row["Patient ID"].encode()) % 100 < 60 for row in rows
    ])

    known = standardized(films[fitted])
    mean = known.mean(0)
    _, singular, components = np.linalg.svd(known - mean, full_matrices=False)
    components, variance = components[:COMPONENTS], singular[:COMPONENTS] ** 2 / len(known)
    # The sign of a component is arbitrary; this one is the same on every machine.
    components *= np.sign(components[np.arange(COMPONENTS), np.abs(components).argmax(1)])[:, None]
    save_file(
        {
            "mean": mean.reshape(SIDE, SIDE).astype(np.float32),
            "components": np.ascontiguousarray(components.reshape(COMPONENTS, SIDE, SIDE), dtype=np.float32),
            "variance": variance.astype(np.float32),
        },
        out,
    )

    def place(films):
        centred = standardized(films) - mean
        weights = centred @ components.T
        return ((centred - weights @ components) ** 2).mean(1), (weights**2 / variance).mean(1)

    held = films[~fitted]

    def judge(films):
        """Of each film the best of eight positions, and whether it is wrong or no chest film."""
        residuals, distances = np.stack([
            place(np.rot90(255 - films if inverted else films, turns, axes=(1, 2)))
            for inverted in (False, True)
            for turns in range(4)
        ], 1)
        best = residuals.argmin(0)
        wrong = residuals.min(0) < RATIO * residuals[0]
        # What would be corrected has to be a film in that position.
        shown = (np.where(wrong, best, 0), np.arange(len(films)))
        strange = (residuals[shown] > RESIDUAL) | (distances[shown] > DISTANCE)
        return best, wrong & ~strange, strange, residuals, distances

    best, turned, strange, residuals, distances = judge(held)
    distance = distances[0]
    print(f"fitted on {fitted.sum()} films; of {len(held)} others:")
    print(f"  residual: median {np.median(residuals[0]):.3f}, 99 % {np.quantile(residuals[0], 0.99):.3f}, most {residuals[0].max():.3f}")
    print(f"  distance: median {np.median(distance):.2f}, 99 % {np.quantile(distance, 0.99):.2f}, most {distance.max():.2f}")
    print(f"  called turned or inverted: {turned.sum()}, called no chest film: {strange.sum()}")
    names = np.array([row["Image Index"] for row in rows])[~fitted]
    for name, place_, strange_ in zip(names[turned | strange], best[turned | strange], strange[turned | strange]):
        print(f"    {name}: " + ("no chest film" if strange_ else f"inverted {place_ > 3}, turned {place_ % 4} x 90 degrees"))
    # The same films in each wrong position: how many are found, and their position named.
    for position in range(1, 8):
        wrong = np.rot90(255 - held if position > 3 else held, position % 4, axes=(1, 2))
        found, caught, _, _, _ = judge(wrong)
        answer = (4 if position > 3 else 0) + (-position) % 4
        print(f"  position {position}: found {caught.mean():.3f}, named rightly {(caught & (found == answer)).mean():.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
