"""What methods differ from the reference by in each scenario, all comparisons counted.

Methods that tie in the mean over scenarios may part in single ones, ahead here and behind there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from benchbase.judging.separation import least_difference, spread
from benchbase.judging.statistics import Estimate
from benchbase.leaderboard.headroom import Scores


def scenario_differences(
    cells: Mapping[str, Scores], reference: str, scenarios: Collection[int]
) -> dict[str, dict[int, Estimate]]:
    """Give the differences to the reference, paired by seed: label -> scenario -> difference.

    All intervals hold at once with 95 %: in a scenario by the studentised range, as the ranks do
    in the mean, with a spread of that scenario's own; over the scenarios by Bonferroni.

    Args:
        cells: label -> scores, shape (scenarios, seeds) with two seeds or more, nothing missing in
            ``scenarios``.
        reference: label of the row that the others are compared with; without its scores nothing
            is.
        scenarios: which to compare in.
    """
    if reference not in cells or len(cells) < 2:
        return {}
    others = [label for label in cells if label != reference]
    found: dict[str, dict[int, Estimate]] = {label: {} for label in others}
    for index in sorted(scenarios):
        scores = np.stack([cells[label][index] for label in cells])
        methods, seeds = scores.shape
        half = least_difference(spread(scores), methods, seeds, tables=len(scenarios))
        for label in others:
            mean = float((cells[label][index] - cells[reference][index]).mean())
            found[label][index] = Estimate(mean, mean - half, mean + half, seeds)
    return found
