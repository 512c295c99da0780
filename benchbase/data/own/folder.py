"""``folder:PATH``: a folder for each class, below folders train, val and test or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchbase.data.own.columns import is_pattern
from benchbase.data.own.images import OwnImages
from benchbase.data.own.listing import PARTS, Listing, part_named
from benchbase.data.own.lookup import files_below, is_image
from benchbase.errors import DataError


@dataclass(frozen=True)
class Folder(OwnImages):
    """Your images in a folder for each class (folder:PATH), with or without train, val and test."""

    name: ClassVar[str] = "folder"

    def listing(self) -> Listing:
        """Read classes and parts off the folders."""
        root = self.target
        if not root.is_dir():
            raise DataError(
                f"folder:{self.path}: expected a folder; a table of images is csv:{self.path}"
            )
        if self.group and not is_pattern(self.group):
            raise DataError(
                f"folder:{self.path}: group={self.group}: expected a pattern of file names with a "
                "group in parentheses, such as person(\\d+)_"
            )
        found = files_below(root)
        files = [name for name in found if is_image(name)]
        other = len(found) - len(files)
        if not files:
            raise DataError(
                f"folder:{self.path}: there is no image below it; expected {root}/CLASS/IMAGE.png"
            )
        names = [name.split("/") for name in files]
        parts = self._parts(names)
        depth = 0 if parts is None else 1
        for name in names:
            if len(name) < depth + 2:
                above = "/".join([str(root), *name[:-1]])
                raise DataError(
                    f"folder:{self.path}: {'/'.join(name)} lies in no folder of a class; expected "
                    f"{above}/CLASS/{name[-1]}, or a table of images and labels, as csv:FILE"
                )
        paths = [root / name for name in files]
        return Listing(
            where=f"folder:{self.path}",
            names=tuple(files),
            labels=tuple(name[depth] for name in names),
            picture=lambda index: paths[index],
            files=tuple(paths),
            parts=parts,
            notes=(f"{other:,} other files left out",) if other else (),
        )

    def _parts(self, names: list[list[str]]) -> tuple[str, ...] | None:
        """Read the parts off the top folders, where all of them are parts and one trains."""
        tops = dict.fromkeys(name[0] for name in names)
        known = [top for top in tops if top.lower() in PARTS]
        if not any(PARTS[top.lower()] == "train" for top in known):
            return None
        for top in tops:
            part_named(top, f"folder:{self.path}: beside {known[0]}/")
        return tuple(part_named(name[0], "") for name in names)
