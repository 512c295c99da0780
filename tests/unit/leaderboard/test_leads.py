"""Leads over the reference: what is reported, what another seed is expected to reach."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.errors import UsageError
from benchbase.judging.statistics import NO_MATTER, least_of_another
from benchbase.leaderboard.leads import RISK, reported_leads
from tests.unit.made_records import CLEAN, NOISY, make_board, make_record

BOARD = make_board(("plain", "clever", "other"), [CLEAN, NOISY], seeds=3)
PLAIN = [0.60, 0.70, 0.80]
CLEVER = [0.72, 0.80, 0.91]
OTHER = [0.61, 0.73, 0.79]


def scored(name, scores, scenario=NOISY):
    return [make_record(name, scenario, seed, score) for seed, score in enumerate(scores)]


@pytest.fixture
def records():
    return [*scored("plain", PLAIN), *scored("clever", CLEVER), *scored("other", OTHER)]


def test_a_lead_is_paired_by_seed_and_its_spread_pooled_over_the_methods(records):
    [lead] = reported_leads(BOARD, records, [records[4]])
    assert lead.where == "clever on symmetric 0.4, 1:1, seed 1"
    assert (lead.record, lead.beside) == (records[4], records[1])
    leads = [np.subtract(scores, PLAIN) for scores in (CLEVER, OTHER)]
    spread = np.mean([np.var(each, ddof=1) for each in leads]) ** 0.5
    assert lead.reported == pytest.approx(0.11)
    assert lead.least == pytest.approx(least_of_another(leads[0], spread, 4, RISK))
    several = reported_leads(BOARD, records, [records[4], records[8], records[0]])
    assert [one.record for one in several] == [records[4], records[8]]
    assert several[0].least == pytest.approx(least_of_another(leads[0], spread, 4, RISK / 2))


def test_a_lead_that_is_lost_where_all_is_drawn_anew_is_told(records):
    [lead] = reported_leads(BOARD, records, [records[4]])
    holds, said = lead.verdict(0.80, 0.70)
    assert holds
    assert (
        said == "clever on symmetric 0.4, 1:1, seed 1: +11.0 points over plain reported, "
        "+10.0 where all is drawn anew: holds"
    )
    holds, said = lead.verdict(0.70, 0.70)
    assert not holds
    # 11.0 less 3.747 (t at 1 % with 4 degrees) times 1.58 (pooled) times the root of 4 / 3.
    assert said.endswith("+0.0 where all is drawn anew: expected at least +4.2")
    assert lead.verdict(0.95, 0.70)[0], "who is better than reported has nothing to explain"
    holds, said = lead.verdict(None, 0.70)
    assert not holds
    assert said.endswith("reported, no score where all is drawn anew")


def test_seeds_that_agree_to_the_last_digit_leave_some_room():
    records = [*scored("plain", [0.6] * 3), *scored("clever", [0.7] * 3)]
    [lead] = reported_leads(BOARD, records, [records[3]])
    assert lead.least == pytest.approx(0.1 - NO_MATTER)


def test_few_seeds_tell_no_spread():
    records = [*scored("plain", PLAIN[:2]), *scored("clever", CLEVER[:2])]
    with pytest.raises(UsageError, match=r"3 seeds are needed to tell how .*, there are 2"):
        reported_leads(BOARD, records, records)
