"""Where boards and suites are looked for, and where their pages go."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbase.boards.places import (
    board_folder,
    board_name,
    find_board,
    is_built_in,
    leaderboards_of,
)
from benchbase.errors import UsageError


def board(root: Path, name: str) -> Path:
    path = root / "leaderboards" / name / "board.toml"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_a_name_is_a_built_in_board_or_a_folder_of_leaderboards(tmp_path):
    own = board(tmp_path, "mine")
    assert find_board("mine", tmp_path) == own
    assert find_board("quick", tmp_path).name == "quick.toml"
    assert is_built_in("quick")
    assert not is_built_in("mine")


def test_a_path_is_a_file_or_a_folder_with_a_board(tmp_path):
    own = board(tmp_path, "mine")
    assert find_board("leaderboards/mine", tmp_path) == own
    assert find_board(str(own), tmp_path) == own
    with pytest.raises(UsageError, match="there is no such file"):
        find_board("elsewhere/mine", tmp_path)


def test_a_name_that_is_none_is_told_the_nearest(tmp_path):
    board(tmp_path, "nuclei")
    with pytest.raises(UsageError, match=r"'nuclie'; did you mean nuclei\?"):
        find_board("nuclie", tmp_path)


def test_a_folder_cannot_hide_a_built_in_board(tmp_path):
    path = board(tmp_path, "quick")
    with pytest.raises(UsageError, match="'quick' is the name of a built-in board and of"):
        find_board("quick", tmp_path)
    assert find_board(str(path), tmp_path) == path


def test_pages_go_beside_a_board_toml_and_nowhere_else(tmp_path):
    own = board(tmp_path, "mine")
    loose = tmp_path / "loose.toml"
    loose.touch()
    assert board_folder("mine", tmp_path) == own.parent
    assert board_folder(str(loose)) is None
    assert board_folder("quick", tmp_path) is None


def test_an_index_is_written_only_where_leaderboards_lie(tmp_path):
    own = board(tmp_path, "mine")
    assert leaderboards_of(own.parent) == (tmp_path / "leaderboards").resolve()
    assert leaderboards_of(tmp_path / "elsewhere" / "mine") is None


def test_a_board_is_called_by_its_folder_or_its_file(tmp_path):
    assert board_name(tmp_path / "mine" / "board.toml") == "mine"
    assert board_name(tmp_path / "tiny.toml") == "tiny"
