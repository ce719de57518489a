"""Makes a wheel of a library that is built already: FOLDER LIBRARY OUT. Prints its path."""

import base64
import hashlib
import pathlib
import sys
import zipfile

folder, library, out = map(pathlib.Path, sys.argv[1:])
project = (folder / "pyproject.toml").read_text()
requires = 'Requires-Dist: numpy>=1.24\n'
assert 'dependencies = ["numpy>=1.24"]' in project
info = "roentgen-0.1.0.dist-info"
files = {
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: roentgen\nVersion: 0.1.0\n{requires}".encode(),
    f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
    "roentgen/_native.abi3.so": library.read_bytes(),
}
for path in sorted((folder / "python").rglob("*")):
    if path.is_file() and path.suffix in (".py", ".pyi", ".typed"):
        files[path.relative_to(folder / "python").as_posix()] = path.read_bytes()
files["roentgen/py.typed"] = (folder / "python/roentgen/py.typed").read_bytes()
record = []
for name, content in files.items():
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record.append(f"{name},sha256={digest},{len(content)}")
files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
out.mkdir(parents=True, exist_ok=True)
wheel = out / "roentgen-0.1.0-py3-none-any.whl"
with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
    for name, content in files.items():
        archive.writestr(name, content)
print(wheel)
