"""Ratios for the table at the end of a run, and measurements in processes of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.benchmarks.ratios import Ratio, read, table, write
from tests.benchmarks.scripts import ROOT, figures_of

Measure = Callable[..., dict[str, float]]
RATIOS = pytest.StashKey[dict[str, Ratio]]()
KEPT = ROOT / ".benchmarks" / "ratios.json"


@pytest.fixture
def hold(request, benchmark) -> Callable[..., None]:
    """Note a ratio for the table at the end of the run, and hold it to its limit."""

    def noted(name: str, value: float, limit: float, *, at_least: bool = False) -> None:
        ratio = Ratio(value, limit, at_least)
        if benchmark.enabled:
            request.config.stash.setdefault(RATIOS, {})[name] = ratio
        assert ratio.holds, f"{name}: {value:.3f}, the limit is {limit:g}"

    return noted


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Print the ratios beside those of the last run, and keep them for the next."""
    ratios = config.stash.get(RATIOS, {})
    if not ratios:
        return
    terminalreporter.section("ratios")
    for line in table(ratios, read(KEPT)):
        terminalreporter.line(line)
    write(KEPT, ratios)


@pytest.fixture
def measure(benchmark) -> Measure:
    """Run a script beside this file; give its figures, which go into the benchmark's record."""

    def run(script: str, *arguments: str) -> dict[str, float]:
        if not benchmark.enabled:
            pytest.skip("timing is switched off")
        figures: dict[str, float] = benchmark.pedantic(figures_of, (script, *arguments), rounds=1)
        benchmark.extra_info.update(figures)
        return figures

    return run
