from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from benchbase.judging.ranking import Ranking


def drawn(*, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(3))
    positive = rng.random(400) < 0.3
    values = rng.normal(size=400) + positive
    return (values.round(0) if ties else values), positive


@pytest.mark.parametrize("ties", [False, True])
def test_areas_agree_with_scikit_learn(ties):
    values, positive = drawn(ties=ties)
    ranking = Ranking.of(values, positive)
    assert ranking.auroc == pytest.approx(sk.roc_auc_score(positive, values), abs=1e-12)
    expected = sk.average_precision_score(positive, values)
    assert ranking.average_precision == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_points_lie_on_scikit_learn_s_curve(ties):
    values, positive = drawn(ties=ties)
    alarms, hits, _ = sk.roc_curve(positive, values, drop_intermediate=False)
    last = np.append(alarms[1:] != alarms[:-1], True)
    grid = np.linspace(0, 1, 33)
    found = Ranking.of(values, positive).hit_rates(grid)
    assert found == pytest.approx(np.interp(grid, alarms[last], hits[last]))


@pytest.mark.parametrize("specificity", [0.0, 0.5, 0.9, 1.0])
def test_sensitivity_is_that_of_the_best_threshold_that_keeps_the_specificity(specificity):
    values, positive = drawn(ties=False)
    found = Ranking.of(values, positive).sensitivity(specificity)
    thresholds = [*values, np.inf]
    by_hand = max(
        (values[positive] >= threshold).mean()
        for threshold in thresholds
        if (values[~positive] < threshold).mean() >= specificity
    )
    assert found == pytest.approx(by_hand)


@pytest.mark.parametrize("positive", [[], [True], [False, False]])
def test_one_kind_alone_cannot_be_told_from_another(positive):
    assert Ranking.of(np.ones(len(positive)), np.array(positive, dtype=bool)) is None
