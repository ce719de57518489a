#!/usr/bin/env python3
"""Quantizes an exported model to 8 bits with ONNX Runtime's tools (static, per channel).

    roentgen export runs/nih --out nih.onnx
    scripts/quantize.py nih.onnx data/nih-224 runs/nih/films.csv --out nih-int8.onnx
    roentgen predict runs/nih films --onnx nih-int8.onnx --out scores.csv

The ranges of activations come from training films of the run, chosen by a seed. Measure what the
rounding costs before you use the file: predict validation films with and without `--onnx`, and
compare the tables with `roentgen evaluate`. Needs onnx, onnxruntime and numpy; written with onnx
1.23.2 and onnxruntime 1.32.0.
"""

import argparse
import csv
import json
import os
import random
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType
from onnxruntime.quantization import quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


# What is computed in 8 bits; the small dense layers of the head, and norms that no convolution takes
# up, stay in 32.
QUANTIZED = ["Add", "AveragePool", "Clip", "Concat", "Conv", "GlobalAveragePool", "MaxPool", "Relu"]


class Films(CalibrationDataReader):
    """Training films of a prepared data set, normalized as the metadata say, a few at a time."""

    def __init__(self, metadata, prepared, films, count, seed):
        size, self.channels = int(metadata["size"]), int(metadata["channels"])
        path = Path(prepared) / "images.safetensors"
        with open(path, "rb") as file:
            header = int.from_bytes(file.read(8), "little")
            tensors = json.loads(file.read(header))
        (tensor,) = [about for name, about in tensors.items() if name != "__metadata__"]
        shape = tensor["shape"]
        if shape[-2:] != [size, size]:
            raise SystemExit(f"{path} holds films of {shape[-2:]} px, but the model takes {size} px")
        start = 8 + header + tensor["data_offsets"][0]
        planes = np.memmap(path, np.uint8, "r", start, (shape[0], size, size))
        with open(Path(prepared) / "manifest.csv", newline="") as file:
            rows = {row["image"]: number for number, row in enumerate(csv.DictReader(file))}
        with open(films, newline="") as file:
            training = [row["image"] for row in csv.DictReader(file) if row["split"] == "train"]
        missing = [name for name in training if name not in rows]
        if missing or not training:
            raise SystemExit(
                f"{films} names {len(training)} training films, of which {len(missing)} are not in {prepared}"
            )
        chosen = sorted(random.Random(seed).sample(training, min(count, len(training))))
        self.mean = json.loads(metadata["mean"]) if "mean" in metadata else None
        self.std = json.loads(metadata["std"]) if "std" in metadata else None
        print(f"ranges of activations from {len(chosen)} of {len(training)} training films, seed {seed}")
        self.batches = iter([planes[[rows[name] for name in chosen[i : i + 8]]] for i in range(0, len(chosen), 8)])

    def get_next(self):
        batch = next(self.batches, None)
        if batch is None:
            return None
        films = np.repeat(batch[:, None].astype(np.float32), self.channels, axis=1)
        if self.mean is None:  # each film by its own
            mean, std = (of(films, axis=(2, 3), keepdims=True) for of in (np.mean, np.std))
            return {"image": (films - mean) / (std + 1e-6)}
        mean, std = (np.array(values, np.float32)[None, :, None, None] for values in (self.mean, self.std))
        return {"image": (films - mean) / std}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="file that `roentgen export` wrote")
    parser.add_argument("prepared", help="prepared data set of the run")
    parser.add_argument("films", help="films.csv of the run")
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=256, help="training films to take ranges from")
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--method", choices=["minmax", "entropy", "percentile"], default="minmax")
    parser.add_argument(
        "--full-range", action="store_true", help="weights of 8 bits instead of 7; only for processors with VNNI or ARM's dot product, others overflow"
    )
    args = parser.parse_args()

    metadata = {entry.key: entry.value for entry in onnx.load(args.model).metadata_props}
    films = Films(metadata, args.prepared, args.films, args.count, args.seed)
    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    with tempfile.TemporaryDirectory() as folder:
        simple, rounded = Path(folder) / "simple.onnx", Path(folder) / "rounded.onnx"
        quant_pre_process(args.model, simple, skip_symbolic_shape=True)
        quantize_static(
            simple,
            rounded,
            films,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED,
            per_channel=True,
            reduce_range=not args.full_range,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=methods[args.method],
        )
        model = onnx.load(rounded)
        # `roentgen predict` refuses a file that is not of its model.
        onnx.helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        # Complete or not at all.
        temporary = Path(args.out).with_name(f".{Path(args.out).name}.part")
        onnx.save(model, temporary)
        os.replace(temporary, args.out)
    print(f"{os.path.getsize(args.model)} bytes in 32 bits, {os.path.getsize(args.out)} in 8: {args.out}")


if __name__ == "__main__":
    main()
