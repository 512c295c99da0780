"""The report of a card is whole before there is a card: here the CPU stands for one."""

from __future__ import annotations

import json

import pytest
import torch

from tests import gpu_report
from tests.running import installed


def test_without_a_card_it_says_so_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "finds no GPU here" in str(gpu_report.main(tmp_path / "report.json"))
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_it_tells_of_every_plugin_and_of_the_first_cells():
    entry = installed().find("weighters", "erm")
    told = gpu_report.report("cpu", [(entry.kind, entry.source, entry.name)], cells=False)
    assert json.loads(json.dumps(told)) == told
    assert (told["failed"], told["far from the CPU"], told["cells"]) == ([], [], [])
    [plugin] = told["plugins"]
    assert (plugin["name"], plugin["differences"]) == ("erm", [0.0, 0.0, 0.0])
