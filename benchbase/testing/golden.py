"""Goldens: how something once came out, in a few numbers beside its tests.

In a cell's key a ``version`` stands for code. A golden fails where results change and the version
does not. Where torch and the processor are those that it was made with it holds bit for bit,
elsewhere to ``TOLERANCE``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from benchbase.cell import RESULTS_VERSION
from benchbase.files import replace_file
from benchbase.records.provenance import processor

RENEW = "--renew-goldens"
TOLERANCE = 1e-4
DECIMALS = 6

Row = Sequence[float | None]


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of one run."""

    bits: str
    """Hash of all of it, to the last bit."""
    rows: Sequence[Row]
    """The numbers that other machines must come near to."""


class Golden(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runs of one thing, what it states of itself, and where they ran."""

    version: str
    results_version: int
    torch: str
    cpu_capability: str
    runs: dict[str, Run]

    @classmethod
    def of(cls, version: str, runs: Mapping[str, Run]) -> Golden:
        """Note runs of this process."""
        return cls(
            version=version,
            results_version=RESULTS_VERSION,
            torch=str(torch.__version__),
            cpu_capability=processor(),
            runs={name: _rounded(run) for name, run in runs.items()},
        )

    @property
    def stated(self) -> tuple[str, int]:
        """The versions that the results are of: its own and benchbase's."""
        return self.version, self.results_version

    @property
    def torch_minor(self) -> list[str]:
        """What of torch's version is in every key."""
        return self.torch.split(".")[:2]

    @property
    def machine(self) -> str:
        """What decides about the last bits."""
        return f"torch {self.torch} on {self.cpu_capability}"


def guard(
    name: str, version: str, runs: Mapping[str, Run], path: Path, *, renew: bool = False
) -> None:
    """Compare with the golden in ``path``, or write that anew.

    It is only written over where results may differ: where a version was raised, or torch's minor
    version is another; and where they differ by rounding alone. What is benchbase's own, and in
    every key by ``RESULTS_VERSION``, has no ``version``.

    Raises:
        AssertionError: results changed and the version did not, or the golden is not there, of
            another version or of other runs; the message says what to do.
    """
    __tracebackhide__ = True
    now = Golden.of(version, runs)
    then = msgspec.json.decode(path.read_bytes(), type=Golden) if path.exists() else None
    if then is not None and then.stated == now.stated:
        differs = [*_differences(then, now)]
        if differs and not (renew and then.torch_minor != now.torch_minor):
            lines = "\n  ".join([*differs, f"({then.machine} then, {now.machine} now)"])
            raise AssertionError(f"{_told(name, version)} (pytest {RENEW})\n  {lines}")
    if renew:
        if then != now:
            replace_file(path, _text(now))
        return
    advice = f"pytest {RENEW} writes {path.name}; commit it"
    assert then is not None, f"{name} has no golden: {advice}"
    assert then.stated == now.stated, (
        f"the golden of {name} is of {then.stated}, its version and benchbase's RESULTS_VERSION "
        f"are {now.stated} now: {advice}"
    )
    others = sorted(then.runs.keys() ^ now.runs.keys())
    assert not others, f"{name} runs otherwise than its golden did ({', '.join(others)}): {advice}"


def _told(name: str, version: str) -> str:
    own = f"its version ({version!r}), or where benchbase's kit is why " if version else ""
    return (
        f"results of {name} changed: raise {own}RESULTS_VERSION of benchbase.cell, and renew the "
        "golden; delete that first where it is the test that changed"
    )


def _rounded(run: Run) -> Run:
    rows = [[None if each is None else round(each, DECIMALS) for each in row] for row in run.rows]
    return Run(run.bits, rows)


def _differences(then: Golden, now: Golden) -> Iterator[str]:
    """Tell of each run that both know where it first differs."""
    for name in sorted(then.runs.keys() & now.runs.keys()):
        one, other = then.runs[name], now.runs[name]
        far = [
            f"{name}, row {number}: {json.dumps(old)} then, {json.dumps(new)} now"
            for number, (old, new) in enumerate(zip(one.rows, other.rows, strict=False))
            if not _near(old, new)
        ]
        if len(one.rows) != len(other.rows):
            yield f"{name}: {len(one.rows)} rows then, {len(other.rows)} now"
        elif far:
            yield far[0]
        elif then.machine == now.machine and one.bits != other.bits:
            yield f"{name}: the same to {TOLERANCE:g}, not bit for bit"


def _near(old: Row, new: Row) -> bool:
    return len(old) == len(new) and all(
        one is other
        if one is None or other is None
        else math.isclose(one, other, rel_tol=0, abs_tol=TOLERANCE)
        for one, other in zip(old, new, strict=True)
    )


def _text(golden: Golden) -> str:
    """Write JSON with a line for each row, so that a change of results is easy to read."""
    whole = msgspec.to_builtins(golden)
    runs = ",\n".join(
        f"  {json.dumps(name)}: {_run_text(run)}" for name, run in sorted(whole.pop("runs").items())
    )
    head = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in whole.items())
    return f'{{\n{head} "runs": {{\n{runs}\n }}\n}}\n'


def _run_text(run: dict[str, Any]) -> str:
    if len(run["rows"]) < 2:
        return json.dumps(run)
    rows = ",\n".join(f"    {json.dumps(row)}" for row in run["rows"])
    return f'{{"bits": "{run["bits"]}", "rows": [\n{rows}\n  ]}}'
