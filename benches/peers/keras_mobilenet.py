"""Trains or predicts MobileNetV1 as `roentgen bench --like FILE` does, in Keras on TensorFlow: prints JSON.

    python benches/peers/keras_mobilenet.py train|predict mobilenet FILE --steps 8
"""

import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["train", "predict"])
parser.add_argument("architecture", choices=["mobilenet"])
parser.add_argument("file")
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
from measure import measure
from safetensors.numpy import load_file

tf.config.threading.set_intra_op_parallelism_threads(args.threads)
tf.config.threading.set_inter_op_parallelism_threads(args.threads)
shared = load_file(args.file)
films = tf.constant(shared["films"].transpose(0, 2, 3, 1))
targets = tf.constant(shared["targets"])
backbone = keras.applications.MobileNet(include_top=False, weights=None, input_shape=films.shape[1:])
leaves = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
for layer in backbone.layers:
    for variable in layer.variables:
        leaf = leaves.get(variable.path.rsplit("/", 1)[-1], "weight")
        values = shared[f"{layer.name}.{leaf}"]
        if values.ndim == 4:
            # Depthwise kernels are [height, width, channels, 1].
            values = values.transpose((2, 3, 0, 1) if "dw" in layer.name else (2, 3, 1, 0))
        variable.assign(values)
dense = keras.layers.Dense(targets.shape[1])
pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
model = keras.Model(backbone.input, dense(pooled))
dense.set_weights([shared["head.weight"].T, shared["head.bias"]])
loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss_of)


@tf.function
def predict():
    return loss_of(targets, model(films, training=False))


def step():
    if args.what == "predict":
        return float(predict())
    return float(np.atleast_1d(model.train_on_batch(films, targets))[0])


measure(f"Keras {keras.__version__} on TensorFlow {tf.__version__}", films.shape[0], args.steps, step)
