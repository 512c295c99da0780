"""Plans a stored cell again, with the code, data and versions of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchbase.boards.board import Suite
from benchbase.boards.plan import conditions, contestants, make_jobs
from benchbase.boards.selectors import Selector
from benchbase.cell import GIVEN, Spec
from benchbase.data.secret import Secret, refuse_without
from benchbase.errors import UsageError
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.running.executors.contract import Job


def plan_again(
    spec: Spec,
    catalogue: Catalogue,
    *,
    folder: Path,
    roots: Sequence[Path],
    cache: Path,
    given: Mapping[Source, tuple[Entry, ...]],
    secret: Secret | None = None,
) -> Job:
    """Give the cell as a run would plan it now; its key may be another one.

    ``folder`` is the board's, from which paths in a scenario are taken; ``given`` holds the
    weighters of a file or a module, which a record does not say where to find.

    Raises:
        UsageError: the weighter, a part of the scenario or the secret is not there.
        DataError: a data file is missing or damaged.
    """
    refuse_without(secret, spec.data)
    return plan_anew(
        spec, catalogue, folder=folder, roots=roots, cache=cache, given=given, secret=secret
    )


def plan_anew(
    spec: Spec,
    catalogue: Catalogue,
    *,
    folder: Path,
    roots: Sequence[Path],
    cache: Path,
    given: Mapping[Source, tuple[Entry, ...]],
    secret: Secret | None,
) -> Job:
    """Give the cell's method, scenario and seed, with split and noise drawn with this secret.

    Raises:
        UsageError, DataError: as ``plan_again``.
    """
    name, distribution = spec.weighter.name, spec.weighter.distribution
    options = tuple(sorted(spec.weighter.options.items()))
    selector = Selector(name, options, distribution)
    if distribution in GIVEN:
        given = {
            source: (entry,)
            for source, brought in given.items()
            for entry in brought
            if entry.name == name
        }
        if not given:
            raise UsageError(
                f"{name!r} came from a {distribution}, and a record does not say from where: name "
                "it with --plugin"
            )
        selector = Selector(next(iter(given)).target, options)
    suite = Suite(name, name, (spec.scenario,), (spec.seed,))
    places = conditions(
        suite, catalogue, roots, cache, beside=folder, data_beside=folder, secret=secret
    )
    entered = contestants([selector], catalogue, given)
    [job] = make_jobs(places, [(who, suite.seeds) for who in entered])
    return job


def differing_parts(stored: Spec, today: Spec) -> Iterator[tuple[str, Any, Any]]:
    """Give each part of a key that is another one today: its name, what it was, what it is."""
    before, after = (dict(_parts(msgspec.to_builtins(spec), "")) for spec in (stored, today))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _parts(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, part in value.items():
        yield from _parts(part, f"{name}.{key}" if name else str(key))
