"""Committed results only grow, but for a new protocol and for frozen boards."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.records.history import altered_results, whole_history

LINES = "leaderboards/one/results/plain.jsonl"
BYTES = "leaderboards/one/results/plain.npz"
BOARD = "leaderboards/one/board.toml"
PROTOCOL = "benchbase/cell.py"

Commit = Callable[[dict[str, str | bytes | None]], None]


def git(repository: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=repository, check=True, capture_output=True)


def put(repository: Path, files: dict[str, str | bytes | None]) -> None:
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    """Make a repository with one result; commit further files to it (None: goes away)."""

    def commit(files: dict[str, str | bytes | None]) -> None:
        put(tmp_path, files)
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", "a change")

    git(tmp_path, "init", "--quiet")
    commit({PROTOCOL: 'PROTOCOL = "v1"\n'})
    commit({BOARD: 'title = "One"\n', LINES: "first\nsecond\n", BYTES: b"\0one"})
    return commit


def altered(repository: Path) -> list[str]:
    return [line.rpartition(" ")[2] for line in altered_results(repository)]


def test_lines_and_files_may_be_added(commit: Commit, tmp_path: Path) -> None:
    commit({LINES: "first\nsecond\nthird\n"})
    put(tmp_path, {"leaderboards/one/results/other.npz": b"\0other"})
    git(tmp_path, "add", "--all")
    assert altered(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [(LINES, "first\nother\n"), (LINES, "second\n"), (LINES, None),
     (BYTES, b"\0two"), (BYTES, None)],
    ids=["a line changed", "a line gone", "lines gone", "bytes changed", "bytes gone"],
)  # fmt: skip
def test_whatever_was_there_stays(
    commit: Commit, tmp_path: Path, file: str, content: str | bytes | None
) -> None:
    put(tmp_path, {file: content})
    assert altered_results(tmp_path) == [f"not committed {file}"]
    commit({file: content})
    commit({"README.md": "Said later.\n"})
    assert altered(tmp_path) == [file]


def test_what_was_put_back_was_altered_all_the_same(commit: Commit, tmp_path: Path) -> None:
    commit({LINES: "first\n"})
    commit({LINES: "first\nsecond\n"})
    assert altered(tmp_path) == [LINES]


def test_a_new_protocol_begins_anew(commit: Commit, tmp_path: Path) -> None:
    put(tmp_path, {PROTOCOL: 'PROTOCOL = "v2"\n', LINES: None})
    assert altered(tmp_path) == []
    commit({})
    assert altered(tmp_path) == []
    commit({BYTES: None})
    assert altered(tmp_path) == [BYTES]


def test_a_frozen_board_may_be_replaced(commit: Commit, tmp_path: Path) -> None:
    commit({BOARD: 'title = "One"\nfrozen = "protocol 1"\n'})
    commit({BOARD: 'title = "One"\n', LINES: "new\n"})
    assert altered(tmp_path) == []
    commit({LINES: "newer\n"})
    assert altered(tmp_path) == [LINES]


def test_a_clone_without_its_past_is_told(commit: Commit, tmp_path: Path) -> None:
    assert whole_history(tmp_path)
    shallow = tmp_path.parent / f"{tmp_path.name} shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", tmp_path.as_uri(), str(shallow))
    assert not whole_history(shallow)
    assert not whole_history(Path("/"))
