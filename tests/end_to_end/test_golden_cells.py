"""Results do not move unnoticed: three cells as they came out when RESULTS_VERSION was 3.

Where a change of the kit's, the data's or the judge's arithmetic is meant, raise
``benchbase.cell.RESULTS_VERSION`` (so that old records are not taken for new ones) and write the
new figures here. The tolerances let rounding differ between processors and torch versions.
"""

from __future__ import annotations

import dataclasses

import pytest

from benchbase.cell import RESULTS_VERSION
from tests.running import make_job, run

GOLDEN_VERSION = 3
DATA = {
    "fingerprint": "fbf6fecb067c53d8623f521e0f093e61b30b83fd8cd74bc5464f4f456afdccc2",
    "split_hash": "a4557455d0056a1d2578dc6533964717222f84709ebecf0b378e9546f3d3e889",
    "labels_hash": "b18530ec06399b2c86887a0d45ff7dbf2b83c2161ac9f4687a9c559c2527f139",
}
BRIER = {"erm": 0.648854, "focal": 0.652822, "mwnet": 0.654825}
WEIGHT_AUROC = {"erm": 0.5, "focal": 0.2989, "mwnet": 0.2672}


def test_the_golden_figures_are_those_of_this_results_version():
    assert RESULTS_VERSION == GOLDEN_VERSION


@pytest.mark.parametrize("weighter", BRIER)
def test_a_golden_cell_comes_out_as_it_did(weighter, cache, server, tmp_path):
    job = make_job(weighter, cache)
    assert dataclasses.asdict(job.cell.data) == DATA
    result = run(job, server, tmp_path).result
    assert result.metrics["last"]["brier"].value == pytest.approx(BRIER[weighter], abs=1e-4)
    assert result.weights.auroc == pytest.approx(WEIGHT_AUROC[weighter], abs=0.01)
