"""The report of a card is whole before there is a card: a pretend one stands for it."""

from __future__ import annotations

import json

import pytest

from benchbase.testing.accelerator import PRETEND, why_no_pretend
from tests import gpu_report
from tests.needs import need
from tests.running import installed
from tests.unit.made_records import make_record


def test_without_a_card_it_says_so_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu_report.main(tmp_path / "report.json") == 2
    assert "finds no GPU here" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_it_tells_of_every_plugin_on_the_card():
    need("pretend-accelerator", there=why_no_pretend() is None)
    told = gpu_report.report(PRETEND, [installed().find("weighters", "erm")], cells=False)
    assert json.loads(json.dumps(told)) == told
    assert (told["failed"], told["far from the CPU"], told["cells"]) == ([], [], [])
    assert told["plugins"]["erm"]["differences"] == [0.0, 0.0, 0.0]


def test_ratios_are_of_whole_trainings_to_those_of_erm():
    records = [make_record(name, seconds=each) for name, each in [("erm", 2.0), ("mwnet", 7.0)]]
    assert gpu_report.ratios([*records, *records]) == {"erm": 1.0, "mwnet": 3.5}
    assert gpu_report.ratios(records[1:]) == {}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({}, 0), ({"failed": ["vog"]}, 3), ({"cells": [{"label": "vog", "status": "oom"}]}, 3)],
)
def test_what_is_not_as_on_the_cpu_is_named(wrong, code, tmp_path, monkeypatch, capsys):
    told = {"failed": [], "far from the CPU": [], "cells": [], **wrong}
    monkeypatch.setattr(gpu_report, "_card", lambda: {"card": "one", "memory": 1})
    monkeypatch.setattr(gpu_report, "report", lambda *_, **__: told)
    assert gpu_report.main(tmp_path / "report.json") == code
    assert json.loads((tmp_path / "report.json").read_text()) == told
    assert ("not as on the CPU: vog" in capsys.readouterr().err) == bool(code)
