"""Films in folders by patient and study, and hidden copies of films, lists and tables.

https://github.com/LalehSeyyed/CheXclusion/issues/6, https://github.com/open-mmlab/mmpretrain/issues/507
"""

import shutil

APPLE = b"\0\x05\x16\x07\0\2\0\0Mac OS X        "


def check(program):
    program.films()
    program.experiment("e.toml")
    program.ok("train", "e.toml", "--set", "model.pool=attention", "--out", "run")
    films = sorted((program.folder / "films").rglob("*.png"))
    by_study(program, films)
    hidden(program, films)


def by_study(program, films):
    layouts = {
        "chexpert": lambda p, s: f"valid/patient{p:05}/study{s}/view1_frontal.png",
        "mimic": lambda p, s: f"files/p10/p1000{p:04}/s5041{s:04}/a.png",
        "by-date": lambda p, s: f"{p}/2020-01-0{s}/film.png",
    }
    for name, layout in layouts.items():
        expected = []
        for number, film in enumerate(films[:6]):
            patient, study = number // 2 + 1, number % 2 + 1
            path = program.folder / name / layout(patient, study)
            path.parent.mkdir(parents=True)
            shutil.copy(film, path)
            expected.append(patient)
        program.ok("predict", "run", name, "--out", f"{name}.csv")
        rows = program.rows(f"{name}.csv")
        images = [row["image"] for row in rows]
        program.expect(f"{name}: each film has its name", len(set(images)) == 6, images)
        if name != "by-date":
            patients = [row["patient"] for row in rows]
            pairs = len(set(zip(patients, expected)))
            program.expect(f"{name}: films of one patient belong together", len(set(patients)) == 3 == pairs, patients)
        program.ok("explain", "run", name, "--out", f"{name}-explained")
        drawn = list((program.folder / f"{name}-explained").glob("*.overlay.png"))
        program.expect(f"{name}: no picture overwrites another", len(drawn) == 6, drawn)
    program.refused("one name in two folders that are given", program.run(
        "predict", "run", "chexpert/valid/patient00001/study1", "chexpert/valid/patient00001/study2",
        "--out", "twice.csv"), "view1_frontal.png")


def hidden(program, films):
    plain = program.rows("prepared/manifest.csv")
    copy = program.folder / "hidden"
    shutil.copytree(program.folder / "films", copy)
    images = copy / "images_001/images"
    film = sorted(images.glob("*.png"))[0]
    broken = film.read_bytes()[:300]
    strays = {
        copy / ".Trash-1000/files" / film.name: broken,
        copy / ".Trash-1000/files/test_list.txt": b"00000001_000.png\n",
        images / ".ipynb_checkpoints" / f"{film.stem}-checkpoint.png": film.read_bytes(),
        images / f"._{film.name}": APPLE,
        copy / "._Data_Entry_2017_v2020.csv": APPLE,
        copy / ".ipynb_checkpoints/Data_Entry_2017_v2020-checkpoint.csv": b"Image Index\n",
        copy / ".ipynb_checkpoints/test_list-checkpoint.txt": b"x.png\n",
        copy / "__MACOSX/images_001/images" / film.name: broken,
        copy / "__MACOSX/._test_list.txt": APPLE,
        copy / ".DS_Store": b"\0\0\0\1Bud1",
        copy / ".BBox_List_2017.csv": b"x",
        copy / ".snapshots/1/PHANTOM.txt": b"seed: 7\n",
    }
    for path, data in strays.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    program.ok("prepare", "hidden", "--out", "hidden-prepared", "--size", 32)
    program.expect("hidden copies change nothing", program.rows("hidden-prepared/manifest.csv") == plain)
    same = [(program.folder / name / "images.safetensors").read_bytes() for name in ("prepared", "hidden-prepared")]
    program.expect("the pixels are those of the film in its place", same[0] == same[1])
    text = (program.folder / "hidden-prepared/prepare.toml").read_text()
    program.expect("the data set keeps its name", 'dataset = "phantom (seed 2018)"' in text, text[:200])
    program.ok("predict", "run", "hidden", "--out", "hidden.csv")
    program.expect("hidden copies are not predicted", len(program.rows("hidden.csv")) == len(films))
