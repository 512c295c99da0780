"""What a run is asked for, in the words of whoever asks: the options of ``benchbase run``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchbase.data.own import LARGEST, SMALLEST
from benchbase.errors import UsageError

_RANGES = {
    "train_size": (1, math.inf),
    "label_fraction": (1e-9, 1),
    "label_budget": (0, math.inf),
    "size": (SMALLEST, LARGEST),
    "epochs": (1, math.inf),
    "jobs": (1, math.inf),
    "timeout": (1e-9, 1e8),
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """A board, what replaces parts of it, and the means. Texts are as on the command line."""

    board: str | None = None
    """Name or path of a board; None is the default one."""
    suite: str | None = None
    plugins: Sequence[str] = ()
    dataset: str | None = None
    size: int | None = None
    """Pixels a side of images of one's own."""
    split: str | Path | None = None
    """Table that says which of one's own images are of which part."""
    on_bad_image: Literal["fail", "skip"] | None = None
    """What an image of one's own that cannot be read does."""
    trusted: str | Path | None = None
    """Which labels of one's own images somebody verified: a table of them, or a column."""
    labels: str | Path | None = None
    """Table of corrected labels of one's own images: a scenario with them beside each without."""
    train_size: int | None = None
    label_fraction: float | None = None
    label_budget: int | None = None
    backbone: str | None = None
    noise: Sequence[str] = ()
    imbalance: Sequence[str] = ()
    track: str | None = None
    seeds: str | int | None = None
    epochs: int | None = None
    jobs: int | None = None
    """Cells at a time; None is one for each core or GPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    timeout: float = 3600.0
    """Seconds that a cell may take."""
    roots: Sequence[Path] = ()
    """Folders to look for data files in."""
    home: Path | None = None
    shard: str | None = None
    """``2/8``: run the second of eight parts of the cells that there are."""
    retry_failed: bool = False
    executor: str = "local"
    keep_models: bool = False
    sandbox: Literal["bwrap"] | None = None
    """What keeps methods from the rest of the machine."""
    secret: str | Path | None = None
    """File with the secret that split and noise are drawn with."""
    strict: bool = False
    """Refuse data that stand on both sides of a split."""

    def __post_init__(self) -> None:
        """Take one text or path for a list of one.

        Raises:
            UsageError: a number is out of its range, or there is no such sandbox.
        """
        for name, (least, most) in _RANGES.items():
            number = getattr(self, name)
            if number is not None and not least <= number <= most:
                raise UsageError(f"{name}: expected {least:g} to {most:g}, got {number!r}")
        if self.sandbox and self.device == "cuda":
            raise UsageError("--sandbox: it runs on the CPU only; leave --device cuda away")
        for name in ("plugins", "noise", "imbalance", "roots"):
            value = getattr(self, name)
            if isinstance(value, str | Path):
                object.__setattr__(self, name, (value,))
