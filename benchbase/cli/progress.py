"""Shows a sweep on stderr: a bar over all, a line for each running cell; plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from benchbase.boards.conditions import scenario_text
from benchbase.pipeline import Watch
from benchbase.records.record import Record
from benchbase.running.executors.contract import Job
from benchbase.running.settings import Progress as CellProgress


def describe(job: Job) -> str:
    """Name a cell in a line: weighter, condition, seed."""
    return f"{job.cell.weighter.label} | {condition_text(job)} | seed {job.cell.seed}"


def condition_text(job: Job) -> str:
    """Name a cell's data and what they are put under."""
    return f"{job.cell.scenario.data} {scenario_text(job.cell.scenario)}"


class _Named(ProgressColumn):
    """A time, and which one it is."""

    def __init__(self, name: str, time: ProgressColumn) -> None:
        super().__init__(Column(no_wrap=True))
        self._name = name
        self._time = time

    def render(self, task: Task) -> Text:
        """Write ``0:01:10 left``."""
        return Text.assemble(self._time(task), f" {self._name}")  # type: ignore[arg-type]


def make_bars(console: Console, *, live: bool) -> Progress:
    """Draw a line for each task: its label, how far it is, its times."""
    return Progress(
        TextColumn(
            "{task.description}",
            markup=False,
            # The one column that gives way on a narrow terminal.
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        _Named("gone", TimeElapsedColumn()),
        _Named("left", TimeRemainingColumn()),
        TextColumn("{task.fields[note]}", markup=False),
        expand=True,
        console=console,
        disable=not live,
    )


HEARTBEAT_SECONDS = 60.0
"""Without a terminal, how long it is silent at most while cells run."""


class Display(Watch):
    """Hears of cells from several threads; draws only on a terminal."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True)
        self._live = sys.stderr.isatty()
        self._total = total
        self._done = 0
        self._began = time.monotonic()
        self._lines: dict[str, TaskID] = {}
        self._bars = make_bars(self._console, live=self._live)
        self._overall = self._bars.add_task("all cells", total=total, note="")
        self._said = time.monotonic()
        self._ended = threading.Event()

    def __enter__(self) -> Display:  # noqa: PYI034 - beartype cannot check Self here
        self._bars.start()
        if not self._live:
            threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._bars.stop()

    def _beat(self) -> None:
        """Say how far the running cells are whenever nothing was said for a while."""
        while not self._ended.wait(HEARTBEAT_SECONDS / 10):
            if time.monotonic() - self._said > HEARTBEAT_SECONDS:
                running = [task for task in self._bars.tasks if task.id != self._overall]
                cells = ", ".join(
                    f"{task.description} (epoch {task.completed:g} of {task.total or 0:g})"
                    for task in running
                )
                self.say(f"[{self._done}/{self._total}] running: {cells or 'nothing'}")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._said = time.monotonic()
        self._bars.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def started(self, job: Job) -> None:
        """Add the cell's line."""
        epochs = job.cell.scenario.recipe.epochs
        self._lines[job.cell.key] = self._bars.add_task(describe(job), total=epochs, note="")

    def heard(self, progress: CellProgress) -> None:
        """Move the cell's line; only what the method itself reports is shown."""
        loss = progress.notes.get("loss")
        self._bars.update(
            self._lines[progress.job.cell.key],
            completed=progress.checkpoints,
            note="" if loss is None else f"loss {loss:.3f}",
        )

    def finished(self, job: Job, record: Record | None) -> None:
        """Take the cell's line away; a failure stays to be read, and so does a lost record."""
        self._bars.remove_task(self._lines.pop(job.cell.key))
        self._bars.advance(self._overall)
        self._done += 1
        if record is None:
            self.say(f"not recorded: {describe(job)}")
        elif record.status != "ok":
            self.say(f"{record.status}: {describe(job)}: {record.reason}")
        elif not self._live:
            seconds = record.cost.seconds_total
            left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            self.say(
                f"[{self._done}/{self._total}] {describe(job)}: {seconds:.1f} s, "
                f"about {left / 60:.0f} min left"
            )
