"""What every source of one's own images has in common: its options, and how it is prepared."""

from __future__ import annotations

import dataclasses
import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchbase.cell import Invariances
from benchbase.data.contract import DataParts, DataSet
from benchbase.data.own import LARGEST, SMALLEST
from benchbase.data.own.columns import groups_by_pattern, is_pattern
from benchbase.data.own.corrected import read_corrected
from benchbase.data.own.decoding import decode
from benchbase.data.own.listing import Listing, once_each
from benchbase.data.own.reading import RESIZE_RULES
from benchbase.data.own.splitting import read_split
from benchbase.data.own.verified import read_verified
from benchbase.errors import DataError, UsageError
from benchbase.options import option

TRUTH = "Column of labels that count as true and judge; methods see the others (noise real)."


@dataclass(frozen=True)
class OwnImages(DataSet):
    """Images of one's own; a subclass lists them."""

    path: str = option("", "Where the images are; what follows the colon.")
    size: int | None = option(
        32, "Pixels a side; none leaves images as they are.", min=SMALLEST, max=LARGEST
    )
    resize: str = option(
        "crop",
        "How an image becomes a square: cropped in its middle, padded with black, or stretched.",
        choices=RESIZE_RULES,
    )
    group: str | None = option(
        "",
        "Patient, lesion or slide, which stays on one side of a split: a column, or a pattern of "
        "file names such as person(\\d+)_; none leaves a column unguessed.",
    )
    on_bad_image: str = option(
        "fail",
        "What an image that cannot be read does: fail, or skip: it is left out, and listed.",
        choices=("fail", "skip"),
    )
    flips: str | None = option(
        "horizontal",
        "Which mirror images show the same class; none, say, of X-rays.",
        choices=("horizontal", "both"),
    )
    windows: str | None = option(
        "anywhere",
        "Which smaller windows of an image show its class.",
        choices=("anywhere", "centre"),
    )
    turns: float = option(15.0, "Degrees either way that keep the class.", min=0, max=180)
    colours: bool = option(True, "Whether other brightness, contrast and hue keep the class.")
    split_file: str = option("", "Table of images and parts (columns image and split).")
    trusted_file: str = option("", "Table of images whose labels somebody verified (column image).")

    labels_file: str = option("", "Table of corrected labels (columns image and label).")

    locations: ClassVar[tuple[str, ...]] = ("path", "split_file", "trusted_file", "labels_file")
    stated: ClassVar[tuple[str, ...]] = ("flips", "windows", "turns", "colours")
    resumes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Let augmentation do no more than the options allow."""
        said = ((name, getattr(self, name)) for name in self.stated)
        kept: dict[str, Any] = {name: "none" if it is None else it for name, it in said}
        object.__setattr__(self, "invariances", Invariances(**kept))

    @classmethod
    def found_at(cls, where: str) -> dict[str, str]:
        """Give the option that what follows the colon stands for."""
        return {"path": where}

    @classmethod
    def has_truth(cls, options: Mapping[str, Any]) -> bool:
        """Tell whether, by its options, labels that count as true stand beside those given."""
        return bool(options.get("truth"))

    @abstractmethod
    def listing(self) -> Listing:
        """List the images.

        Raises:
            DataError: a file is missing or not what it should be.
        """

    @functools.cached_property
    def listed(self) -> Listing:
        """What is listed, as it was when this was first asked for."""
        return self.listing()

    @property
    def target(self) -> Path:
        """Where the images are.

        Raises:
            UsageError: nobody said it.
            DataError: there is nothing.
        """
        if not self.path:
            raise UsageError(f"{self.name}: where? write {self.name}:PATH")
        path = Path(self.path).expanduser()
        if not path.exists():
            open_bracket = "; options stand in brackets: [name=value]" if "[" in self.path else ""
            raise DataError(
                f"{self.name}:{self.path}: there is no such file or folder{open_bracket}"
            )
        return path

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name every image, and the tables about them."""
        return [*self.listed.files, *self.own_tables()]

    def own_tables(self) -> list[Path]:
        """Name the tables that say more of the images than their source does."""
        named = (self.split_file, self.trusted_file, self.labels_file)
        return [Path(it).expanduser() for it in named if it]

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Decode all images at one size, and split them."""
        skip = self.on_bad_image == "skip"
        return decode(self.complete(), self.size, self.resize, scratch, skip_bad=skip)

    def complete(self) -> Listing:
        """List the images, with groups by the pattern and parts by the split file, checked."""
        listing = once_each(self.listed).checked()
        if self.group is not None and is_pattern(self.group):
            groups, note = groups_by_pattern(self.group, listing.names)
            listing = dataclasses.replace(listing, groups=groups).with_notes(note)
        elif self.group is None:
            listing = dataclasses.replace(listing, groups=None)
        if self.split_file:
            path = Path(self.split_file).expanduser()
            parts = read_split(path, listing)
            listing = dataclasses.replace(listing, parts=parts)
            listing = listing.with_notes(f"split as {path.name} says")
        if self.trusted_file:
            verified = read_verified(Path(self.trusted_file).expanduser(), listing)
            listing = dataclasses.replace(listing, verified=verified)
        if listing.verified is not None and listing.truths is not None:
            raise UsageError(
                f"{listing.where}: truth= says already which labels are right: leave it out, or "
                "leave out --trusted"
            )
        if self.labels_file:
            corrected = read_corrected(Path(self.labels_file).expanduser(), listing)
            listing = dataclasses.replace(listing, corrected=corrected)
        return listing

    def verified_names(self) -> frozenset[str]:
        """Name the images whose labels somebody verified."""
        listing = self.complete()
        marks = listing.verified or (False,) * len(listing.names)
        return frozenset(name for name, it in zip(listing.names, marks, strict=True) if it)

    def without_verified(self) -> OwnImages:
        """Give the same images where nobody says which labels were verified."""
        names = {it.name for it in dataclasses.fields(self)} & {"trusted_file", "trusted_column"}
        said: dict[str, Any] = dict.fromkeys(names, "")
        return dataclasses.replace(self, **said)
