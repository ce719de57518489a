"""Whole chest models with classifiers as the field's checkpoints have them.

https://github.com/mlmed/torchxrayvision/issues/107, https://github.com/brucechou1983/CheXNet-Keras/issues/36
"""

import numpy as np

import mobilenet
from copies import same_scores

EIGHTEEN = ("Atelectasis,Consolidation,Infiltration,Pneumothorax,Edema,Emphysema,Fibrosis,Effusion,Pneumonia,"
            "Pleural_Thickening,Cardiomegaly,Nodule,Mass,Hernia,-,-,-,-")
FIFTEEN = ("Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax,Consolidation,Edema,"
           "Emphysema,Fibrosis,Pleural_Thickening,Hernia,-")


def check(program):
    program.ok("phantom", "--images", 6, "--size", 64, "--out", "films")
    base, at = mobilenet.backbone(), program.folder

    def add(name, tensors):
        mobilenet.save(at / f"{name}.safetensors", tensors, {"format": "pt"})

    def imported(name, findings="chexnet", *more):
        return program.run("weights", "import", f"{name}.safetensors", "--architecture", "mobilenet-v2",
                           "--findings", findings, "--size", 64, "--out", name, *more)

    whole = base | mobilenet.head(14)
    add("rgb14", whole)
    add("f16", {name: values.astype(np.float16) for name, values in whole.items()})
    add("f64", {name: values.astype(np.float64) for name, values in whole.items()})
    add("compiled", mobilenet.behind("_orig_mod.module.", whole))
    add("counted", whole | {"features.0.1.num_batches_tracked": np.array(7, np.int64).reshape(())})
    gray = dict(whole)
    gray["features.0.0.weight"] = whole["features.0.0.weight"].sum(1, keepdims=True)
    add("gray14", gray)
    add("rgb18", base | mobilenet.head(18))
    add("rgb15", base | mobilenet.head(15))
    add("rgb1", base | mobilenet.head(1))
    add("no-bias", base | {"classifier.1.weight": whole["classifier.1.weight"]})
    add("rgb4", whole | {"features.0.0.weight": np.zeros((32, 4, 3, 3), np.float32)})

    answer = imported("rgb14")
    program.expect("rgb14 is imported", answer.code == 0, answer)
    for name, most in [("f16", 2e-2), ("f64", 1e-6), ("compiled", 0), ("counted", 0)]:
        answer = imported(name)
        program.expect(f"{name} is imported", answer.code == 0, answer)
        same_scores(program, "rgb14", name, f"{name} predicts the same", most)
    answer = imported("gray14")
    program.expect("a model of one channel is imported", answer.code == 0, answer)
    text = (at / "gray14/model.toml").read_text()
    program.expect("it has one channel", "channels = 1" in text, text[:600])
    program.ok("predict", "gray14", "films", "--out", "gray.csv")

    for name, findings, outputs in [("rgb18", EIGHTEEN, 18), ("rgb15", FIFTEEN, 15), ("rgb1", "Pneumonia", 1)]:
        if outputs != 1:
            program.refused(f"{name} as chexnet", imported(name), f"{outputs}", "14")
        answer = imported(name, findings)
        program.expect(f"{name} is imported", answer.code == 0, answer)
        program.ok("predict", name, "films", "--out", f"{name}.csv")
        rows = program.rows(f"{name}.csv")
        named = [finding for finding in findings.split(",") if finding != "-"]
        program.expect(f"{name} has its findings", all(finding in rows[0] for finding in named), rows[0])
    # Each output belongs to its finding: the same classifier in another order gives the same figures.
    order = np.random.default_rng(3).permutation(15)
    head = mobilenet.head(15)
    add("turned", base | {name: values[order] for name, values in head.items()})
    names = FIFTEEN.split(",")
    answer = imported("turned", ",".join(names[number] for number in order))
    program.expect("outputs in another order", answer.code == 0, answer)
    same_scores(program, "rgb15", "turned", "outputs keep their findings", 1e-6)

    answer = imported("rgb15", "Mass," * 14 + "-")
    program.expect("a finding twice is misuse", answer.code == 2 and "Mass is named twice" in answer.err, answer)
    program.refused("four channels", imported("rgb4"), "channels")
    answer = imported("no-bias")
    program.expect("a classifier without bias is imported or refused", answer.code in (0, 1), answer)
