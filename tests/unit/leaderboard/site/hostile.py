"""A board of methods whose names would break a page that trusted them."""

from __future__ import annotations

import dataclasses

from benchbase.boards.board import Board
from benchbase.boards.selectors import Selector
from benchbase.records.record import Record
from tests.unit.made_records import changed, make_board, make_records, make_scenario

NAMES = {
    "plain": 0.70,
    "clever": 0.76,
    "<script>window.hurt = 1</script>": 0.72,
    "a|b_c*d": 0.69,
    "\N{RIGHT-TO-LEFT OVERRIDE}evil": 0.71,
    "x" * 200: 0.6,
}
GRANTS = {"clever": {"trusted": "clean"}, "a|b_c*d": {"own network": "granted"}}


def _diagnosed(record: Record) -> Record:
    """Let a record tell of its weights and of three classes."""
    ratio = record.spec.scenario.imbalance_options["ratio"]
    counts = [100, 50, int(100 / ratio)]
    curve = [(step / 32) ** 0.5 for step in range(33)]
    record = changed(
        record, "corruption", classes=["nucleus", "edge", "<i>rare</i>"], class_counts=counts
    )
    return changed(record, "weights", roc=curve, roc_per_class=[curve, curve, None])


def hostile_board() -> tuple[Board, list[Record]]:
    """Give the board and its records."""
    scenarios = [make_scenario(rate, ratio) for rate in (0.0, 0.2, 0.4) for ratio in (1.0, 10.0)]
    board = make_board(
        (),
        scenarios,
        seeds=3,
        title="<img src=x onerror='window.hurt = 2'>",
        description="<b>bold</b> & `more`",
    )
    records = [
        _diagnosed(record)
        for name, score in NAMES.items()
        for record in make_records(board, {name: score}, grants=GRANTS.get(name), auroc=0.7)
    ]
    return dataclasses.replace(board, weighters=tuple(map(Selector, NAMES))), records
