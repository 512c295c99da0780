"""A board run and read from Python."""

from __future__ import annotations

import sys
import types

import pytest

import benchbase
from benchbase.errors import UsageError

BOARD = """
weighters = ["erm"]
reference = "erm"
seeds = 1

[[scenarios]]
train_size = 60
noise = ["symmetric:0.4"]
imbalance = [1]
recipe = { epochs = 1 }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory, make_home):
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("boards") / "tiny.toml"
    path.write_text(BOARD)
    return path


@pytest.fixture(scope="module")
def results(home, path, shared_server):
    return benchbase.run(board=str(path), home=home, device="cpu", jobs=1)


def test_a_board_runs_and_its_cells_are_rows(results, path):
    [row] = results.rows
    assert (row["method"], row["dataset"], row["seed"], row["status"]) == ("erm", "nuclei", 0, "ok")
    assert 0 <= row["balanced_accuracy"] <= 1
    assert results.board == benchbase.load_board(str(path))
    assert all(file.is_file() for file in results.written)


def test_what_was_run_is_read_again_and_found_again(results, home, path):
    assert benchbase.load_results(home=home).rows == results.rows
    assert benchbase.load_results(str(path), home).rows == results.rows
    again = benchbase.run(board=str(path), home=home, device="cpu")
    assert again.rows == results.rows


def test_rows_become_a_data_frame_where_pandas_is_installed(results, monkeypatch):
    pandas = types.SimpleNamespace(DataFrame=lambda rows: ("frame", rows))
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert results.to_pandas() == ("frame", results.rows)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        results.to_pandas()


def test_an_option_that_does_not_exist_is_a_type_error(home):
    with pytest.raises(TypeError, match="pluggins"):
        benchbase.run(pluggins="erm", home=home)
