"""Writes what reference networks compute from weights and films that a formula gives.

The tests of roentgen-models fill the same tensors by the same formula and compare, so that no
weights need to be shipped and the tests need no Python. Run it again after adding a network:

    pip install torch==2.13.0 torchvision==0.28.0 timm==1.0.31 numpy==2.4.6 \
        tensorflow-cpu==2.21.0 keras==3.15.1
    pip install --no-deps pretrainedmodels==0.7.4 munch==4.0.0
    python scripts/parity.py [ARCHITECTURE...]

The formula: element i of the tensor called NAME is splitmix64 of (FNV-1a of NAME, i), as a number u
in -1..1, then by kind
    weight of two or more axes   u * sqrt(6 / fan in), fan in being all axes but the first
    weight of one axis (norm)    1 + 0.3 u
    bias, running_mean           0.1 u
    running_var                  1 + 0.3 u
    layer_scale                  u
    films                        u
    targets                      1 where u > 0
Names and axes are PyTorch's; Keras' layers are filled by their own names, axes turned.

Per architecture: two sizes, inference and training mode (batch statistics), logits of a linear head
on the mean of the feature map, the loss and slices of the feature map; and for one smaller size,
in training mode, slices of the gradients of three tensors. Values are compared in single precision,
gradients in double: in single precision a last digit decides on which side of a rectifier a value
falls, and the gradients of two correct implementations then differ by per cents. "rounding" is how
far the reference in single precision is from itself in double, as the tests measure differences: a
deep network on a few films in training mode may lose four digits by itself, and no other
implementation can be held to more. It also prints parameters and the values that the forward pass
leaves behind per pixel (outputs of convolutions, norms and dense layers), which the blueprints hold.
"""

import json
import sys
from pathlib import Path

import numpy as np

FINDINGS = 14
SLICE = 24
GRADIENT_FILMS = (2, 3, 80, 96)
OUT = Path(__file__).parent.parent / "crates/roentgen-models/tests/parity"


def noise(name, count):
    """`count` numbers in -1..1 from the name."""
    hash_ = 0xCBF29CE484222325
    for byte in name.encode():
        hash_ = ((hash_ ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(hash_) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def formula(name, shape):
    """The tensor of that name."""
    u = noise(name, int(np.prod(shape)))
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "weight" and len(shape) > 1:
        u = u * np.sqrt(6 / np.prod(shape[1:]))
    elif leaf in ("weight", "running_var"):
        u = 1 + 0.3 * u
    elif leaf in ("bias", "running_mean"):
        u = 0.1 * u
    return u.reshape(shape).astype(np.float32)


def targets(batch):
    return (noise("targets", batch * FINDINGS) > 0).astype(np.float32).reshape(batch, FINDINGS)


def slices(values):
    """The first values and some from the middle, flat."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    middle = flat.size // 2
    return {"first": flat[:SLICE].tolist(), "middle": flat[middle : middle + SLICE].tolist()}


def distance(exact, values):
    """Greatest difference over greatest value, of slices or lists."""
    if isinstance(exact, dict):
        return max(distance(exact[key], values[key]) for key in exact)
    exact, values = np.asarray(exact, dtype=np.float64), np.asarray(values, dtype=np.float64)
    return float(np.abs(exact - values).max() / np.abs(exact).max())


def torch_networks():
    """Name, how to build, features, sizes, and the gradients' where it is not the usual one."""
    import timm
    import torch
    import torchvision.models as tv
    from pretrainedmodels.models import nasnet_mobile

    features = lambda m, x: m.features(x)
    sizes = [[3, 96, 128], [2, 160, 128]]
    odd = [[3, 96, 96], [2, 131, 163]]
    # These pad nothing in their steps of two, and have few values left to normalize by.
    large = [[3, 150, 182], [4, 171, 139]]
    large_gradient = (3, 3, 107, 139)
    # The model's children but the mean and the classifier.
    resnet = lambda m, x: torch.nn.Sequential(*list(m.children())[:-2])(x)

    def inception_v3():
        model = tv.inception_v3(aux_logits=False, init_weights=False)
        model.dropout = model.fc = torch.nn.Identity()
        return model

    def inception_v3_features(model, films):
        found = []
        hook = model.Mixed_7c.register_forward_hook(lambda _model, _films, map_: found.append(map_))
        model(films)
        hook.remove()
        return found[0]

    return {
        "mobilenet-v2": (lambda: tv.mobilenet_v2(), features, sizes),
        "vgg16": (lambda: tv.vgg16(), features, sizes),
        "vgg19": (lambda: tv.vgg19(), features, sizes),
        "resnet50": (lambda: tv.resnet50(), resnet, sizes),
        # At some other sizes the first channels of the map are nothing but zeros.
        "densenet121": (
            lambda: tv.densenet121(),
            lambda m, x: m.features(x).relu(),
            [[3, 96, 96], [2, 75, 131]],
        ),
        "efficientnet-b0": (lambda: tv.efficientnet_b0(stochastic_depth_prob=0.0), features, odd),
        "inception-v3": (inception_v3, inception_v3_features, large, large_gradient),
        "inception-resnet-v2": (
            lambda: timm.create_model("inception_resnet_v2"),
            lambda m, x: m.forward_features(x),
            large,
            large_gradient,
        ),
        # Odd sides throughout, and every side of the reductions' maps odd once.
        "nasnet-large": (
            lambda: timm.create_model("nasnetalarge"),
            lambda m, x: m.forward_features(x),
            [[2, 75, 107], [2, 96, 65]],
            (2, 3, 43, 65),
        ),
        "convnext-tiny": (lambda: tv.convnext_tiny(stochastic_depth_prob=0.0), features, sizes),
        "convnext-base": (lambda: tv.convnext_base(stochastic_depth_prob=0.0), features, sizes),
        # The sides that pretrainedmodels takes: from 1 below to 2 above a multiple of 32.
        "nasnet-mobile": (
            lambda: nasnet_mobile.nasnetamobile(num_classes=1000, pretrained=None),
            lambda m, x: m.relu(m.features(x)),
            [[3, 96, 127], [2, 161, 130]],
            (2, 3, 66, 96),
        ),
    }


def torch_case(build, features):
    import torch

    def filled(dtype):
        model = build()
        with torch.no_grad():
            for name, tensor in model.state_dict().items():
                if not name.endswith("num_batches_tracked"):
                    tensor.copy_(torch.from_numpy(formula(name, tuple(tensor.shape))))
        return model.to(dtype)

    model = filled(torch.float32)
    count = sum(p.numel() for p in model.parameters())

    def one_pass(model, shape, dtype):
        tensor = lambda name, shape: torch.from_numpy(formula(name, shape)).to(dtype)
        found = features(model, tensor("films", shape))
        weight = tensor("head.weight", (FINDINGS, found.shape[1]))
        logits = found.mean((2, 3)) @ weight.T + tensor("head.bias", (FINDINGS,))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(targets(shape[0])).to(dtype)
        )
        return found, logits, loss

    def run(shape, training, dtype):
        dtype = getattr(torch, dtype)
        model = filled(dtype).train(training)
        with torch.no_grad():
            found, logits, loss = one_pass(model, shape, dtype)
        return found.numpy(), logits.numpy(), loss.item()

    def gradients(shape):
        model = filled(torch.float64).train()
        one_pass(model, shape, torch.float64)[2].backward()
        grads = [(n, p) for n, p in model.named_parameters() if p.grad is not None and p.ndim > 1]
        chosen = [grads[0], grads[len(grads) // 2], grads[-1]]
        return {n: slices(p.grad) for n, p in chosen}

    def kept():
        total = 0

        def count_output(_module, _input, output):
            nonlocal total
            total += output.numel()

        kinds = (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.LayerNorm, torch.nn.Linear)
        hooks = [m.register_forward_hook(count_output) for m in model.modules() if isinstance(m, kinds)]
        model.eval()
        with torch.no_grad():
            features(model, torch.zeros(1, 3, 320, 320))
        for hook in hooks:
            hook.remove()
        return total / 320**2

    import torchvision, timm

    versions = f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}"
    return run, gradients, kept, count, versions


def keras_filled(dtype):
    """Keras' MobileNet and its variables by name: the layers' own, PyTorch's order of axes."""
    import keras

    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    model = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(None, None, 3))
    leaves = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    variables = {}
    for layer in model.layers:
        for variable in layer.variables:
            leaf = variable.path.rsplit("/", 1)[-1]
            name = f"{layer.name}.{leaves.get(leaf, 'weight')}"
            turn = back = tuple(range(len(variable.shape)))
            if len(variable.shape) == 4:
                # Depthwise kernels are [height, width, channels, 1].
                turn, back = ((2, 3, 0, 1), (2, 3, 0, 1)) if "dw" in layer.name else ((3, 2, 0, 1), (2, 3, 1, 0))
            values = formula(name, tuple(variable.shape[i] for i in turn))
            variable.assign(values.transpose(back))
            variables[name] = (variable, turn)
    return model, variables


def keras_case():
    import keras
    import tensorflow as tf

    def one_pass(dtype, shape, training):
        model, variables = keras_filled(dtype)
        tensor = lambda name, shape: tf.constant(formula(name, shape).astype(dtype))
        films = tf.transpose(tensor("films", shape), (0, 2, 3, 1))
        with tf.GradientTape() as tape:
            found = model(films, training=training)
            logits = tf.reduce_mean(found, (1, 2)) @ tf.transpose(tensor("head.weight", (FINDINGS, 1024)))
            logits += tensor("head.bias", (FINDINGS,))
            truth = targets(shape[0]).astype(dtype)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits))
        names = [n for n, (_, turn) in variables.items() if len(turn) == 4]
        chosen = [names[0], names[len(names) // 2], names[-1]]
        grads = tape.gradient(loss, [variables[n][0].value for n in chosen])
        gradients = {n: slices(g.numpy().transpose(variables[n][1])) for n, g in zip(chosen, grads)}
        return found.numpy().transpose(0, 3, 1, 2), logits.numpy(), float(loss), gradients

    run = lambda shape, training, dtype: one_pass(dtype, shape, training)[:3]
    gradients = lambda shape: one_pass("float64", shape, True)[3]
    kept = lambda: float("nan")
    model = keras_filled("float32")[0]
    count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    return run, gradients, kept, count, f"keras {keras.__version__}, tensorflow {tf.__version__}"


def write(name, case, sizes, gradient_films=GRADIENT_FILMS):
    run, gradients, kept, count, versions = case
    cases = []
    for shape in sizes:
        shape = (shape[0], 3, *shape[1:])
        for training in (False, True):
            found, logits, loss = run(shape, training, "float32")
            exact, exact_logits, _ = run(shape, training, "float64")
            features = slices(found)
            cases.append(
                {
                    "films": list(shape),
                    "mode": "training" if training else "inference",
                    "features": {"shape": list(found.shape), **features},
                    "logits": logits.astype(np.float64).ravel().tolist(),
                    "loss": loss,
                    "rounding": {
                        "features": distance(slices(exact), features),
                        "logits": distance(exact_logits, logits),
                    },
                }
            )
    fixture = {
        "architecture": name,
        "reference": versions,
        "parameters": count,
        "cases": cases,
        "gradients": {"films": list(gradient_films), "of": gradients(gradient_films)},
    }
    OUT.mkdir(exist_ok=True)
    rounded = lambda o: float(f"{o:.9g}") if isinstance(o, float) else o
    walk = lambda o: (
        {k: walk(v) for k, v in o.items()} if isinstance(o, dict)
        else [walk(v) for v in o] if isinstance(o, list) else rounded(o)
    )
    (OUT / f"{name}.json").write_text(json.dumps(walk(fixture), indent=None) + "\n")
    print(f"{name}: {count} parameters of weights with any classifier, {kept():.1f} values kept per pixel")


def main():
    asked = sys.argv[1:]
    for name, (build, features, *sizes) in torch_networks().items():
        if not asked or name in asked:
            write(name, torch_case(build, features), *sizes)
    # TensorFlow last: loaded before PyTorch, it takes the process down.
    if not asked or "mobilenet" in asked:
        write("mobilenet", keras_case(), [[3, 96, 128], [2, 131, 163]])


if __name__ == "__main__":
    main()
