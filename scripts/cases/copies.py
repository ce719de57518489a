"""Checkpoints with the same network twice, as self-supervised and averaged training leave them.

https://github.com/facebookresearch/moco/issues/84, https://github.com/Sense-X/UniFormer/issues/87
"""

import numpy as np

import mobilenet

PAIRS = {
    "moco": ("module.encoder_q.", "module.encoder_k."),
    "dino": ("teacher.backbone.", "student.backbone."),
    "ema": ("model.", "model_ema.module."),
    "swa": ("", "module."),
    "byol": ("online_encoder.net.", "target_encoder.net."),
    "numbered": ("0.", "1."),
}


def check(program):
    base = mobilenet.backbone()
    first = "features.0.0.weight"
    for name, (meant, other) in PAIRS.items():
        tensors = mobilenet.behind(meant, base) | mobilenet.behind(other, base, 0.5)
        mobilenet.save(program.folder / f"{name}.safetensors", tensors)
        line = ["weights", "import", f"{name}.safetensors", "--architecture", "mobilenet-v2", "--replace"]
        named = [f"`{prefix}`" if prefix else "no prefix" for prefix in (meant, other)]
        program.refused(name, program.run(*line), *named)
        for prefix, factor in [(meant, 1.0), (other, 0.5)]:
            for spelling in {prefix, prefix.rstrip(".")}:
                program.ok(*line, "--prefix", spelling)
                kept = mobilenet.load(program.folder / "weights/mobilenet-v2.safetensors")
                taken = float((kept[first] / base[first]).mean())
                program.expect(f"{name}: {spelling!r} is taken", abs(taken - factor) < 1e-6, taken)
        program.refused(f"{name} with another prefix", program.run(*line, "--prefix", "nobody"), *named)

    # Equal copies leave nothing to choose, but which one is meant is still not known.
    tensors = mobilenet.behind("model.", base) | mobilenet.behind("ema.", base)
    mobilenet.save(program.folder / "equal.safetensors", tensors)
    answer = program.run("weights", "import", "equal.safetensors", "--architecture", "mobilenet-v2", "--replace")
    program.expect("equal copies are taken or refused by name",
                   answer.code == 0 or "`ema.`" in answer.err, answer)

    # An experiment chooses in the same way.
    program.films()
    program.experiment("e.toml")
    line = ["train", "e.toml", "--set", "model.architecture=mobilenet-v2", "--set", "model.width=1.0",
            "--set", "image.channels=3", "--set", "model.weights=moco.safetensors", "--set", "data.films=20"]
    program.refused("training from two copies", program.run(*line, "--out", "run"), "module.encoder_q.")
    program.ok(*line, "--set", "model.weights_prefix=module.encoder_q", "--out", "run")
    model = (program.folder / "run/model.toml").read_text()
    program.expect("the model says which copy", "encoder_q" in model, model[:800])

    # Backbone and head of one copy.
    whole = base | mobilenet.head(14)
    other = mobilenet.behind("ema.", base | mobilenet.head(14, seed=9), 0.5)
    mobilenet.save(program.folder / "mixed.safetensors", mobilenet.behind("model.", whole) | other)
    line = ["weights", "import", "mixed.safetensors", "--architecture", "mobilenet-v2", "--findings", "chexnet",
            "--size", 64]
    program.refused("a model twice", program.run(*line, "--out", "mixed"), "`ema.`", "`model.`")
    mobilenet.save(program.folder / "alone.safetensors", whole)
    program.ok("weights", "import", "alone.safetensors", *line[3:], "--out", "alone")
    program.ok(*line, "--prefix", "model", "--out", "chosen")
    same_scores(program, "alone", "chosen", "backbone and head are of one copy")

    # A classifier beside one copy only.
    mobilenet.save(program.folder / "half.safetensors",
                   mobilenet.behind("ema.", base, 0.5) | mobilenet.behind("model.", whole))
    answer = program.run("weights", "import", "half.safetensors", *line[3:], "--out", "half")
    if answer.code == 0:
        same_scores(program, "alone", "half", "the head's own backbone is taken")
    else:
        program.refused("two backbones and one head", answer, "`ema.`", "`model.`")


def same_scores(program, a, b, what, most=1e-5):
    probabilities = []
    for model in (a, b):
        program.ok("predict", model, "films", "--out", f"{model}.csv")
        rows = program.rows(f"{model}.csv")
        names = [name for name in rows[0] if f"{name}.truth" in rows[0] or name[0].isupper()]
        names = sorted(name for name in names if not name.endswith(".truth"))
        probabilities.append(np.array([[float(row[name]) for name in names] for row in rows]))
    apart = np.abs(probabilities[0] - probabilities[1]).max()
    program.expect(what, apart <= most, apart)
