"""From a board to its cells: which exist, which are done, how long the rest may take."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbase import registry
from benchbase.cell import JSON, Cell, DataIdentity, Scenario, WeighterSpec, canonical_json
from benchbase.data.contract import DataSet, Imbalance, Noise
from benchbase.data.opening import Opened, identify, open_scenario
from benchbase.errors import PluginError, UsageError
from benchbase.executors.contract import Job
from benchbase.executors.forkserver import ForkServer
from benchbase.options import OptionSpec, construct, expand, options_of, parse_selector
from benchbase.plugins import (
    PluginDescription,
    PluginSource,
    WeighterDescription,
    module_source_hash,
    resolve_source,
)
from benchbase.provenance import torch_minor
from benchbase.scenario import Board


@dataclass(frozen=True)
class Contestant:
    """One row of the table to be: a weighter with one setting of its options."""

    spec: WeighterSpec
    source: PluginSource
    description: WeighterDescription


@dataclass(frozen=True)
class Plan:
    """All cells of a board, split into done and to do."""

    jobs: tuple[Job, ...]
    """Every cell, seed by seed, so that early results compare all weighters."""
    done: Mapping[str, JSON]
    """Key -> the record that counts, for the cells that need not be run."""

    @property
    def to_do(self) -> tuple[Job, ...]:
        """Jobs without a finished record."""
        return tuple(job for job in self.jobs if job.cell.key not in self.done)


@dataclass(frozen=True)
class Scouted:
    """What the scout child found."""

    plugins: Mapping[PluginSource, PluginDescription]
    gpus: tuple[str, ...]


def scout(server: ForkServer, selectors: Iterable[str], *, gpus: bool) -> Scouted:
    """Describe the selectors' plugins in a child.

    Raises:
        UsageError: a name, file or module does not exist.
        PluginError: one does not load; the message says why.
    """
    sources = list({resolve_source(parse_selector(text).name): None for text in selectors})
    child = server.start("benchbase.scout")
    try:
        child.channel.send({"sources": [source.to_json() for source in sources], "gpus": gpus})
        reply, _ = child.channel.receive()
    except EOFError:
        names = ", ".join(source.target for source in sources)
        raise PluginError(
            f"a process that only imported {names} ended by itself: does a plugin exit on import?"
        ) from None
    finally:
        child.kill()
    plugins = {}
    for source, answer in zip(sources, reply["described"], strict=True):
        if "error" in answer:
            raise PluginError(answer["error"])
        plugins[source] = PluginDescription.from_json(answer["plugin"])
    return Scouted(plugins, tuple(reply["gpus"]))


def contestants(selectors: Sequence[str], scouted: Scouted) -> tuple[Contestant, ...]:
    """Expand each selector's grid of options; a contestant named twice enters once."""
    entered: dict[str, Contestant] = {}
    for text in selectors:
        selector = parse_selector(text)
        source = resolve_source(selector.name)
        for description in scouted.plugins[source].weighters:
            for options in expand(selector, description.options):
                spec = WeighterSpec(
                    name=description.name,
                    options=options,
                    source=description.source_hash,
                    distribution=description.distribution,
                    version=description.version,
                )
                known = entered.setdefault(spec.label, Contestant(spec, source, description))
                if known.spec != spec:
                    raise UsageError(
                        f"two plugins bring a weighter called {spec.label!r} "
                        f"({known.source.target} and {source.target}): rename one of them"
                    )
    return tuple(entered.values())


def make_jobs(
    board: Board, entered: Sequence[Contestant], roots: Sequence[Path], cache: Path
) -> tuple[Job, ...]:
    """Give every cell of the board; opens no data that was identified before.

    Raises:
        UsageError: a scenario asks for something that does not exist or cannot be had.
    """
    torch = torch_minor()
    jobs = []
    for seed in board.seeds:
        for scenario in board.scenarios:
            opening = _Opening(scenario, seed, tuple(roots), cache)
            identity = opening.identify()
            backbone = _backbone_source(scenario)
            for contestant in entered:
                cell = Cell(
                    weighter=contestant.spec,
                    scenario=scenario,
                    data=identity,
                    backbone_source=backbone,
                    seed=seed,
                    torch=torch,
                )
                jobs.append(Job(cell, contestant.source, contestant.description, opening.open))
    return tuple(jobs)


def estimate_seconds(plan: Plan, records: Iterable[JSON], slots: int) -> float | None:
    """Estimate the wall time of what is to do from cells that ran before; None where none did.

    A cell is taken to last as long as the median of the same weighter in the same scenario, else
    of the scenario, else of all.
    """
    known: dict[str, list[float]] = {}
    for record in records:
        seconds = record["cost"].get("seconds_total")
        if record["status"] == "ok" and seconds:
            scenario = canonical_json(record["spec"]["scenario"])
            for name in (record["spec"]["weighter"]["name"] + scenario, scenario, ""):
                known.setdefault(name, []).append(seconds)
    if not known:
        return None
    total = 0.0
    for job in plan.to_do:
        scenario = canonical_json(job.cell.scenario.to_json())
        names = (job.cell.weighter.name + scenario, scenario, "")
        total += statistics.median(next(known[name] for name in names if name in known))
    return total / slots


@functools.lru_cache(maxsize=8)
def _open_cached(opening: _Opening) -> Opened:
    return opening.open_now()


class _Opening:
    """A scenario at a seed, ready to be identified or opened; equal ones share what is open."""

    def __init__(
        self, scenario: Scenario, seed: int, roots: tuple[Path, ...], cache: Path
    ) -> None:
        self._scenario = scenario
        self._seed = seed
        self._roots = roots
        self._cache = cache
        self._dataset: DataSet = construct(
            registry.dataset(scenario.dataset), scenario.dataset_options
        )
        self._noise: Noise = construct(registry.noise(scenario.noise), scenario.noise_options)
        self._imbalance: Imbalance = construct(registry.imbalance(scenario.imbalance), {})

    def identify(self) -> DataIdentity:
        return identify(self._scenario, self._seed, **self._parts())

    def open(self) -> Opened:
        return _open_cached(self)

    def open_now(self) -> Opened:
        return open_scenario(self._scenario, self._seed, **self._parts())

    def _parts(self) -> dict[str, object]:
        return {
            "dataset": self._dataset,
            "noise": self._noise,
            "imbalance": self._imbalance,
            "roots": self._roots,
            "cache": self._cache,
        }


def _backbone_source(scenario: Scenario) -> str:
    """Hash the backbone's module; its options are checked in the parent by their text only."""
    found = registry.found_backbone(scenario.backbone)
    return module_source_hash(found.module)
