"""Predicts as `roentgen bench predict --engine onnx` does, in ONNX Runtime from Python: prints JSON.

    python benches/peers/onnx_steps.py MODEL.onnx FILE --steps 40
"""

import argparse

import numpy
import onnxruntime
from safetensors.numpy import load_file

from measure import measure

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("file")
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = args.threads
session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
tensors = load_file(args.file)
films, targets = tensors["films"], tensors["targets"]


def step():
    [logits] = session.run(["logits"], {"image": films})
    return float((numpy.logaddexp(0, logits) - logits * targets).mean())


measure(f"ONNX Runtime {onnxruntime.__version__} from Python", len(films), args.steps, step)
