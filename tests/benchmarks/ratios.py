"""The ratios of a benchmark run: kept for the next one, and told beside the last ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ratio:
    """What was measured and how far it may go."""

    value: float
    limit: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is within its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def table(ratios: Mapping[str, Ratio], last: Mapping[str, float]) -> list[str]:
    """Give a line for each ratio: itself, its limit, the last run's."""
    wide = max(map(len, ratios))
    lines = [f"{'':{wide}}   ratio    limit    last"]
    for name, ratio in ratios.items():
        limit = f"{'>=' if ratio.at_least else '<='} {ratio.limit:g}"
        before = f"{last[name]:.3f}" if name in last else "-"
        broken = "" if ratio.holds else "   out"
        lines.append(f"{name:{wide}}  {ratio.value:6.3f}  {limit:>7}  {before:>6}{broken}")
    return lines


def read(path: Path) -> dict[str, float]:
    """Give the ratios of the last run; none where there was none."""
    return json.loads(path.read_text()) if path.exists() else {}


def write(path: Path, ratios: Mapping[str, Ratio]) -> None:
    """Keep these ratios, and those of benchmarks that did not run this time."""
    kept = read(path) | {name: ratio.value for name, ratio in ratios.items()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
