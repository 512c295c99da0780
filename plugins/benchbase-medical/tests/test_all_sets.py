"""What holds for each data set: it loads, has a card, and says what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchbase_medical import register_datasets

from benchbase import DataError
from benchbase.plugins.catalogue import describe_installed
from benchbase.plugins.installed import find_installed

each = pytest.mark.parametrize("dataset", register_datasets(), ids=lambda dataset: dataset.name)


def test_every_data_set_is_in_the_catalogue() -> None:
    [installed] = [one for one in find_installed() if one.distribution == "benchbase-medical"]
    described = describe_installed(installed)
    assert described.problems == ()
    assert [entry.name for entry in described.entries] == [one.name for one in register_datasets()]


@each
def test_it_says_where_its_files_go(dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset().files([tmp_path])
    assert dataset.card.get in str(caught.value)


@each
def test_what_may_earn_no_money_says_so(dataset) -> None:
    card = dataset.card
    assert card.non_commercial == ("NC" in card.licence)
    assert not (card.examples_shown and card.non_commercial)
