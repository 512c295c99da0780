from __future__ import annotations

import dataclasses
import time
from collections import Counter

import pytest

from benchbase import cell
from benchbase.boards.board import Board
from benchbase.boards.entrants import Entrants
from benchbase.boards.plan import Condition, Plan, conditions, contestants, is_named, make_jobs
from benchbase.boards.selectors import parse_selectors
from benchbase.cell import DataIdentity
from benchbase.cli.planned import plan_text
from benchbase.errors import UsageError
from benchbase.plugins import catalogue, loading
from tests.running import TINY, installed

ERM, FOCAL = parse_selectors(["erm"]), parse_selectors(["focal"])


def test_controls_run_at_the_first_three_seeds_in_every_scenario(cache):
    scenarios = (TINY, dataclasses.replace(TINY, noise_options={"rate": 0.1}))
    board = Board("test", "test", scenarios, (5, 0, 3, 1), ERM, ERM[0], controls=FOCAL)
    entrants = Entrants(
        contestants(board.weighters, installed(), {}),
        contestants(board.controls, installed(), {}),
        board,
    )
    jobs = make_jobs(conditions(board, installed(), (), cache), entrants.planned)
    ran = [(job.cell.weighter.name, job.cell.scenario.noise_options, job.cell.seed) for job in jobs]
    assert ran == [
        (name, {"rate": rate}, seed)
        for seed in board.seeds
        for rate in (0.3, 0.1)
        for name in ("erm", "focal")
        if name == "erm" or seed != 1
    ]


def test_a_ceiling_runs_at_every_seed(cache):
    yardsticks = {"weights": FOCAL[0]}
    board = Board(
        "test", "test", (TINY,), (5, 0, 3, 1), ERM, ERM[0], controls=FOCAL, yardsticks=yardsticks
    )
    entered, controls = (contestants(each, installed(), {}) for each in (ERM, FOCAL))
    planned = Entrants(entered, controls, board).planned
    jobs = make_jobs(conditions(board, installed(), (), cache), planned)
    assert [job.cell.seed for job in jobs if job.cell.weighter.name == "focal"] == [5, 0, 3, 1]


def test_a_selector_means_a_contestant_by_name_value_and_distribution():
    [contestant] = contestants(parse_selectors(["focal[gamma=3]"]), installed(), {})
    for texts in (["erm", "focal[gamma=1,3.0]"], ["benchbase-baselines:focal[gamma=3]"]):
        assert is_named(contestant, parse_selectors(texts))
    for texts in ([], ["focal"], ["focal[gamma=1,2]"], ["elsewhere:focal[gamma=3]"]):
        assert not is_named(contestant, parse_selectors(texts))


def test_a_thousand_seeds_load_each_plugin_once_and_hash_each_cell_once(cache, monkeypatch):
    calls: Counter[str] = Counter()

    def counted(name, function):
        def wrapper(*arguments):
            calls[name] += 1
            return function(*arguments)

        return wrapper

    monkeypatch.setattr(catalogue, "load_class", counted("load", loading.load_class))
    monkeypatch.setattr(cell, "content_hash", counted("key", cell.content_hash))
    monkeypatch.setattr(Condition, "identify", lambda _: DataIdentity("a", "b", "c"))
    board = Board("test", "test", (TINY,), tuple(range(1000)), (*ERM, *FOCAL), ERM[0])
    entered = Entrants(contestants(board.weighters, installed(), {}), (), board).planned
    began = time.process_time()
    plan = Plan(make_jobs(conditions(board, installed(), (), cache), entered), {})
    assert (len(plan.to_do), len(plan_text(plan, None, verbose=True).splitlines())) == (2000, 2010)
    assert calls == {"load": 3, "key": 2000}
    assert time.process_time() - began < 5


def test_a_noise_s_file_is_looked_for_beside_the_board(cache, tmp_path):
    scenario = dataclasses.replace(TINY, noise="matrix", noise_options={"file": "m.csv"})
    board = Board("test", "test", (scenario,), (0,), ERM, ERM[0])
    [condition] = conditions(board, installed(), (), cache, tmp_path / "boards")
    assert condition.parts["noise"].file == str(tmp_path / "boards" / "m.csv")
    assert condition.scenario.noise_options == {"file": "m.csv"}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"noise": "pair", "noise_options": {"rate": 3}}, r"pair\[rate=3\]: option rate: expected"),
        ({"noise": "pair", "noise_options": {"rat": 0.3}}, "unknown option 'rat'; did you mean ra"),
        ({"imbalance": "step", "imbalance_options": {"ratio": 0.5}}, "option ratio: .* at least 1"),
    ],
)
def test_options_of_noise_and_imbalance_are_checked_as_those_of_all_plugins(cache, fields, says):
    scenario = dataclasses.replace(TINY, **fields)
    board = Board("test", "test", (scenario,), (0,), ERM, ERM[0])
    with pytest.raises(UsageError, match=says):
        conditions(board, installed(), (), cache)


def test_data_are_decoded_elsewhere_on_another_machine(cache, tmp_path):
    board = Board("test", "test", (TINY,), (0,), ERM, ERM[0])
    [condition] = conditions(board, installed(), (), cache)
    there = condition.open(tmp_path / "there")
    assert there.identity == condition.open().identity
    assert any((tmp_path / "there").iterdir())
