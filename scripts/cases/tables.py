"""Score tables after trips through pandas and Excel."""

import csv
import io


def check(program):
    program.films(80)
    program.experiment("e.toml", "epochs = 1\n".replace("epochs = 1\n", ""))
    program.ok("train", "e.toml", "--out", "run")
    for split in ("train", "valid", "test"):
        program.ok("predict", "run", "prepared", "--split", split, "--out", f"{split}.csv")
    rows = program.rows("test.csv")
    head = list(rows[0])

    def write(name, change=lambda row: row, columns=head, sep=",", encoding="utf-8", rows=rows):
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, delimiter=sep, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(change(dict(row)) for row in rows)
        (program.folder / name).write_bytes(text.getvalue().encode(encoding))

    def floats(row):
        return {key: f"{value}.0" if key.endswith(".truth") or key == "patient_in_training" else value
                for key, value in row.items()}

    def evaluated(name):
        return program.run("evaluate", name, "--out", "report", "--resamples", 20)

    whole = program.ok("evaluate", "test.csv", "--out", "report", "--resamples", 20).out.splitlines()[1:3]
    for what, how in [
        ("0.0 and 1.0", dict(change=floats)),
        ("a byte order mark", dict(encoding="utf-8-sig")),
        ("an index column", dict(columns=["", *head], change=lambda row: {"": "0", **row})),
        ("columns in another order", dict(columns=head[::-1])),
    ]:
        write("table.csv", **how)
        answer = evaluated("table.csv")
        program.expect(f"{what}: is read", answer.code == 0, answer)
        program.expect(f"{what}: means the same", answer.out.splitlines()[1:3] == whole, answer)
    for what, how, parts in [
        ("semicolons", dict(sep=";"), ["`image`", "semicolons"]),
        ("UTF-16", dict(encoding="utf-16"), ["UTF-8"]),
        ("logits", dict(change=lambda row: row | {"Mass": "2.5"}), ["logit"]),
        ("marks that are words", dict(change=lambda row: row | {"patient_in_training": "no"}), ["patient_in_training"]),
        ("no patients", dict(columns=[name for name in head if name != "patient"]), ["patient"]),
        ("a film twice", dict(rows=rows + rows[:1]), ["twice"]),
    ]:
        write("table.csv", **how)
        program.refused(what, evaluated("table.csv"), *parts)

    # Films of training stay refused, however their mark is written.
    for mark in ("1", "1.0"):
        write("table.csv", lambda row: row | {"split": "", "patient_in_training": mark})
        program.refused(f"films marked {mark}", evaluated("table.csv"), "trained on")
        program.refused(f"an ensemble of films marked {mark}",
                        program.run("ensemble", "--fit", "model", "table.csv", "table.csv", "--apply", "test.csv",
                                    "test.csv", "--out", "e.csv"), "trained on")
        write("other.csv", lambda row: row | {"split": "", "patient_in_training": mark, "model": "another"})
        program.ok("ensemble", "table.csv", "other.csv", "--rule", "mean", "--out", "joint.csv")
        program.refused(f"a joint table of films marked {mark}", evaluated("joint.csv"), "trained on")
    program.refused("training films", evaluated("train.csv"), "train")

    # A table is compared with its model and data set.
    program.ok("verify", "run", "prepared", "test.csv", "valid.csv", "train.csv")
    finding = next(name for name in head if f"{name}.truth" in head)
    turned = {"0": "1", "1": "0"}
    for what, change, part in [
        ("another label", lambda row: row | {f"{finding}.truth": turned[row[f"{finding}.truth"]]}, f"{finding}.truth"),
        ("another patient", lambda row: row | {"patient": "1"}, "patient"),
        ("another split", lambda row: row | {"split": "by-patient valid"}, "split"),
        ("another model", lambda row: row | {"model": "0123456789ab"}, "0123456789ab"),
        ("another film", lambda row: row | {"image": "x" + row["image"]}, "is not in the data set"),
    ]:
        write("table.csv", change)
        answer = program.run("verify", "run", "prepared", "table.csv")
        program.refused(what, answer, part)
