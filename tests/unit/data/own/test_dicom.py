"""DICOM files, where pydicom is installed."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from benchbase.data.own.reading import read_picture
from benchbase.errors import DataError

pydicom = pytest.importorskip("pydicom")


def dicom(values: np.ndarray, **fields) -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file.SOPClassUID = SecondaryCaptureImageStorage
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID
    file.Rows, file.Columns = values.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated = file.BitsStored = 16
    file.HighBit, file.PixelRepresentation = 15, 0
    file.PixelData = values.astype("<u2").tobytes()
    for name, value in fields.items():
        setattr(file, name, value)
    out = io.BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


RAMP = np.arange(64).reshape(8, 8) * 16


def read(content: bytes):
    return read_picture(content, "it.dcm", None, "crop")


def test_a_file_is_shown_through_its_own_window_and_that_is_said():
    decoded = read(dicom(RAMP, WindowCenter=512, WindowWidth=256))
    assert decoded.pixels.shape == (1, 8, 8)
    assert (decoded.pixels[0][RAMP < 380] == 0).all()
    assert (decoded.pixels[0][RAMP > 640] == 255).all()
    assert "own window" in decoded.remarks[0]


def test_white_is_the_largest_value_whichever_way_it_was_stored():
    plain = read(dicom(RAMP)).pixels.astype(int)
    inverted = read(dicom(RAMP, PhotometricInterpretation="MONOCHROME1")).pixels.astype(int)
    assert np.abs(plain + inverted - 255).max() <= 1


def test_several_frames_are_refused():
    with pytest.raises(DataError, match="3 frames"):
        read(dicom(RAMP, NumberOfFrames=3, PixelData=np.tile(RAMP, (3, 1)).astype("<u2").tobytes()))


def test_without_pydicom_the_message_says_what_to_install(monkeypatch):
    content = dicom(RAMP)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"pip install 'benchbase-harness\[dicom\]'"):
        read(content)
