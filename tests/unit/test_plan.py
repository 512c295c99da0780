from __future__ import annotations

import dataclasses

from benchbase.plan import conditions, contestants, make_jobs
from benchbase.plugins import describe, resolve_source
from benchbase.scenario import Board
from tests.running import TINY


def test_controls_run_at_the_first_three_seeds_in_every_scenario(cache):
    scenarios = (TINY, dataclasses.replace(TINY, noise_rate=0.1))
    board = Board("test", "test", scenarios, (5, 0, 3, 1), ("erm",), "erm", controls=("focal",))
    plugins = {source: describe(source) for source in map(resolve_source, ("erm", "focal"))}
    jobs = make_jobs(
        conditions(board, (), cache),
        contestants(board.weighters, plugins),
        contestants(board.controls, plugins),
    )
    ran = [(job.cell.weighter.name, job.cell.scenario.noise_rate, job.cell.seed) for job in jobs]
    assert ran == [
        (name, rate, seed)
        for seed in board.seeds
        for rate in (0.3, 0.1)
        for name in ("erm", "focal")
        if name == "erm" or seed != 1
    ]
