"""Which cells to run in which order, and which to leave, in the time that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchbase.advising.plan import GIVEN, INJECTED, RIGHT
from benchbase.boards.board import LEAST_SEEDS
from benchbase.boards.estimate import estimate_seconds
from benchbase.boards.plan import Plan
from benchbase.cell import Scenario
from benchbase.records.record import Record
from benchbase.running.executors.contract import Job

BEGUN = "the time ran out while it trained"


@dataclass(frozen=True)
class Block:
    """Cells that mean something together only."""

    name: str
    """The method, or what else is gained by them."""
    jobs: tuple[Job, ...]


@dataclass
class Schedule:
    """Gives one block after the other, while they fit the time."""

    jobs: Sequence[Job]
    reference: str
    scenarios: Mapping[str, Scenario]
    """What it shows -> the scenario."""
    records: dict[str, Record]
    """Key -> what was run or found; whoever runs the blocks adds to it."""
    slots: int
    left: Callable[[], float]
    """Gives the seconds that are left."""
    left_out: dict[str, str] = field(default_factory=dict)
    """What did not fit -> why."""

    def blocks(self) -> Iterator[Block]:
        """Give the reference, the methods at the least seeds, then more seeds for all of them.

        The first block is one cell of the reference in each scenario: it shows how long they take.
        """
        first, rest = range(1), range(1, LEAST_SEEDS)
        compared = [GIVEN, *([INJECTED] if INJECTED in self.scenarios else [])]
        yield Block(self.reference, self._cells(self.reference, compared, first))
        methods = list(dict.fromkeys(_label(job) for job in self.jobs))
        methods.remove(self.reference)
        least = (
            self._seconds(
                self._cells(self.reference, compared, rest)
                + self._cells(methods[0], compared, range(LEAST_SEEDS))
            )
            if methods
            else 0.0
        )
        if len(compared) > 1 and least > self.left():
            compared = [GIVEN]
            self.left_out[INJECTED] = _why(least)
        yield Block(self.reference, self._cells(self.reference, compared, rest))
        tried = [self.reference]
        for number, method in enumerate(methods):
            block = Block(method, self._cells(method, compared, range(LEAST_SEEDS)))
            if self._fits(block):
                yield block
                if all(job.cell.key in self.records for job in block.jobs):
                    tried.append(method)
                else:
                    self.left_out[method] = BEGUN
            if not number and INJECTED in compared:
                right = Block(RIGHT, self._cells(self.reference, [RIGHT], range(LEAST_SEEDS)))
                if self._fits(right):
                    yield right
        for seed in sorted({job.cell.seed for job in self.jobs})[LEAST_SEEDS:]:
            names = (each for one in tried for each in self._cells(one, compared, [seed]))
            block = Block(f"seed {seed}", tuple(names))
            if not self._fits(block):
                return
            yield block

    def _cells(self, method: str, compared: Iterable[str], seeds: Iterable[int]) -> tuple[Job, ...]:
        """Give a method's cells, paired: seed by seed, all scenarios of one beside each other."""
        wanted = [self.scenarios[each] for each in compared]
        return tuple(
            job
            for seed in seeds
            for job in self.jobs
            if job.cell.seed == seed and _label(job) == method and job.cell.scenario in wanted
        )

    def _fits(self, block: Block) -> bool:
        seconds = self._seconds(block.jobs)
        if seconds <= self.left():
            return True
        self.left_out[block.name] = _why(seconds)
        return False

    def _seconds(self, jobs: Sequence[Job]) -> float:
        """Estimate what is left of these cells; nothing where nothing like it has run."""
        plan = Plan(tuple(jobs), self.records)
        return estimate_seconds(plan, self.records.values(), self.slots) or 0.0


def _label(job: Job) -> str:
    return job.cell.weighter.label


def _why(seconds: float) -> str:
    return f"some {max(1, round(seconds / 60))} min more are needed"
