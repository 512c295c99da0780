"""What all data sets here have in common: found by name below a data root, decoded, split."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase import DataError, DataParts, DataSet, option
from benchbase.data.own.decoding import decode
from benchbase.data.own.listing import Listing, once_each
from benchbase.data.own.lookup import Lookup, files_below, is_image


@dataclass(frozen=True)
class Named(DataSet):
    """Images in the layout in which their makers publish them; a subclass lists them."""

    folders: ClassVar[tuple[str, ...]] = ()
    """What the folder of the data set may be called below a data root, beside its name."""
    truth_known: ClassVar[bool] = True
    resumes: ClassVar[bool] = True

    @abstractmethod
    def listing(self, folder: Path) -> Listing | None:
        """List the images of a folder; None where it does not hold the data set.

        Raises:
            DataError: it holds a part of it.
        """

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name every image, and the tables about them."""
        return [*self._found(roots).files]

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Decode all images at one size, and split them where no split is published."""
        return decode(once_each(self._found(roots)).checked(), self.side, "crop", scratch)

    @property
    def side(self) -> int | None:
        """Pixels a side that images are brought to; None leaves them as they are."""
        return None

    @functools.cached_property
    def _listed(self) -> dict[tuple[Path, ...], Listing]:
        return {}

    def _found(self, roots: Sequence[Path]) -> Listing:
        """List the images, as they were when this was first asked for."""
        if tuple(roots) not in self._listed:
            folders = places(roots, (self.name, *self.folders))
            found = (self.listing(folder) for folder in folders)
            listed = next((one for one in found if one is not None), None)
            if listed is None:
                raise missing(self, folders)
            self._listed[tuple(roots)] = listed
        return self._listed[tuple(roots)]


@dataclass(frozen=True)
class NamedImages(Named):
    """The same for images of many sizes, which are brought to one."""

    size: int = option(32, "Pixels a side of the square cut from the middle.", min=8, max=512)

    @property
    def side(self) -> int | None:
        """The option."""
        return self.size


def places(roots: Sequence[Path], names: Iterable[str]) -> list[Path]:
    """Give where a data set may lie: a root itself, and the folders of its names below one."""
    below = [root / name for root in roots for name in ("", *names)]
    return [folder for folder in below if folder.is_dir()] or [*roots]


def missing(dataset: DataSet, folders: Sequence[Path]) -> DataError:
    """Say that a data set is nowhere, and how to get it."""
    where = f"not in {', '.join(map(str, folders))}" if folders else "no --data-root is given"
    assert dataset.card is not None
    return DataError(f"{dataset.name}: {where}; {dataset.card.get}")


def pictures(where: str, folders: Sequence[Path], wanted: Sequence[str]) -> list[Path]:
    """Find the image of each name, which comes without folder and ending.

    Raises:
        DataError: some are missing, or there twice.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        lookup = Lookup([name for name in files_below(folder) if is_image(name)])
        for name in wanted:
            if lookup.find(name):
                found.setdefault(name, folder / lookup.one(name, where, folder))
    lost = [name for name in wanted if name not in found]
    if lost:
        raise DataError(
            f"{where}: {len(lost):,} of {len(wanted):,} images are missing below "
            f"{', '.join(map(str, folders))}, such as {', '.join(lost[:3])}: unpack all archives "
            "there"
        )
    return [found[name] for name in wanted]
