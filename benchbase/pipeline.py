"""The program: read -> resolve -> plan -> run -> merge -> tabulate -> publish.

The command line puts options in and writes text; Python calls ``run``. Both go through here.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchbase.boards.entrants import Entrants, resolve, selectors_of
from benchbase.boards.order import Order
from benchbase.boards.plan import (
    Condition,
    Plan,
    conditions,
    found_again,
    given_sources,
    make_jobs,
)
from benchbase.boards.request import Request, read_request
from benchbase.boards.shard import of_shard
from benchbase.boards.strict import refuse_leaks
from benchbase.boards.thinning import thinned
from benchbase.data.own.description import describe
from benchbase.data.own.images import OwnImages
from benchbase.leaderboard.publish import publish
from benchbase.leaderboard.results import Results
from benchbase.plugins import Catalogue
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.records.record import Record
from benchbase.records.rescoring import scored_again
from benchbase.records.store import Store
from benchbase.running.executors.contract import Execution, Job
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.guarded import begin
from benchbase.running.executors.sandbox import Sandbox
from benchbase.running.extra_metrics import load_metrics
from benchbase.running.scouting import describe_sources, find_gpus, read_catalogue
from benchbase.running.settings import Progress, Settings
from benchbase.running.shield import shield_memory
from benchbase.running.sweep import Tally, sweep
from benchbase.running.workers import choose_devices, choose_executor


class Watch:
    """Hears of cells while they run; this one says nothing."""

    def started(self, job: Job) -> None:
        """Hear that a cell begins."""

    def heard(self, progress: Progress) -> None:
        """Hear of a judged checkpoint."""

    def finished(self, job: Job, record: Record | None) -> None:
        """Hear how a cell ended; None where its record could not be written."""


@dataclass(frozen=True)
class Ready:
    """A run before its first cell."""

    request: Request
    entrants: Entrants
    plan: Plan
    execution: Execution
    settings: Settings
    store: Store
    committed: Committed | None
    told: tuple[str, ...] = ()
    """What was read of images of one's own, and what an imbalance leaves of the data."""


def run(**options: Any) -> Results:
    """Run a board, or find what was run before; see ``Order`` for the options.

    They are those of ``benchbase run``: ``run(plugins=["./mine.py"], noise="pair:0.2", seeds=3)``.

    Raises:
        UsageError: it cannot be carried out as asked.
    """
    with prepare(Order(**options)) as ready:
        tally = carry_out(ready, Watch())
    return publish_run(ready, merge(ready, tally))


@contextmanager
def prepare(
    order: Order, read: Callable[[Order, Catalogue], Request] = read_request
) -> Iterator[Ready]:
    """Read the order, resolve its names and plan its cells, with processes to run them in."""
    home = Home.at(order.home)
    store = Store(home)
    server = ForkServer(Sandbox.here() if order.sandbox else None)
    try:
        with home.workspace() as work:
            catalogue = read_catalogue(server, home)
            request = read(order, catalogue)
            board = request.board
            committed = Committed(request.folder) if request.folder else None
            executor = choose_executor(order.executor, catalogue, order.sandbox)
            if executor.trusted:
                shield_memory()
            places = conditions(
                board,
                catalogue,
                order.roots,
                home.cache,
                beside=request.beside,
                data_beside=request.data_beside,
                secret=request.secret,
            )
            if order.strict:
                refuse_leaks(places)
            sources = given_sources((*selectors_of(board), *board.controls), catalogue)
            entrants = resolve(request, catalogue, describe_sources(server, sources, home))
            jobs = of_shard(make_jobs(places, entrants.planned), order.shard)
            # Whoever debugs wants to see the cell run, finished or not.
            done = (
                found_again(jobs, store, committed, retry_failed=order.retry_failed)
                if executor.trusted
                else {}
            )
            plan = Plan(jobs, done)
            elsewhere = executor.devices(order.device, order.jobs) if plan.to_do else None
            wants_gpus = order.device == "cuda" or (order.device == "auto" and plan.to_do)
            wants_gpus = wants_gpus and not order.sandbox  # which shows none
            gpus = find_gpus(server) if wants_gpus and not elsewhere else ()
            devices = elsewhere or choose_devices(order.device, order.jobs, gpus, executor)
            devices = devices[: max(1, len(plan.to_do))]
            settings = Settings(
                work=work,
                home=home,
                timeout=order.timeout,
                concurrent_cells=len(devices),
                provenance=gather(sys.argv[1:], executor.name, gpus, order.sandbox),
                trusted=executor.trusted,
                models=home.models if order.keep_models else None,
                extra_metrics=load_metrics(board, catalogue),
            )
            execution = begin(executor, server, devices)
            told = (*_own_data(places), *thinned(places))
            yield Ready(request, entrants, plan, execution, settings, store, committed, told)
    finally:
        server.close()


def _own_data(places: Sequence[Condition]) -> tuple[str, ...]:
    """Describe each data set of one's own, once."""
    own = {place.scenario.data: place.parts for place in places}
    return tuple(
        describe(name, parts["dataset"], parts["roots"], parts["cache"])
        for name, parts in own.items()
        if isinstance(parts["dataset"], OwnImages)
    )


def carry_out(ready: Ready, watch: Watch) -> Tally:
    """Run what is to do; each record is stored the moment it is there."""
    return sweep(
        ready.plan,
        ready.execution,
        dataclasses.replace(ready.settings, heard=watch.heard),
        ready.store,
        started=watch.started,
        finished=watch.finished,
    )


def merge(ready: Ready, tally: Tally) -> list[Record]:
    """Put what was found, with today's metrics, beside what was run."""
    found = scored_again(ready.plan.done, ready.settings.extra_metrics, ready.store)
    return [*{**found, **tally.records}.values()]


def publish_run(ready: Ready, records: Sequence[Record]) -> Results:
    """Tabulate the records and write the pages."""
    board, home = ready.entrants.board, ready.settings.home
    return publish(ready.request, board, ready.committed, records, home)
