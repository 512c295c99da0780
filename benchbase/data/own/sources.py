"""The kinds of sources that one's own images may come from."""

from __future__ import annotations

from benchbase.data.own.csv_table import CsvTable
from benchbase.data.own.folder import Folder
from benchbase.data.own.hugging_face import HuggingFace
from benchbase.data.own.images import OwnImages
from benchbase.data.own.npz_file import NpzFile

SOURCES: dict[str, type[OwnImages]] = {
    cls.name: cls for cls in (Folder, CsvTable, NpzFile, HuggingFace)
}
