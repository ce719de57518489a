"""Films that were cut off while they were downloaded, and films that a camera turned.

https://github.com/unpackAI/unpackai/issues/1, https://github.com/pytorch/vision/issues/138
"""

import io
import random

from PIL import Image

HEAD = ("Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n")


def check(program):
    program.ok("phantom", "--images", 12, "--size", 128, "--out", "films")
    film = Image.open(sorted((program.folder / "films").rglob("*.png"))[3]).convert("L")
    good, bad = {}, {}

    def encoded(kind, picture=film, **how):
        data = io.BytesIO()
        picture.save(data, kind, **how)
        return data.getvalue()

    jpegs = {
        "base": encoded("JPEG", quality=90),
        "prog": encoded("JPEG", quality=90, progressive=True),
        "colour": encoded("JPEG", film.convert("RGB"), quality=85, subsampling=2),
        "restart": encoded("JPEG", quality=90, restart_marker_rows=1),
        "prog-colour": encoded("JPEG", film.convert("RGB"), quality=85, progressive=True),
    }
    draw = random.Random(1)
    for name, data in jpegs.items():
        good[f"{name}.jpg"] = data
        good[f"{name}-trailing.jpg"] = data + b"\0" * 500
        for share in (0.25, 0.5, 0.75, 0.95):
            cut = data[:int(len(data) * share)]
            rest = len(data) - len(cut)
            label = f"{name}-{int(share * 100):03}"
            bad[f"{label}.jpg"] = cut
            # What downloads and file systems leave in the place of what is missing.
            bad[f"{label}-zeros.jpg"] = cut + b"\0" * rest
            bad[f"{label}-ones.jpg"] = cut + b"\xff" * rest
            bad[f"{label}-spaces.jpg"] = cut + b" " * rest
            bad[f"{label}-zeros-to-the-end.jpg"] = cut + b"\0" * (rest - 2) + b"\xff\xd9"
            bad[f"{label}-noise.jpg"] = cut + draw.randbytes(rest).replace(b"\xff", b"\xfe")
            bad[f"{label}-end.jpg"] = cut + b"\xff\xd9"
    png = encoded("PNG")
    good["whole.png"] = png
    for share in (0.3, 0.7, 0.97):
        cut = png[:int(len(png) * share)]
        bad[f"cut-{share}.png"] = cut
        bad[f"cut-{share}-zeros.png"] = cut + b"\0" * (len(png) - len(cut))
    flipped = bytearray(png)
    flipped[len(png) * 3 // 4] ^= 0x10
    bad["flipped.png"] = bytes(flipped)

    folder = program.folder / "cut"
    (folder / "images").mkdir(parents=True)
    names = [*good, *bad]
    for name in names:
        (folder / "images" / name).write_bytes({**good, **bad}[name])
    rows = "".join(f"{name},No Finding,0,{n + 1},50,M,PA,1,1,1,1\n" for n, name in enumerate(names))
    (folder / "Data_Entry_2017.csv").write_text(HEAD + rows)
    answer = program.run("prepare", "cut", "--out", "cut-prepared", "--size", 32)
    program.expect("cut films end with 1", answer.code == 1, answer)
    left_out = {row["image"] for row in program.rows("cut-prepared/bad-films.csv")}
    for name in bad:
        program.expect(f"{name} is left out", name in left_out)
    for name in good:
        program.expect(f"{name} is kept", name not in left_out, answer)

    # A camera's note on how to turn the picture.
    turned = program.folder / "turned"
    turned.mkdir()
    rectangle = film.crop((0, 0, 128, 96))
    rectangle.save(turned / "upright.png")
    for number, back in [(3, Image.ROTATE_180), (6, Image.ROTATE_90), (8, Image.ROTATE_270)]:
        exif = Image.Exif()
        exif[0x0112] = number
        rectangle.transpose(back).save(turned / f"turned-{number}.png", exif=exif)
    rows = "".join(f"{path.name},No Finding,0,{n + 1},50,M,PA,1,1,1,1\n"
                   for n, path in enumerate(sorted(turned.glob("*.png"))))
    (turned / "Data_Entry_2017.csv").write_text(HEAD + rows)
    program.ok("prepare", "turned", "--out", "turned-prepared", "--size", 32)
    planes = (program.folder / "turned-prepared/images.safetensors").read_bytes()[4096:]
    same = {planes[i * 1024:(i + 1) * 1024] for i in range(4)}
    program.expect("turned films are turned upright", len(same) == 1, f"{len(same)} different planes")

    # 12 bits in 16.
    deep = program.folder / "deep"
    deep.mkdir()
    rectangle.save(deep / "a.png")
    Image.frombytes("I;16", film.crop((0, 0, 128, 96)).size, b"".join(
        (value * 16 + value // 16).to_bytes(2, "little") for value in rectangle.tobytes())).save(deep / "b.png")
    (deep / "Data_Entry_2017.csv").write_text(HEAD + "".join(
        f"{name}.png,No Finding,0,{n},50,M,PA,1,1,1,1\n" for n, name in enumerate("ab")))
    program.ok("prepare", "deep", "--out", "deep-prepared", "--size", 32)
    planes = (program.folder / "deep-prepared/images.safetensors").read_bytes()[4096:]
    apart = max(abs(a - b) for a, b in zip(planes[:1024], planes[1024:]))
    program.expect("12 bits in 16 are as bright as 8", apart <= 1 and max(planes) > 50, apart)
