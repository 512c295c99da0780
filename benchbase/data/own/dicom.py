"""DICOM files, where pydicom is installed (``benchbase-harness[dicom]``)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PREAMBLE = 128
_MAGIC = b"DICM"


def is_dicom(content: bytes) -> bool:
    """Tell a DICOM file by its mark."""
    return content[_PREAMBLE : _PREAMBLE + len(_MAGIC)] == _MAGIC


def read_dicom(content: bytes) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Give a DICOM file's values, white as the largest, and what to say about them.

    The file's own window is used where it names one; colours come as uint8 RGB.

    Raises:
        ValueError: pydicom is missing, cannot decode the file, or finds no single image in it.
    """
    try:
        import pydicom
        from pydicom.pixels.processing import apply_modality_lut, convert_color_space
    except ImportError:
        raise ValueError(
            "a DICOM file, which needs pydicom: pip install 'benchbase-harness[dicom]'"
        ) from None
    try:
        file = pydicom.dcmread(io.BytesIO(content))
        stored = file.pixel_array
    except (AttributeError, RuntimeError, NotImplementedError, pydicom.errors.InvalidDicomError):
        raise ValueError(
            "a DICOM file whose pixels pydicom cannot decode; compressed ones need its plugins"
        ) from None
    kind = file.PhotometricInterpretation
    if int(file.get("NumberOfFrames", 1)) > 1:
        raise ValueError(f"a DICOM file of {file.NumberOfFrames} frames, where one is expected")
    if stored.ndim == 3:
        rgb = stored if kind == "RGB" else convert_color_space(stored, kind, "RGB")
        return rgb.astype(np.uint8), ()
    values = np.asarray(apply_modality_lut(stored, file), dtype=np.float64)
    inverted = kind == "MONOCHROME1"
    if "WindowCenter" not in file:
        remark = "are DICOM files without a window: each was windowed to its own quantiles"
        return -values if inverted else values, (remark,)
    centre, width = (_first(file[key].value) for key in ("WindowCenter", "WindowWidth"))
    shown = np.clip((values - (centre - 0.5)) / max(1.0, width - 1) + 0.5, 0, 1)
    pixels = np.rint(255 * (1 - shown if inverted else shown)).astype(np.uint8)
    return pixels, ("are DICOM files, shown through their own window",)


def _first(value: Any) -> float:
    """Give a window's number; a file may name several windows."""
    return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)
