"""Writes the fixture of crates/roentgen-data/tests/dicom.rs: the gray that pydicom makes of DICOM files.

usage: dicom.py FIXTURE.csv FOLDER...
pydicom 3.0.2, numpy 2, pylibjpeg 2 with pylibjpeg-libjpeg, pylibjpeg-openjpeg and pylibjpeg-rle.
"""

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut


def gray(data):
    """The rule of docs/dicom.md, by pydicom's own functions."""
    bits = int(data.BitsStored)
    stored = data.pixel_array
    if stored.ndim != 2 or "PixelPaddingValue" in data:
        return None
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if data.PixelRepresentation else (0, (1 << bits) - 1)
    if "ModalityLUTSequence" in data:
        low, high = 0, (1 << data.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    elif "RescaleSlope" in data:
        low, high = sorted(end * data.RescaleSlope + data.RescaleIntercept for end in (low, high))
    value = apply_modality_lut(stored, data)
    value = apply_voi_lut(value, data, prefer_lut=True).astype(np.float64)
    if "VOILUTSequence" in data:
        low, high = 0, (1 << data.VOILUTSequence[0].LUTDescriptor[2]) - 1
    share = np.clip((value - low) / (high - low), 0, 1)
    shown = np.floor(share * 255 + 0.5).astype(np.uint8)
    is_inverted = data.PhotometricInterpretation == "MONOCHROME1" or data.get("PresentationLUTShape") == "INVERSE"
    return 255 - shown if is_inverted else shown


with open(sys.argv[1], "w", newline="") as fixture:
    writer = csv.writer(fixture, lineterminator="\n")
    writer.writerow(["file", "width", "height", "mean", "sha256"])
    for path in sorted(path for folder in sys.argv[2:] for path in Path(folder).glob("*.dcm")):
        try:
            data = pydicom.dcmread(path)
            shown = gray(data) if "PixelData" in data else None
        except Exception as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            continue
        if shown is not None:
            height, width = shown.shape
            digest = hashlib.sha256(np.ascontiguousarray(shown).tobytes()).hexdigest()
            writer.writerow([path.name, width, height, f"{shown.mean():.4f}", digest])
