"""From a board to its cells: which exist, which are done, how long the rest may take."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbase.backbones.weights import with_weights
from benchbase.boards.board import Board, Suite
from benchbase.boards.selectors import Selector, settle
from benchbase.cell import Cell, DataIdentity, Scenario, WeighterSpec, format_label
from benchbase.data.labels import DrawnLabels, draw_labels
from benchbase.data.opening import Opened, identify, open_scenario
from benchbase.data.secret import Secret
from benchbase.errors import UsageError
from benchbase.options import construct
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.plugins.source import given_source
from benchbase.records.committed import Committed
from benchbase.records.provenance import torch_minor
from benchbase.records.record import Record
from benchbase.records.store import Store, counting_attempt
from benchbase.running.executors.contract import Job


@dataclass(frozen=True)
class Contestant:
    """One row of the table to be: a weighter with one setting of its options."""

    spec: WeighterSpec
    entry: Entry


@dataclass(frozen=True)
class Plan:
    """All cells of a board, split into done and to do."""

    jobs: tuple[Job, ...]
    """Every cell, seed by seed, so that early results compare all weighters."""
    done: Mapping[str, Record]
    """Key -> the record that counts, for the cells that need not be run."""

    @functools.cached_property
    def to_do(self) -> tuple[Job, ...]:
        """Jobs without a finished record."""
        return tuple(job for job in self.jobs if job.cell.key not in self.done)


def given_sources(selectors: Iterable[Selector], catalogue: Catalogue) -> tuple[Source, ...]:
    """Find the files and modules among the selectors; imports none of them.

    Raises:
        UsageError: a file does not exist, or a name is neither installed nor a module.
    """
    found = [_given(selector.target, catalogue) for selector in selectors]
    return tuple(dict.fromkeys(source for source in found if source is not None))


def _given(name: str, catalogue: Catalogue) -> Source | None:
    """Tell which file or module a name means; None for an installed weighter."""
    if catalogue.matching("weighters", name):
        return None
    source = given_source(name)
    if source is None:
        try:
            catalogue.find("weighters", name)
        except UsageError as error:
            if Path(f"{name}.py").is_file():
                raise UsageError(f"{error}; the file is given as ./{name}.py") from None
            raise
    return source


def contestants(
    selectors: Sequence[Selector], catalogue: Catalogue, given: Mapping[Source, tuple[Entry, ...]]
) -> tuple[Contestant, ...]:
    """Find who is meant; a contestant named twice enters once.

    ``given`` holds the weighters of the files and modules among the selectors.
    """
    entered: dict[str, Contestant] = {}
    installed = {entry.name for entry in catalogue.of("weighters")}
    for selector in selectors:
        name = selector.target
        source = _given(name, catalogue)
        found = (catalogue.find("weighters", name),) if source is None else given[source]
        for entry in found:
            if source is not None and entry.name in installed:
                raise UsageError(
                    f"{source.target} calls its weighter {entry.name!r}, as an installed one is "
                    "called: rename it, so that no table mixes the two"
                )
            _enter(entered, entry, selector)
    return tuple(entered.values())


def _enter(entered: dict[str, Contestant], entry: Entry, selector: Selector) -> None:
    spec = WeighterSpec(
        name=entry.name,
        options=settle(selector, entry.options),
        source="" if entry.version else entry.source_hash,
        distribution=entry.distribution,
        version=entry.version,
    )
    known = entered.setdefault(spec.label, Contestant(spec, entry))
    if known.spec != spec:
        raise UsageError(
            f"two plugins bring a weighter called {spec.label!r} "
            f"({known.entry.source.target} and {entry.source.target}): rename one of them"
        )


def is_named(contestant: Contestant, selectors: Iterable[Selector]) -> bool:
    """Tell whether one of the selectors means this contestant."""
    spec, options = contestant.spec, contestant.entry.options
    return any(
        selector.name == spec.name
        and selector.owner in ("", spec.distribution)
        and settle(selector, options) == spec.options
        for selector in selectors
    )


def conditions(
    board: Board | Suite,
    catalogue: Catalogue,
    roots: Sequence[Path],
    cache: Path,
    beside: Path = Path(),
    *,
    data_beside: Path = Path(),
    secret: Secret | None = None,
) -> tuple[Condition, ...]:
    """Give every scenario at every seed, seed by seed; reads no data yet.

    A noise's file is relative to the folder ``beside``, where one's own data lie to
    ``data_beside``: those of the board which names them.

    Raises:
        UsageError: a data set, backbone, noise or imbalance does not exist.
        PluginError: the plugin of one does not load.
    """
    # Once a scenario, not once a seed: importing a plugin is slow, and there may be 1,000 seeds.
    shared = {"roots": tuple(roots), "cache": cache, "secret": secret}
    made = [_made(scenario, catalogue, shared, beside, data_beside) for scenario in board.scenarios]
    return tuple(
        Condition(scenario, seed, parts, backbone)
        for seed in board.seeds
        for scenario, (parts, backbone) in zip(board.scenarios, made, strict=True)
    )


def _made(
    scenario: Scenario,
    catalogue: Catalogue,
    shared: Mapping[str, Any],
    beside: Path,
    data_beside: Path,
) -> tuple[dict[str, Any], Entry]:
    """Build a scenario's data set, noise and imbalance, and find its backbone."""

    def build(kind: str, name: str, options: Mapping[str, Any], beside: Path) -> Any:
        cls = catalogue.find(kind, name).load()
        locations = cls.locations if kind == "datasets" else ("file",) if kind == "noises" else ()
        try:
            return construct(cls, _located(options, locations, beside))
        except UsageError as error:
            raise UsageError(f"{format_label(name, options)}: {error}") from None

    parts = {
        "dataset": build("datasets", scenario.dataset, scenario.dataset_options, data_beside),
        "noise": build("noises", scenario.noise, scenario.noise_options, beside),
        "imbalance": build("imbalances", scenario.imbalance, scenario.imbalance_options, beside),
        **shared,
    }
    # The backbone itself is code for the children; here its name must exist, no more.
    return parts, catalogue.find("backbones", scenario.backbone)


def _located(options: Mapping[str, Any], names: Sequence[str], folder: Path) -> dict[str, Any]:
    """Take the paths among the options from a folder."""
    return {
        name: str(folder / Path(value).expanduser()) if name in names and value else value
        for name, value in options.items()
    }


def make_jobs(
    conditions: Sequence[Condition], entered: Sequence[tuple[Contestant, Sequence[int]]]
) -> tuple[Job, ...]:
    """Give every cell of the contestants at their seeds; data identified before stay closed.

    Raises:
        UsageError: a scenario asks for what its data set cannot give.
        DataError: a data file is missing or damaged.
    """
    torch = torch_minor()
    jobs = []
    for condition in conditions:
        identity = condition.identify()
        network = condition.scenario.backbone_options
        backbone = with_weights(condition.backbone.identity, condition.backbone.name, network)
        for contestant in (who for who, seeds in entered if condition.seed in seeds):
            cell = Cell(
                weighter=contestant.spec,
                scenario=condition.scenario,
                data=identity,
                backbone_source=backbone,
                seed=condition.seed,
                torch=torch,
            )
            jobs.append(Job(cell, contestant.entry, condition.backbone, condition.open))
    return tuple(jobs)


def found_again(
    jobs: Iterable[Job], store: Store, committed: Committed | None, *, retry_failed: bool
) -> dict[str, Record]:
    """Find the records of cells that need not be run."""
    done = {}
    for job in jobs:
        key = job.cell.key
        found = [committed.finished(key) if committed else None, store.finished(key)]
        record = counting_attempt(each for each in found if each is not None)
        if record is not None and not (retry_failed and record.status != "ok"):
            done[key] = record
    return done


_opening = threading.Lock()
"""Held while a condition is opened, so that cells that begin together open it once."""


@functools.lru_cache(maxsize=2)
def _open_cached(condition: Condition, cache: Path | None) -> Opened:
    parts = {**condition.parts, "cache": cache or condition.parts["cache"]}
    return open_scenario(condition.scenario, condition.seed, **parts)


class Condition:
    """A scenario at a seed, ready to be identified or opened."""

    def __init__(
        self, scenario: Scenario, seed: int, parts: Mapping[str, Any], backbone: Entry
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.parts = parts
        """What ``open_scenario`` takes besides: data set, noise, imbalance, folders, secret."""
        self.backbone = backbone

    def identify(self) -> DataIdentity:
        """Give the hashes of the data."""
        return identify(self.scenario, self.seed, **self.parts)

    def draw_labels(self) -> DrawnLabels:
        """Draw what its cells are judged by, without the images."""
        return draw_labels(self.scenario, self.seed, **self.parts)

    def open(self, cache: Path | None = None) -> Opened:
        """Draw images and labels; the cells of one condition share them.

        They are kept for the cells of this condition and of the one before it: cells come condition
        by condition. ``cache`` is where data are decoded on another machine.
        """
        with _opening:
            return _open_cached(self, cache)
