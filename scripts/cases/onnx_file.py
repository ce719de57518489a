"""The exported file as someone uses it who has nothing but the file.

https://github.com/onnx/onnx/issues/1440, https://github.com/microsoft/onnxruntime/issues/2662
"""

import json
import os
import sys
import tempfile

import numpy as np
from PIL import Image


def check(program):
    import onnx
    import onnxruntime

    program.films(40, 64)
    program.ok("prepare", "films", "--out", "prepared-64", "--size", 64)
    for name, settings in [("gray", []), ("imagenet", ["--set", "image.channels=3", "--set", "image.normalize=imagenet"])]:
        program.experiment("e.toml")
        program.ok("train", "e.toml", "--set", "data.prepared=prepared-64", *settings, "--out", name)
        program.ok("export", name, "--format", "onnx", "--out", f"{name}.onnx")
        path = str(program.folder / f"{name}.onnx")
        onnx.checker.check_model(onnx.load(path), full_check=True)
        # The runtime prints from C++, past Python's sys.stderr.
        with tempfile.TemporaryFile() as noise:
            kept = os.dup(2)
            os.dup2(noise.fileno(), 2)
            try:
                session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
                asked(program, name, session)
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
            noise.seek(0)
            text = noise.read().decode(errors="replace")
        program.expect(f"{name}: nothing on standard error", "Removing initializer" not in text and not text, text[:400])


def asked(program, name, session):
    meta = session.get_modelmeta().custom_metadata_map
    size, channels, findings = int(meta["size"]), int(meta["channels"]), json.loads(meta["findings"])

    def prepared(path):
        film = np.asarray(Image.open(path).convert("L"), np.float64)
        if "mean" in meta:
            pairs = zip(json.loads(meta["mean"]), json.loads(meta["std"]))
            return np.stack([(film - mean) / deviation for mean, deviation in pairs]).astype(np.float32)
        film = (film - film.mean()) / (film.std() + 1e-6)
        return np.repeat(film[None], channels, 0).astype(np.float32)

    program.ok("predict", name, "films", "--out", f"{name}.csv")
    rows = {row["image"]: row for row in program.rows(f"{name}.csv")}
    films = sorted((program.folder / "films").rglob("*.png"))[:7]
    worst = 0.0
    for batch in (1, 3, 7):
        for start in range(0, 7, batch):
            part = films[start:start + batch]
            (logits, *_) = session.run(None, {"image": np.stack([prepared(film) for film in part])})
            found = 1 / (1 + np.exp(-logits.astype(np.float64)))
            wanted = np.array([[float(rows[film.name][finding]) for finding in findings] for film in part])
            worst = max(worst, float(np.abs(found - wanted).max()))
    program.expect(f"{name}: the file gives what predict gives", worst < 1e-4, worst)
    for shape in ((1, channels, size + 1, size), (1, channels + 1, size, size)):
        try:
            session.run(None, {"image": np.zeros(shape, np.float32)})
            program.expect(f"{name}: {shape} is refused", False)
        except Exception:
            program.expect(f"{name}: {shape} is refused", True)
