"""What a run applies to all its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchbase.judging.extra import Extra
from benchbase.records.home import Home
from benchbase.records.record import Provenance
from benchbase.running.executors.contract import Job


@dataclass(frozen=True)
class Progress:
    """How far a running cell is."""

    job: Job
    checkpoints: int
    notes: dict[str, float]


@dataclass(frozen=True)
class Settings:
    """What a run applies to all its cells."""

    work: Path
    """Folder for the cells' files; each cell removes its own."""
    home: Home
    timeout: float
    """Seconds that a cell may take, from opening its data to its last prediction."""
    concurrent_cells: int
    provenance: Provenance
    trusted: bool = True
    models: Path | None = None
    """Folder to keep each cell's last model in."""
    extra_metrics: tuple[Extra, ...] = ()
    snapshot_every: float | None = 60.0
    """Seconds from one snapshot of a cell to its next; None keeps none."""
    cache: Path | None = None
    """Where data are decoded; None: where they were when the cells were planned."""
    heard: Callable[[Progress], None] | None = None
    """Hears of each judged checkpoint."""
