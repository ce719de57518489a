"""Label files after trips through pandas, Excel, Kaggle and other hands.

https://github.com/pandas-dev/pandas/issues/28335, https://github.com/ieee8023/covid-chestxray-dataset/issues/96
"""

import csv
import io
import shutil


def check(program):
    program.films()
    plain = program.rows("prepared/manifest.csv")
    table = program.folder / "films/Data_Entry_2017_v2020.csv"
    source = list(csv.reader(table.read_text().splitlines()))
    head = source[0][:7] + ["Width", "Height", "Spacing_x", "Spacing_y"]
    rows = [row[:11] for row in source[1:]]
    prepared = program.folder / "again"

    def prepare(head, rows, sep=",", end="\n", encoding="utf-8", **how):
        text = io.StringIO()
        writer = csv.writer(text, delimiter=sep, lineterminator=end, **how)
        writer.writerow(head)
        writer.writerows(rows)
        table.write_bytes(text.getvalue().encode(encoding))
        shutil.rmtree(prepared, ignore_errors=True)
        return program.run("prepare", "films", "--out", prepared, "--size", 32)

    def edited(column, change):
        return [[change(n, cell) if c == column else cell for c, cell in enumerate(row)]
                for n, row in enumerate(rows)]

    def first(text):
        return lambda n, cell: text if n == 0 else cell

    def taken(what, answer, expected=plain):
        program.expect(f"{what} is read", answer.code == 0, answer)
        if answer.code == 0:
            program.expect(f"{what} means the same", program.rows("again/manifest.csv") == expected)

    no_age = [dict(row, age="" if n == 3 else row["age"]) for n, row in enumerate(plain)]
    taken("Kaggle's ages", prepare(head, edited(4, lambda n, cell: f"{int(cell):03}Y")))
    taken("ages in lower case", prepare(head, edited(4, lambda n, cell: f"{int(cell):03}y")))
    taken("ages of pandas", prepare(head, edited(4, lambda n, cell: "" if n == 3 else f"{cell}.0")), no_age)
    taken("ages that are nan", prepare(head, edited(4, lambda n, cell: "" if n == 3 else f"{cell}.00")), no_age)
    floats = [[f"{cell}.0" if c in (2, 3) else cell for c, cell in enumerate(row)] for row in rows]
    taken("numbers of pandas", prepare(head, floats))
    taken("an index column", prepare([""] + head, [[str(n)] + row for n, row in enumerate(rows)]))
    taken("unnamed columns", prepare(["Unnamed: 0"] + head + ["Unnamed: 11"],
                                     [[str(n)] + row + [""] for n, row in enumerate(rows)]))
    taken("a byte order mark and quotes", prepare(head, rows, end="\r\n", encoding="utf-8-sig", quoting=csv.QUOTE_ALL))
    taken("line ends of old Macs", prepare(head, rows, end="\r"))
    taken("cleared rows", prepare(head, rows + [[""] * 11] * 3))
    taken("blanks around cells", prepare(head, [[f" {cell} " for cell in row] for row in rows]))
    columns = list(range(11))[::-1]
    taken("columns in another order", prepare([head[c] for c in columns], [[row[c] for c in columns] for row in rows]))

    for what, answer, parts in [
        ("semicolons", prepare(head, rows, sep=";"), ["semicolons"]),
        ("tabs", prepare(head, rows, sep="\t"), ["tabs"]),
        ("UTF-16", prepare(head, rows, encoding="utf-16"), ["UTF-16"]),
        ("lower case", prepare(head, edited(1, lambda n, cell: cell.lower())), ["line "]),
        ("a space in a name", prepare(head, edited(1, first("Pleural Thickening"))), ["line 2", "Pleural"]),
        ("a contradiction", prepare(head, edited(1, first("No Finding|Effusion"))), ["line 2", "contradicts"]),
        ("No finding", prepare(head, edited(1, first("No finding"))), ["line 2", "No finding"]),
        ("an empty label", prepare(head, edited(1, first(""))), ["line 2", "empty"]),
        ("a label that is nan", prepare(head, edited(1, first("nan"))), ["line 2", "nan"]),
        ("commas between labels", prepare(head, edited(1, first("Mass,Nodule"))), ["line 2", "Mass,Nodule"]),
        ("renamed columns", prepare([name.lower().replace(" ", "_") for name in head], rows), ["Image Index"]),
        ("a negative age", prepare(head, edited(4, first("-1"))), ["line 2", "-1", "0 to"]),
        ("a number of twelve digits", prepare(head, edited(3, first("99000000000001"))), ["line 2", "out of range"]),
        ("a half age", prepare(head, edited(4, first("28.5"))), ["line 2", "28.5"]),
        ("a patient without a number", prepare(head, edited(3, first(""))), ["line 2", "Patient ID"]),
        ("a follow-up that is nan", prepare(head, edited(2, first("nan"))), ["line 2", "nan"]),
        ("a film twice", prepare(head, rows + [rows[0]]), ["again", "line"]),
        ("a film without a name", prepare(head, edited(0, first(""))), ["line 2", "Image Index"]),
        ("two columns of one name", prepare(head + ["Finding Labels"], [row + ["Mass"] for row in rows]),
         ["Finding Labels", "two"]),
        ("a short row", prepare(head, [rows[0][:3]] + rows[1:]), ["line 2"]),
        ("no rows", prepare(head, []), ["no films"]),
    ]:
        program.refused(what, answer, *parts)

    # Kaggle's sample has another name.
    table.rename(table.with_name("sample_labels.csv"))
    shutil.rmtree(prepared, ignore_errors=True)
    program.refused("another name", program.run("prepare", "films", "--out", prepared), "--labels", "sample_labels.csv")
