"""The names that authors and users rely on: these, and no others."""

from __future__ import annotations

import subprocess
import sys

import pytest

import benchbase

PUBLIC = {
    # the contract
    "API_VERSION", "Batch", "Checkpoint", "Honesty", "Images", "LossWeighter", "Losses", "Need",
    "Recipe", "Step", "Task", "Weighter", "hookimpl", "option",
    # networks
    "Backbone", "Classifier", "ImageShape",
    # data
    "Card", "DataError", "DataParts", "DataSet", "Imbalance", "Invariances", "Noise", "Part",
    "SourceFile",
    # scores
    "Metric",
    # running and reading
    "load_board", "load_results", "run",
}  # fmt: skip


def test_the_public_names_are_exactly_these() -> None:
    assert set(benchbase.__all__) == PUBLIC
    assert len(benchbase.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(benchbase, name)
    if isinstance(value, type):
        assert value.__doc__
        assert value.__doc__.strip()
    assert name in dir(benchbase)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Wieghter'"):
        _ = benchbase.Wieghter


def test_importing_the_package_imports_neither_torch_nor_numpy() -> None:
    program = "import sys, benchbase; print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
