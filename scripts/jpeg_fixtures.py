"""Writes the progressive JPEGs that the tests of roentgen-data cut and turn.

Pillow 13.0.0, numpy 2.4.6.   usage: jpeg_fixtures.py crates/roentgen-data/tests/fixtures
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

out = Path(sys.argv[1])
y, x = np.mgrid[0:32, 0:40]
film = ((x * x * 3 + y * 7 + (x * y) % 31 * 5) % 256).astype(np.uint8)
gray = Image.fromarray(film)
gray.save(out / "progressive.jpg", quality=90, progressive=True)
colour = Image.merge("RGB", [gray, gray.transpose(Image.Transpose.ROTATE_180), gray])
colour.save(out / "progressive-colour.jpg", quality=90, progressive=True)
