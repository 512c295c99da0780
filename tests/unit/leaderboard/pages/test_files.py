from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchbase.boards.board import load_board
from benchbase.cli.leaderboard import leaderboard
from benchbase.errors import StoreError
from benchbase.leaderboard import board_files, build, index_text, write_board, write_index
from benchbase.leaderboard.pages.files import differing_pages
from benchbase.leaderboard.verifying import evidence_of
from benchbase.records.committed import Committed
from tests.unit.made_records import (
    make_board,
    make_record,
    make_records,
    make_relabelling,
    make_scenario,
)

TEXT = """
title = "Kidneys and wrong labels"
weighters = ["plain", "clever"]
seeds = 3

[[scenarios]]
noise = ["none", "symmetric:0.4"]
imbalance = [1]
"""


def test_a_board_is_four_files(tmp_path):
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    paths = write_board(tmp_path / "demo", board, records)
    assert [path.name for path in paths] == [
        "README.md",
        "leaderboard.csv",
        "leaderboard.json",
        "differences.svg",
    ]
    texts = {path.name: path.read_text() for path in paths}
    evidence = evidence_of(tmp_path / "demo", board, records)
    assert texts == board_files(board, records, evidence)
    write_board(tmp_path / "demo", board, records)
    assert {path.name for path in (tmp_path / "demo").iterdir()} == set(texts)


def bought(board, *scenarios):
    heights = make_relabelling({0: 0.5, 40: 0.8})
    return [
        make_record("plain", board.scenarios[index], relabelling=heights) for index in scenarios
    ]


def test_charts_that_the_page_does_not_name_any_more_are_deleted(tmp_path):
    board = make_board(scenarios=[make_scenario(rate, label_budget=40) for rate in (0.2, 0.4)])
    write_board(tmp_path, board, bought(board, 0, 1))
    kept = ["labels-bought-1.svg", "labels-bought-by-hand.svg", "labels-bought-2.svg.txt"]
    for name in kept[1:]:
        (tmp_path / name).write_text("a user's own")
    before = {path.name for path in tmp_path.iterdir()}
    write_board(tmp_path, board, bought(board, 0))
    assert before - {path.name for path in tmp_path.iterdir()} == {"labels-bought-2.svg"}
    assert all((tmp_path / name).exists() for name in kept)


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        write_board(tmp_path / "demo", make_board(), [])


def test_the_index_lists_every_board_with_its_leaders(tmp_path):
    for name in ("kidneys", "empty"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "board.toml").write_text(TEXT)
    board = load_board(str(tmp_path / "kidneys"))
    Committed(tmp_path / "kidneys").merge(make_records(board, {"plain": 0.7, "clever": 0.8}))
    path = write_index(tmp_path)
    assert path == tmp_path / "README.md"
    *lines, known = [line for line in path.read_text().splitlines() if "Kidneys" in line]
    assert known.startswith("- Kidneys and wrong labels: clever is best (provisional: ")
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines] == [
        [
            "[Kidneys and wrong labels](empty/board.toml)",
            *("nuclei", "2", "3", "–", "*not run yet*", "–"),
        ],
        [
            "[Kidneys and wrong labels](kidneys/README.md)",
            *("nuclei", "2", "3", "2", r"clever\*", "78.6 ± 2.5"),
        ],
    ]


def test_the_index_takes_tables_that_are_made(tmp_path):
    (tmp_path / "kidneys").mkdir()
    (tmp_path / "kidneys" / "board.toml").write_text(TEXT)
    board = load_board(str(tmp_path / "kidneys"))
    Committed(tmp_path / "kidneys").merge(make_records(board, {"plain": 0.7, "clever": 0.8}))
    table = build(board, Committed(tmp_path / "kidneys").records())
    written = index_text(tmp_path)
    (tmp_path / "kidneys" / "results" / "nuclei" / "plain.jsonl").write_text("unread")
    assert index_text(tmp_path, {"kidneys": table}) == written


def test_the_index_of_no_boards_is_a_page(tmp_path: Path):
    assert index_text(tmp_path).startswith("# Leaderboards\n")


FROZEN = TEXT.replace("seeds = 3", 'seeds = 3\nfrozen = "protocol 1"')


@pytest.fixture
def frozen(tmp_path, monkeypatch):
    """A board whose records and page nobody can read or write any more."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "old"
    (folder / "results").mkdir(parents=True)
    (folder / "board.toml").write_text(FROZEN)
    (folder / "results" / "nuclei").mkdir()
    (folder / "results" / "nuclei" / "plain.jsonl").write_text("a record of another schema\n")
    (folder / "README.md").write_text("as it was")
    return folder


def test_a_frozen_board_is_not_rebuilt(frozen):
    rebuilt = CliRunner().invoke(leaderboard, catch_exceptions=False)
    assert rebuilt.output == "leaderboards/README.md\n"
    assert (frozen / "README.md").read_text() == "as it was"


def test_the_index_says_that_a_frozen_board_is_being_made_anew(frozen):
    lines = [line for line in index_text(frozen.parent).splitlines() if "(old/" in line]
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines] == [
        [
            *("[Kidneys and wrong labels](old/README.md)", "nuclei", "2", "3", "–"),
            *("*made under protocol 1, being made anew*", "–"),
        ]
    ]


def test_a_board_without_results_gets_no_page(frozen):
    new = frozen.parent / "new"
    new.mkdir()
    (new / "board.toml").write_text(TEXT)
    CliRunner().invoke(leaderboard, catch_exceptions=False)
    assert [path.name for path in new.iterdir()] == ["board.toml"]


def test_a_frozen_board_without_results_is_not_listed(frozen):
    shutil.rmtree(frozen / "results")
    assert "(old/" not in index_text(frozen.parent)


def test_edited_lacking_and_left_over_pages_differ(tmp_path):
    folder, board, records = tmp_path, make_board(seeds=2), [make_record(seed=0)]
    paths = write_board(folder, board, records)
    evidence = evidence_of(folder, board, records)
    assert differing_pages(folder, board, records, evidence) == (len(paths), [])
    (folder / "README.md").write_text("edited")
    (folder / "leaderboard.csv").unlink()
    (folder / "labels-bought-3.svg").write_text("<svg/>")
    count, differing = differing_pages(folder, board, records, evidence)
    assert count == len(paths) + 1
    assert sorted(path.name for path in differing) == [
        "README.md",
        "labels-bought-3.svg",
        "leaderboard.csv",
    ]
