"""What ``--strict`` refuses, on a data set of a few images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchbase import pipeline
from benchbase.boards.order import Order
from benchbase.boards.plan import Condition
from benchbase.boards.strict import refuse_leaks
from benchbase.cell import Scenario
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.errors import DataError, UsageError
from benchbase.pipeline import prepare
from benchbase.plugins import Catalogue
from tests.unit.jobs import NoServer, make_job


@dataclass(frozen=True)
class Greys(DataSet):
    """Images of one grey each; the first ``leaked`` of test are the last ones of train."""

    leaked: int = 0
    with_patients: bool = False

    name = "greys"

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        greys = np.arange(12, dtype=np.uint8).repeat(4).reshape(12, 1, 2, 2)
        labels = np.arange(8) % 2
        test = np.concatenate([greys[8 - self.leaked : 8], greys[8 + self.leaked :]])
        groups = np.arange(8) // 2
        return DataParts(
            classes=("dark", "light"),
            train=Part(greys[:8], labels),
            test=Part(test, labels[:4]),
            groups=groups if self.with_patients else None,
            test_groups=np.array([9, 3, 9, 9]) if self.with_patients else None,
        )


def condition(dataset: DataSet, cache: Path) -> Condition:
    parts = {"dataset": dataset, "roots": (), "cache": cache}
    return Condition(Scenario(dataset=dataset.name), 0, parts, make_job("plain").backbone)


def test_data_without_leaks_pass(cache: Path) -> None:
    refuse_leaks([condition(Greys(), cache)] * 3)


def test_leaked_data_are_refused_with_their_number_and_rows(cache: Path) -> None:
    with pytest.raises(DataError) as caught:
        refuse_leaks([condition(Greys(), cache), condition(Greys(4), cache)])
    assert (
        "leakage in greys: 4 training images that are in test too, such as rows 4 (0 in test)"
        in (str(caught.value))
    )
    assert "5 (1 in test), 6 (2 in test) (rows count from 0" in str(caught.value)


def test_patients_on_both_sides_are_refused(cache: Path) -> None:
    with pytest.raises(DataError, match=r"2 training images of groups .* rows 6 \(1 in test\), 7"):
        refuse_leaks([condition(Greys(with_patients=True), cache)])


def test_a_run_refuses_leaks_only_where_it_is_told_to(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "ForkServer", NoServer)
    monkeypatch.setattr(pipeline, "read_catalogue", lambda *_: Catalogue())
    monkeypatch.setattr(pipeline, "choose_executor", lambda *_: SimpleNamespace(trusted=False))
    monkeypatch.setattr(pipeline, "conditions", lambda *_, **__: [condition(Greys(4), cache)])
    with pytest.raises(DataError, match="leakage in greys"), prepare(Order(strict=True)):
        pass
    # Goes on to the next step, which finds no weighter.
    with pytest.raises(UsageError, match="unknown weighter"), prepare(Order()):
        pass
