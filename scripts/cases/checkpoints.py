"""Checkpoints in PyTorch's formats, with the company that weights keep in the field's files.

https://github.com/ozanciga/self-supervised-histopathology/issues/7, https://github.com/lambert-x/medical_mae/issues/10

The files are written by Python's own pickle, with the opcodes that torch.save leaves.
"""

import argparse
import collections
import datetime
import enum
import fractions
import functools
import io
import pathlib
import pickle
import sys
import types
import zipfile

import numpy as np

import mobilenet


def module(name):
    found = sys.modules.get(name)
    if found is None:
        found = sys.modules[name] = types.ModuleType(name)
    if "." in name:
        parent, leaf = name.rsplit(".", 1)
        setattr(module(parent), leaf, found)
    return found


def foreign(place, name, *bases):
    made = type(name, bases or (object,), {"__module__": place, "__qualname__": name})
    setattr(module(place), name, made)
    return made


def foreign_function(place, name):
    def made(*_):
        return None
    made.__module__, made.__name__, made.__qualname__ = place, name, name
    setattr(module(place), name, made)
    return made


KINDS = {"float32": "FloatStorage", "int64": "LongStorage", "float16": "HalfStorage", "float64": "DoubleStorage"}
STORAGES = {kind: foreign("torch", name) for kind, name in KINDS.items()}
REBUILD = foreign_function("torch._utils", "_rebuild_tensor_v2")
PARAMETER = foreign_function("torch._utils", "_rebuild_parameter")
DEVICE = foreign("torch", "device")
SIZE = foreign("torch", "Size", tuple)
ATTRIBUTES = foreign("pytorch_lightning.utilities.parsing", "AttributeDict", dict)
NODE = foreign("yacs.config", "CfgNode", dict)
LISTS = foreign("project.config", "Slotted", list)
NETWORK = foreign("torchvision.models.mobilenetv2", "MobileNetV2")


class Kind(enum.Enum):
    CXR = 1


Kind.__module__, module("project.config").Kind = "project.config", Kind


class Plain:
    def __init__(self):
        self.rate, self.more = 1, {"x": [1, 2]}


Plain.__module__, module("project.config").Plain = "project.config", Plain


class Tensor:
    def __init__(self, values):
        self.values = np.ascontiguousarray(values)


class Parameter(Tensor):
    pass


class Storage:
    def __init__(self, values, key):
        self.values, self.key = values, key


class Cuda:
    pass


class Pickler(pickle.Pickler):
    def __init__(self, file, protocol=2):
        super().__init__(file, protocol=protocol)
        self.storages = []

    def persistent_id(self, value):
        if isinstance(value, Storage):
            kind = STORAGES[str(value.values.dtype)]
            return "storage", kind, value.key, "cpu", value.values.size

    def reducer_override(self, value):
        if isinstance(value, Parameter):
            return PARAMETER, (Tensor(value.values), True, collections.OrderedDict())
        if isinstance(value, Tensor):
            key = str(len(self.storages))
            self.storages.append(value.values)
            strides = tuple(stride // value.values.itemsize for stride in value.values.strides)
            return REBUILD, (Storage(value.values, key), 0, value.values.shape, strides, False,
                             collections.OrderedDict())
        if isinstance(value, Cuda):
            return DEVICE, ("cuda", 0)
        return NotImplemented


class OldPickler(Pickler):
    def persistent_id(self, value):
        found = super().persistent_id(value)
        return found and (*found, None)


def save(path, value, protocol=2, compressed=False):
    text = io.BytesIO()
    pickler = Pickler(text, protocol)
    pickler.dump(value)
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        root = path.stem
        archive.writestr(f"{root}/data.pkl", text.getvalue())
        archive.writestr(f"{root}/version", "3\n")
        archive.writestr(f"{root}/byteorder", "little")
        for number, values in enumerate(pickler.storages):
            archive.writestr(f"{root}/data/{number}", values.tobytes())


def save_old(path, value):
    text = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True,
                                                "type_sizes": {"short": 2, "int": 4, "long": 4}}):
        pickle.dump(part, text, protocol=2)
    pickler = OldPickler(text)
    pickler.dump(value)
    pickle.dump([str(number) for number in range(len(pickler.storages))], text, protocol=2)
    for values in pickler.storages:
        text.write(np.int64(values.size).tobytes() + values.tobytes())
    path.write_bytes(text.getvalue())


THINGS = {
    "attribute-dict": ATTRIBUTES(lr=1e-3), "node": NODE(a=NODE(b=1)), "list-subclass": LISTS([1, 2]),
    "set": {1, 2}, "frozenset": frozenset({1}), "path": pathlib.PurePosixPath("/data"),
    "datetime": datetime.datetime(2020, 1, 1), "delta": datetime.timedelta(1), "device": Cuda(),
    "numpy-scalar": np.float64(0.5), "numpy-array": np.arange(3.0), "numpy-strings": np.array(["Mass", "Nodule"]),
    "numpy-objects": np.array(["Mass", None], dtype=object), "numpy-dtype": np.dtype("f4"),
    "numpy-state": np.random.RandomState(1).get_state(), "namespace": argparse.Namespace(lr=0.1, x=[1]),
    "enum": Kind.CXR, "object": Plain(), "class": Plain, "function": functools.partial(int, base=2),
    "defaultdict": collections.defaultdict(list, {"a": [1]}), "counter": collections.Counter("aab"),
    "deque": collections.deque([1, 2], 3), "ordered": collections.OrderedDict(a=1), "fraction": fractions.Fraction(1, 3),
    "big-int": 1 << 80, "negative": -3, "bytes": b"\0\1" * 200, "bytearray": bytearray(b"abc"), "complex": 1 + 2j,
    "range": range(5), "slice": slice(1, 2), "unicode": "Röntgen", "surrogate": "\ud800", "empty": {},
    "nested-empty": [[], {}, ()], "shared": [shared := [1], shared], "int-keys": {0: "Mass", 1: "Nodule"},
    "tuple-keys": {(0, 1): 2}, "none-key": {None: 1}, "nan": float("nan"), "size": SIZE((1, 2)),
    "long-list": list(range(3000)), "long-dict": {f"k{n}": n for n in range(3000)}, "builtin": print,
}


def check(program):
    weights = mobilenet.backbone() | mobilenet.head(14)
    at = program.folder

    def state(prefix="", wrap=Tensor, values=weights):
        found = collections.OrderedDict((prefix + name, wrap(tensor)) for name, tensor in values.items())
        found[f"{prefix}features.0.1.num_batches_tracked"] = Tensor(np.array(7, np.int64))
        return found

    def is_read(name, *more):
        program.ok("weights", "import", name, "--architecture", "mobilenet-v2", "--replace", *more)
        kept = mobilenet.load(at / "weights/mobilenet-v2.safetensors")
        same = all(np.array_equal(kept[name], weights[name]) for name in kept)
        program.expect(f"{name} gives its values", same and len(kept) > 100, len(kept))

    adam = {"state": {0: {"step": Tensor(np.array(9, np.float32)), "exp_avg": Tensor(weights["features.0.0.weight"])}},
            "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0]}]}
    settings = ATTRIBUTES(lr=1e-3, root=pathlib.PurePosixPath("/data"), seen={1, 2}, device=Cuda(), no=None)
    lightning = {"epoch": 1, "pytorch-lightning_version": "1.9.0", "state_dict": state("model."), "loops": None,
                 "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"best": Tensor(np.array(0.8, np.float32))}},
                 "optimizer_states": [adam], "hyper_parameters": settings}
    files = {
        "plain.pth": state(),
        "dataparallel.pth.tar": {"epoch": 3, "state_dict": state("module."), "best": 0.15, "optimizer": adam},
        "model-key.pth": {"model": state(), "optimizer": adam, "args": argparse.Namespace(lr=0.1)},
        "net-key.pt": {"net": state(), "acc": 0.9},
        "lightning.ckpt": lightning, "lightning.pth": lightning, "parameters.pt": state(wrap=Parameter),
        "weights.model": state(), "WEIGHTS.PTH": state(), "pytorch_model.bin": state(), "no-ending": state(),
    }
    for name, value in files.items():
        save(at / name, value)
        is_read(name)
    for protocol in (3, 4, 5):
        save(at / f"protocol-{protocol}.pth", {"state_dict": state(), "epoch": 1}, protocol)
        is_read(f"protocol-{protocol}.pth")
    save(at / "compressed.pth", state(), compressed=True)
    is_read("compressed.pth")
    for name, thing in THINGS.items():
        try:
            save(at / "thing.pth", {"hyper_parameters": {"thing": thing}, "state_dict": state()})
        except Exception as error:
            program.expect(f"{name} can be pickled", False, error)
            continue
        answer = program.run("weights", "import", "thing.pth", "--architecture", "mobilenet-v2", "--replace")
        program.expect(f"{name} beside the weights is passed over", answer.code == 0, answer)
    save_old(at / "old.pth", state())
    is_read("old.pth")
    save_old(at / "old.pth.tar", {"epoch": 1, "state_dict": state("module."), "best": 0.8})
    is_read("old.pth.tar")
    save(at / "whole.pth", tree(list(weights.items())))
    is_read("whole.pth")

    # Two copies in a dictionary.
    half = {name: values * np.float32(0.5) for name, values in weights.items()}
    save(at / "ema.pth", {"model": state(), "model_ema": state(values=half), "epoch": 1})
    program.refused("model and model_ema", program.run("weights", "import", "ema.pth", "--architecture", "mobilenet-v2",
                                                       "--replace"), "`model.`", "`model_ema.`")
    is_read("ema.pth", "--prefix", "model")
    # What cannot be weights.
    save(at / "none.pth", {"epoch": 1})
    program.refused("no weights", program.run("weights", "import", "none.pth", "--architecture", "mobilenet-v2",
                                              "--replace"), "none.pth")
    data = (at / "plain.pth").read_bytes()
    for share in (0.1, 0.5, 0.99):
        (at / "cut.pth").write_bytes(data[:int(len(data) * share)])
        program.refused(f"cut at {share}", program.run("weights", "import", "cut.pth", "--architecture",
                                                       "mobilenet-v2", "--replace"), "cut.pth")
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    (at / "flipped.pth").write_bytes(flipped)
    program.refused("a flipped bit", program.run("weights", "import", "flipped.pth", "--architecture", "mobilenet-v2",
                                                 "--replace"), "flipped.pth")


def tree(tensors):
    """A whole network, as torch.save(model) leaves it."""
    here = [(name, values) for name, values in tensors if "." not in name]
    below = collections.OrderedDict()
    for name, values in tensors:
        if "." in name:
            first, rest = name.split(".", 1)
            below.setdefault(first, []).append((rest, values))
    made = NETWORK.__new__(NETWORK)
    is_buffer = lambda name: name.startswith(("running", "num_"))
    made.training = False
    made._parameters = collections.OrderedDict((name, Parameter(v)) for name, v in here if not is_buffer(name))
    made._buffers = collections.OrderedDict((name, Tensor(v)) for name, v in here if is_buffer(name))
    made._backward_hooks = collections.OrderedDict()
    made._modules = collections.OrderedDict((name, tree(inner)) for name, inner in below.items())
    return made
