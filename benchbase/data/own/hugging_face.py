"""``hf:OWNER/NAME``: a data set of the Hugging Face hub, or a folder that ``datasets`` reads."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchbase.data.own.columns import find_columns, is_pattern
from benchbase.data.own.images import TRUTH, OwnImages
from benchbase.data.own.listing import Listing, part_named
from benchbase.data.own.lookup import files_below
from benchbase.data.own.reading import Picture
from benchbase.data.own.tables import Table
from benchbase.errors import DataError, UsageError
from benchbase.options import option

if TYPE_CHECKING:
    import datasets

SAVED = ("dataset_dict.json", "state.json")
"""What ``save_to_disk`` leaves in a folder: of several parts, and of one."""


@dataclass(frozen=True)
class HuggingFace(OwnImages):
    """A data set of the Hugging Face hub (hf:OWNER/NAME), or a folder of one (hf:./FOLDER)."""

    repository: str = option("", "OWNER/NAME on the hub; what follows the colon.")
    revision: str = option("", "Commit, tag or branch of the hub; the newest of main without.")
    config: str = option("", "Which configuration, where a data set has several.")
    image: str = option("", "Column of the images.")
    label: str = option("", "Column of the labels.")
    truth: str = option("", TRUTH)

    name: ClassVar[str] = "hf"

    @classmethod
    def found_at(cls, where: str) -> dict[str, str]:
        """Tell a name on the hub from a folder, which begins with a dot, a slash or a tilde."""
        is_name = re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", where)
        return {"repository" if is_name else "path": where}

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name every file of the data set, fetched where it is not here yet."""
        folder = self._folder()
        return [*(folder / name for name in files_below(folder)), *self.own_tables()]

    def listing(self) -> Listing:
        """Let ``datasets`` read the folder."""
        where = f"hf:{self.repository or self.path}"
        folder = self._folder()
        found = _read(folder, where, self.config)
        listings = [self._of(part, where, name, len(found)) for name, part in found.items()]
        notes = [note for each in listings[:1] for note in each.notes]
        if self.repository:
            notes.append(f"revision {folder.name} of the hub")
        starts = [0]
        for each in listings:
            starts.append(starts[-1] + len(each.names))

        def picture(index: int) -> Picture:
            part = next(it for it in range(len(listings)) if index < starts[it + 1])
            return listings[part].picture(index - starts[part])

        def joined(field: str) -> tuple[str, ...] | None:
            values = [getattr(each, field) for each in listings]
            return None if None in values else tuple(it for value in values for it in value)

        return dataclasses.replace(
            listings[0],
            names=joined("names") or (),
            labels=joined("labels") or (),
            picture=picture,
            truths=joined("truths"),
            groups=joined("groups"),
            parts=joined("parts"),
            notes=tuple(notes),
        )

    def _folder(self) -> Path:
        if not self.repository:
            folder = self.target
            if not folder.is_dir():
                raise DataError(f"hf:{self.path}: expected a folder; a table is csv:{self.path}")
            return folder
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        try:
            return Path(
                huggingface_hub.snapshot_download(
                    self.repository, repo_type="dataset", revision=self.revision or None
                )
            )
        except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
            reason = str(error).strip().splitlines()[0]
            local = f"; the folder here is hf:./{self.repository}"
            here = local if Path(self.repository).exists() else ""
            raise DataError(
                f"hf:{self.repository}: could not be had from the hub ({reason}): look at the "
                f"name, the network and, for a closed one, `hf auth login`{here}"
            ) from error

    def _of(self, part: datasets.Dataset, where: str, split: str, count: int) -> Listing:
        """List one part, which is called ``split`` among ``count``."""
        import datasets

        kinds = {datasets.Image: "image", datasets.ClassLabel: "label"}
        asked: dict[str, str | None] = {"image": self.image, "label": self.label, "split": None}
        asked |= {"group": self.group, "truth": self.truth}
        typed = []
        for kind, option_name in kinds.items():
            fitting = [name for name, it in part.features.items() if isinstance(it, kind)]
            if not asked[option_name] and len(fitting) == 1:
                asked[option_name] = fitting[0]
                typed.append(f"{option_name}={fitting[0]}")
        columns = find_columns(where, part.column_names, asked)
        names = tuple(f"{split}/{row}" for row in range(len(part)))
        if not isinstance(part.features[columns.image], datasets.Image):
            kind = f"{part.features[columns.image]!r:.60}"
            raise DataError(
                f"{where}: the column {columns.image!r} holds {kind}, where images are expected: "
                "write [image=COLUMN], one of "
                f"{', '.join(part.column_names)}"
            )
        pictures = part.cast_column(columns.image, datasets.Image(decode=False))
        groups = None
        if columns.group is not None and not is_pattern(columns.group):
            groups = tuple(str(it) for it in part[columns.group])
        guessed = typed + [f"{kind}={getattr(columns, kind)}" for kind in columns.guessed]
        return Listing(
            where=where,
            names=names,
            labels=_labels(part, columns.label),
            truths=None if columns.truth is None else _labels(part, columns.truth),
            picture=lambda row: _content(pictures[row][columns.image], names[row]),
            files=(),
            groups=groups,
            parts=(part_named(split, where),) * len(part) if count > 1 else None,
            notes=(f"columns found: {', '.join(guessed)}",) if guessed else (),
        )


def _labels(part: datasets.Dataset, column: str) -> tuple[str, ...]:
    """Give the names of the classes, or what the cells say."""
    import datasets

    feature = part.features[column]
    cells = part.with_format(None)[column]
    if isinstance(feature, datasets.ClassLabel):
        return tuple("" if it in (None, -1) else feature.int2str(it) for it in cells)
    return tuple(Table(Path("hf"), {column: list(cells)}, 0).texts(column, "label"))


def _content(cell: Mapping[str, Any] | None, name: str) -> Picture:
    if not cell or not (cell["bytes"] or cell["path"]):
        raise DataError(f"{name}: holds no image")
    content: bytes | None = cell["bytes"]
    return content if content is not None else Path(cell["path"])


def _read(folder: Path, where: str, config: str) -> dict[str, datasets.Dataset]:
    """Read a folder into memory; what ``datasets`` keeps of it on the way is deleted."""
    import datasets

    datasets.disable_progress_bars()
    try:
        if any((folder / name).is_file() for name in SAVED):
            found = datasets.load_from_disk(str(folder), keep_in_memory=True)
        else:
            with tempfile.TemporaryDirectory(prefix="benchbase-") as scratch:
                found = datasets.load_dataset(
                    str(folder), name=config or None, cache_dir=scratch, keep_in_memory=True
                )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{where}: `datasets` cannot read it: {reason}") from error
    if isinstance(found, datasets.Dataset):
        return {"train": found}
    if not found:
        raise UsageError(f"{where}: holds no part")
    return dict(found)
