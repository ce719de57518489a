"""Makes the fixtures of crates/roentgen-data/tests/pillow.rs: Pillow 13.0.0's resampling of one small
picture that any language can draw from a formula. Run from the project's root:

    python3 -m venv .venv && .venv/bin/pip install Pillow==13.0.0 && .venv/bin/python scripts/pillow_resize.py
"""
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT, SIZE = 90, 70, 32


def value(x: int, y: int) -> int:
    return (x * x * 3 + y * 7 + (x * y) % 31 * 5) % 256


film = Image.new("L", (WIDTH, HEIGHT))
film.putdata([value(x, y) for y in range(HEIGHT) for x in range(WIDTH)])
for name in ["LANCZOS", "BILINEAR", "BOX"]:
    small = film.resize((SIZE, SIZE), getattr(Image.Resampling, name))
    Path(f"crates/roentgen-data/tests/fixtures/pillow-{name.lower()}.bin").write_bytes(small.tobytes())
