"""Finds out which method to use: looks at the noise, then runs the board's cells while they fit."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchbase.advising.advice import Advice, cut_to, named, paired
from benchbase.advising.injected import remember, remembered, write_injected
from benchbase.advising.plan import (
    GIVEN,
    INJECTED,
    RIGHT,
    recipe_of,
    request_of,
    training_images,
)
from benchbase.advising.schedule import Schedule
from benchbase.boards.order import Order
from benchbase.boards.plan import Plan
from benchbase.boards.request import Request
from benchbase.cell import Scenario
from benchbase.data import cache
from benchbase.errors import UsageError
from benchbase.judging.statistics import estimate
from benchbase.leaderboard.publish import publish
from benchbase.leaderboard.table import Table
from benchbase.pipeline import Ready, Watch, carry_out, merge, prepare
from benchbase.plugins import Catalogue
from benchbase.records.home import Home
from benchbase.records.record import Record
from benchbase.running.executors.contract import Execution
from benchbase.running.sweep import Tally
from benchbase.suspects import room as suspects_room
from benchbase.suspects.folds import TOO_LATE, estimate_noise
from benchbase.suspects.noise import Noise

LOOK_EPOCHS = 12
"""Of the networks that look at the noise, as `benchbase suspects` trains them."""
LOOK_SHARE = 0.4
"""Of the time, when the look at the noise must be over."""
WRITING_SHARE = 0.1
"""Kept for tables and words."""


@dataclass(frozen=True)
class Look:
    """The data set before anything of it is compared."""

    room: suspects_room.Room
    prepared: cache.Prepared
    noise: Noise | None
    """None where there was no time."""
    folder: Path
    """Where the estimate lies, and what is made of it."""


@dataclass(frozen=True)
class Budget:
    """When what must be over."""

    started: float
    seconds: float

    @property
    def look(self) -> float:
        """When the look at the noise must be over."""
        return self.started + LOOK_SHARE * self.seconds

    @property
    def cells(self) -> float:
        """When the last cell must be over: then tables are made."""
        return self.started + (1 - WRITING_SHARE) * self.seconds


def look_at(order: Order, budget: Budget, say: Callable[[str], None]) -> Look:
    """Read the data set, and estimate its noise or find the estimate of an earlier call.

    Raises:
        UsageError: it means nothing.
        DataError: the data set cannot be read or learned from.
    """
    found = suspects_room.prepare(dataclasses.replace(order, epochs=LOOK_EPOCHS), budget.look)
    parts = found.place.parts
    prepared = cache.prepare(parts["dataset"], parts["roots"], parts["cache"])
    folder = Home.at(order.home).advice(prepared.fingerprint)
    noise = remembered(folder / "noise.npz")
    if noise is None and not found.school.is_late:
        say("networks out of fold, to see what noise the labels suggest")
        noise = estimate_noise(found.school, found.images, found.workers)
        if noise is not None:
            remember(folder / "noise.npz", noise)
    return Look(found, prepared, noise, folder)


class Adviser:
    """Runs what fits the time and puts what came of it together."""

    def __init__(self, order: Order, look: Look, budget: Budget) -> None:
        self._order = order
        self._look = look
        self._deadline = budget.cells
        self._scenarios: dict[str, Scenario] = {}
        self._left_out: dict[str, str] = {}
        self.written: list[Path] = []
        """The pages."""

    @contextlib.contextmanager
    def ready(self) -> Iterator[Ready]:
        """Plan the board's cells, with processes to run them in."""
        look = self._look
        injected = None
        if look.noise is None:
            self._left_out[INJECTED] = TOO_LATE
        else:
            invariances = look.room.dataset.invariances
            injected = write_injected(look.folder, look.room.images, look.noise, invariances)
        recipe = recipe_of(
            look.room.place.scenario.recipe, training_images(look.prepared, look.room.place)
        )

        def read(order: Order, catalogue: Catalogue) -> Request:
            request, self._scenarios = request_of(order, catalogue, recipe, injected)
            return request

        with prepare(self._order, read) as ready:
            yield ready

    def run(self, ready: Ready, watch: Watch) -> list[Record]:
        """Run block after block; give all records that there are."""
        records = dict(ready.plan.done)
        schedule = Schedule(
            jobs=ready.plan.jobs,
            reference=ready.entrants.board.reference.label,
            scenarios=self._scenarios,
            records=records,
            slots=ready.settings.concurrent_cells,
            left=lambda: self._deadline - time.time(),
        )
        tally = Tally()
        with _stopped_at(self._deadline, ready.execution):
            for block in schedule.blocks():
                if ready.execution.ended.is_set():
                    self._left_out.setdefault(block.name, "the time ran out")
                    continue
                part = dataclasses.replace(ready, plan=Plan(block.jobs, records))
                ran = carry_out(part, watch)
                tally.records |= ran.records
                tally.lost += ran.lost
                records |= ran.records
        self._left_out |= schedule.left_out
        return merge(ready, tally)

    def conclude(self, ready: Ready, records: list[Record]) -> Advice:
        """Tabulate each way of asking, write its page, and put the advice together."""
        board, look = ready.entrants.board, self._look
        injected = self._table(ready, records, INJECTED)
        given = self._table(ready, records, GIVEN)  # last, so that `benchbase show` shows it
        parts = look.prepared.parts
        right = None
        if RIGHT in self._scenarios:
            right = estimate(
                paired(board, records, self._scenarios[RIGHT], self._scenarios[INJECTED])
            )
        return Advice(
            given=given,
            injected=injected,
            reference=board.reference.label,
            classes=look.room.images.classes,
            verified_tests=len(parts.test) if parts.test_verified else None,
            noise=look.noise,
            right=right,
            train_images=training_images(look.prepared, look.room.place),
            left_out=self._left_out,
        )

    def _table(self, ready: Ready, records: list[Record], what: str) -> Table | None:
        if what not in self._scenarios:
            return None
        board = cut_to(ready.entrants.board, self._scenarios[what], records)
        if board is None:
            return None
        request, board = named(ready.request, board, what)
        results = publish(request, board, None, records, ready.settings.home)
        self.written.append(results.written[0])
        if results.table.not_identifiable:
            self._left_out[what] = "the true class is not the most likely label there"
            return None
        return results.table


@contextlib.contextmanager
def over_at(deadline: float) -> Iterator[None]:
    """End what the main thread does when the time is over: reading data goes on another time.

    Raises:
        UsageError: it was over.
    """

    def over(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise UsageError("the time ran out before any method was trained: give more --budget")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, deadline - time.time()))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _stopped_at(deadline: float, execution: Execution) -> Iterator[None]:
    """End the cells in flight when the time is over; each resumes where it was, another time."""
    timer = threading.Timer(max(0.0, deadline - time.time()), execution.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
