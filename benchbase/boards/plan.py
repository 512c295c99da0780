"""From a board to its cells: which exist, which are done, how long the rest may take."""

from __future__ import annotations

import functools
import hashlib
import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbase.boards.board import Board
from benchbase.cell import (
    JSON,
    Cell,
    DataIdentity,
    Scenario,
    WeighterSpec,
    canonical_json,
    content_hash,
)
from benchbase.data.opening import Opened, identify, open_scenario
from benchbase.errors import PluginError, UsageError
from benchbase.options import construct, expand, parse_selector
from benchbase.plugins import (
    PluginDescription,
    PluginSource,
    WeighterDescription,
    find_installed,
    module_source_hash,
    registry,
    resolve_source,
)
from benchbase.plugins.discovery import find_one, module_files_hash
from benchbase.records.provenance import torch_minor
from benchbase.records.store import write_text
from benchbase.running.executors.contract import Job
from benchbase.running.executors.forkserver import ForkServer

IMPORT_SECONDS = 300


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


def sources_of(selectors: Iterable[str]) -> tuple[PluginSource, ...]:
    """Find where the selectors' code lies; imports none of it.

    Raises:
        UsageError: a name, file or module does not exist.
    """
    return tuple({resolve_source(parse_selector(text).name): None for text in selectors})


def describe_all(
    server: ForkServer, sources: Sequence[PluginSource], cache: Path
) -> dict[PluginSource, PluginDescription]:
    """Describe plugins in a child, or from the cache where their code is what it was.

    Raises:
        PluginError: one does not load; the message says why.
    """
    known = {source: _recall(_described_at(source, cache)) for source in sources}
    unknown = [source for source, description in known.items() if description is None]
    if unknown:
        names = ", ".join(source.target for source in unknown)
        answers = _scout(server, {"describe": [source.to_json() for source in unknown]}, names)
        try:
            for source, answer in zip(unknown, answers, strict=True):
                if "error" in answer:
                    raise PluginError(answer["error"])
                known[source] = PluginDescription.from_json(answer["plugin"])
                if (path := _described_at(source, cache)) is not None:
                    write_text(path, canonical_json(answer["plugin"]))
        except (KeyError, TypeError, ValueError) as error:  # a plugin was imported there
            raise PluginError(f"importing {names} left a process that answers nonsense") from error
    return {source: description for source, description in known.items() if description}


def find_gpus(server: ForkServer) -> tuple[str, ...]:
    """Name the GPUs that torch sees; asked in a child, for CUDA does not survive a fork."""
    return tuple(map(str, _scout(server, {"gpus": True}, "torch")))


def _scout(server: ForkServer, request: JSON, names: str) -> list[Any]:
    child = server.start("benchbase.running.scout")
    child.channel.deadline = time.monotonic() + IMPORT_SECONDS
    try:
        child.channel.send(request)
        found = child.channel.receive()[0].get("found")
    except TimeoutError:
        raise PluginError(f"importing {names} did not end within {IMPORT_SECONDS} s") from None
    except (EOFError, OSError):
        raise PluginError(
            f"a process that only imported {names} ended by itself: does a plugin exit on import?"
        ) from None
    finally:
        child.kill()
    if not isinstance(found, list):
        raise PluginError(f"importing {names} left a process that answers nonsense")
    return found


def _described_at(source: PluginSource, cache: Path) -> Path | None:
    """Name the file that remembers a plugin's description while no file of it changes."""
    if source.kind == "file":
        code = hashlib.sha256(Path(source.target).read_bytes()).hexdigest()
    elif source.kind == "installed":
        found = find_one("weighters", source.target)
        code = content_hash([module_files_hash(found.module), found.distribution, found.version])
    else:
        return None  # a module may be a package of many files
    name = content_hash([source.to_json(), code, _own_code()])
    return cache / "descriptions" / f"{name}.json"


@functools.cache
def _own_code() -> str:
    """Hash benchbase itself: a plugin's options may come from a class of ours."""
    files = sorted(Path(__file__).parent.parent.rglob("*.py"))
    return content_hash([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])


def _recall(path: Path | None) -> PluginDescription | None:
    if path is None:
        return None
    try:
        return PluginDescription.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there yet, or damaged


def contestants(
    selectors: Sequence[str], plugins: Mapping[PluginSource, PluginDescription]
) -> tuple[Contestant, ...]:
    """Expand each selector's grid of options; a contestant named twice enters once."""
    entered: dict[str, Contestant] = {}
    installed = {found.name for found in find_installed("weighters")}
    for text in selectors:
        selector = parse_selector(text)
        source = resolve_source(selector.name)
        for description in plugins[source].weighters:
            if source.kind != "installed" and description.name in installed:
                raise UsageError(
                    f"{source.target} calls its weighter {description.name!r}, as an installed "
                    "one is called: rename it, so that no table mixes the two"
                )
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


def is_named(contestant: Contestant, selectors: Iterable[str]) -> bool:
    """Tell whether one of the selectors means this contestant, alone or in a grid."""
    spec, options = contestant.spec, contestant.description.options
    for selector in map(parse_selector, selectors):
        distribution, _, name = selector.name.rpartition(":")
        is_it = name == spec.name and distribution in ("", spec.distribution)
        if is_it and spec.options in expand(selector, options):
            return True
    return False


def conditions(board: Board, roots: Sequence[Path], cache: Path) -> tuple[Condition, ...]:
    """Give every scenario at every seed, seed by seed; reads no data yet.

    Raises:
        UsageError: a data set, backbone, noise or imbalance does not exist.
    """
    return tuple(
        Condition(scenario, seed, tuple(roots), cache)
        for seed in board.seeds
        for scenario in board.scenarios
    )


def make_jobs(
    conditions: Sequence[Condition],
    entered: Sequence[Contestant],
    controls: Sequence[Contestant] = (),
    control_seeds: Sequence[int] = (),
) -> tuple[Job, ...]:
    """Give every cell; data that were identified before are not opened again.

    Controls run at ``control_seeds`` only.

    Raises:
        UsageError: a scenario asks for what its data set cannot give.
        DataError: a data file is missing or damaged.
    """
    torch = torch_minor()
    jobs = []
    for condition in conditions:
        identity = condition.identify()
        for contestant in (*entered, *(controls if condition.seed in control_seeds else ())):
            cell = Cell(
                weighter=contestant.spec,
                scenario=condition.scenario,
                data=identity,
                backbone_source=condition.backbone_source,
                seed=condition.seed,
                torch=torch,
            )
            jobs.append(Job(cell, contestant.source, contestant.description, condition.open))
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
def _open_cached(condition: Condition) -> Opened:
    return open_scenario(condition.scenario, condition.seed, **condition.parts)


class Condition:
    """A scenario at a seed, ready to be identified or opened."""

    def __init__(self, scenario: Scenario, seed: int, roots: tuple[Path, ...], cache: Path) -> None:
        self.scenario = scenario
        self.seed = seed
        dataset = construct(registry.dataset(scenario.dataset), scenario.dataset_options)
        noise = construct(registry.noise(scenario.noise), scenario.noise_options)
        self.parts: dict[str, Any] = {
            "dataset": dataset,
            "noise": noise,
            "imbalance": construct(registry.imbalance(scenario.imbalance), {}),
            "roots": roots,
            "cache": cache,
        }
        # The backbone itself is code for the children; here its name must exist, no more.
        self.backbone_source = module_source_hash(registry.found_backbone(scenario.backbone).module)

    def identify(self) -> DataIdentity:
        """Give the hashes of the data."""
        return identify(self.scenario, self.seed, **self.parts)

    def open(self) -> Opened:
        """Draw images and labels; the cells of one condition share them."""
        return _open_cached(self)
