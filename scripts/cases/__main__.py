"""Runs the program on files as the field has them, and checks each answer.

    pip install numpy pillow onnx onnxruntime optuna
    python3 scripts/cases [--program target/debug/roentgen] [NAME ...]

Each module beside this one is a kind of file that people met in public threads: JPEGs that were cut
off, checkpoints with two copies of a network, label files that went through pandas and Excel, and
so on. It makes every input from synthetic films and drawn weights, so that nothing has to be
downloaded. The last line counts the checks; the exit code is 1 if one failed.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from program import Program  # noqa: E402

KINDS = [
    "jpeg", "copies", "heads", "folders", "labels", "lists", "journal", "onnx_file", "checkpoints",
    "experiments", "tables",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=HERE.parents[1] / "target/debug/roentgen")
    parser.add_argument("kinds", nargs="*", metavar="NAME", help=", ".join(KINDS))
    args = parser.parse_args()
    failed = checked = 0
    for kind in args.kinds or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            program = Program(args.program.resolve(), Path(folder), kind)
            importlib.import_module(kind).check(program)
            failed += program.failed
            checked += program.checked
    print(f"{checked} checks, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
