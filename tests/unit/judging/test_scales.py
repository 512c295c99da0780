from __future__ import annotations

from benchbase.judging.scales import RANKABLE, SCALES


def test_a_failed_cells_zero_is_the_worst_that_a_ranking_score_can_be():
    assert all(SCALES[name].low == 0 for name in RANKABLE)
    assert not any(SCALES[name].lower_is_better for name in RANKABLE)
    assert "balanced_accuracy" in RANKABLE
    assert "mcc" not in RANKABLE
