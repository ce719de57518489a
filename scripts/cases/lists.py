"""The official lists after trips through Windows and other repositories.

https://github.com/MichaelGrupp/evo/issues/161, https://github.com/xinyuewangg/DGCMM/issues/2
"""

import shutil


def check(program):
    program.films()
    plain = program.rows("prepared/manifest.csv")
    lists = {name: (program.folder / f"films/{name}.txt").read_text() for name in ("train_val_list", "test_list")}
    names = lists["test_list"].split()

    def prepare(**texts):
        for name, text in {**lists, **texts}.items():
            data = text.encode() if isinstance(text, str) else text
            (program.folder / f"films/{name}.txt").write_bytes(data)
        shutil.rmtree(program.folder / "again", ignore_errors=True)
        return program.run("prepare", "films", "--out", "again", "--size", 32)

    def taken(what, answer):
        program.expect(f"{what} is read", answer.code == 0, answer)
        if answer.code == 0:
            rows = program.rows("again/manifest.csv")
            program.expect(f"{what} means the same", rows == plain)

    taken("a byte order mark", prepare(**{name: "\ufeff" + text for name, text in lists.items()}))
    taken("line ends of Windows", prepare(**{name: text.replace("\n", "  \r\n") for name, text in lists.items()}))
    taken("line ends of old Macs", prepare(**{name: text.replace("\n", "\r") for name, text in lists.items()}))
    taken("paths", prepare(test_list="".join(f"images/{name}\n" for name in names)))
    taken("paths of Windows", prepare(test_list="".join(f"images_001\\{name}\n" for name in names)))
    taken("quotes", prepare(test_list="".join(f'"{name}"\n' for name in names)))
    taken("empty lines", prepare(test_list="\n\n".join(names)))
    taken("a name twice", prepare(test_list="\n".join(names + names[:2])))
    taken("names of films that are not here", prepare(test_list="\n".join(names + ["00099999_000.png"])))

    for what, text, parts in [
        ("CheXNet's columns", "".join(f"{name} 0 1 0 0 0 0 0 0 0 0 0 0 0 0\n" for name in names), ["line 1"]),
        ("UTF-16", "\n".join(names).encode("utf-16"), ["UTF-8"]),
        ("a CSV file", "Image Index,Finding Labels\n" + "".join(f"{name},Mass\n" for name in names), ["line 1"]),
        ("a header", "Image Index\n" + "\n".join(names), ["line 1", "Image Index"]),
        ("names without an ending", "".join(f"{name[:-4]}\n" for name in names), ["line 1"]),
        ("other films", "".join(f"{n}_a.png\n" for n in range(9)), ["none of the 9 names"]),
        ("names in capitals", "".join(f"{name.upper()}\n" for name in names), ["none of the"]),
        ("films of the other list", lists["test_list"] + "\n".join(lists["train_val_list"].split()[:5]), ["both lists"]),
    ]:
        program.refused(what, prepare(test_list=text), *parts)

    prepare()
    (program.folder / "films/test_list_NIH.txt").write_text(lists["test_list"])
    program.refused("two test lists", program.run("prepare", "films", "--out", "two"), "test_list_NIH.txt")
