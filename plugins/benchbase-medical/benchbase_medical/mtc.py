"""Medullary thyroid cancer (MTC): not public, in a layout that whoever has it can write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase import Card, Invariances
from benchbase.data.own.listing import Listing, part_named
from benchbase_medical.named import NamedImages, pictures
from benchbase_medical.tables import find_table, groups_of


@dataclass(frozen=True)
class Mtc(NamedImages):
    """Medullary thyroid cancer as the papers of DLSA-SW and CC-DSW have it; not public."""

    name: ClassVar[str] = "mtc"
    folders: ClassVar[tuple[str, ...]] = ("MTC",)
    # What these images are is not published: what it allows holds for any photograph.
    invariances: ClassVar[Invariances] = Invariances(smallest_area=0.5)
    card: ClassVar[Card | None] = Card(
        source="the MTC set of the papers on DLSA-SW and CC-DSW, which is not public",
        licence="",
        citation="",
        get="a folder which --data-root names, or which is called mtc below it, with labels.csv "
        "(columns image, label, patient, and perhaps split: train, val or test) and the images "
        "in images/",
        problems=("numbers of classes, images and patients are not public",),
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the table."""
        table = find_table(folder, ("labels.csv",))
        if table is None or not (folder / "images").is_dir() or "patient" not in table.columns:
            return None
        names = table.texts("image", "image")
        images = pictures(self.name, [folder / "images"], names)
        parts = None
        if "split" in table.columns:
            cells = enumerate(table.texts("split", "split"))
            parts = tuple(part_named(cell, table.where(row)) for row, cell in cells)
        return Listing(
            where=self.name,
            names=tuple(names),
            labels=tuple(table.texts("label", "label")),
            picture=images.__getitem__,
            files=(table.path, *images),
            groups=groups_of(table, "image", "patient", names),
            parts=parts,
        )
