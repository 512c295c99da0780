"""What a branch brings to a board: its new records, and what is wrong with how they come.

Everything here is told from data; no code of the branch is imported.
"""

from __future__ import annotations

import dataclasses
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchbase.boards.board import Board, load_board
from benchbase.boards.places import LEADERBOARDS
from benchbase.cell import GIVEN, normalise_distribution
from benchbase.errors import UsageError
from benchbase.leaderboard.cells import in_percent
from benchbase.leaderboard.choose import choose, means
from benchbase.leaderboard.compare import compare, data_sets
from benchbase.leaderboard.verifying import where
from benchbase.leaderboard.versions import of_one_version
from benchbase.records.committed import Committed
from benchbase.records.committed_predictions import lost_entries
from benchbase.records.history import changed_files, files_at
from benchbase.records.record import Record
from benchbase.records.replays import FILE, read_replays

REPOSITORY = Path()
WORSE = 0.005
"""A smaller loss of a row is not called a regression."""
HARNESS = ("benchbase", ".github")
"""Folders that a submission leaves as they are: its records were made by what is there."""


@dataclass(frozen=True)
class Submission:
    """A board as a branch has it, beside the board as it was."""

    folder: Path
    folder_before: Path
    board: Board
    before: Board
    known: Sequence[Record]
    """Records that were there before."""
    new: Sequence[Record]

    @classmethod
    def of(cls, folder: Path, folder_before: Path) -> Submission:
        """Compare two folders of one board.

        Raises:
            UsageError: a board file says something wrong.
            StoreError: a line cannot be read.
        """
        known = Committed(folder_before).records()
        seen = {(record.key, record.attempt) for record in known}
        records = Committed(folder).records()
        return cls(
            folder,
            folder_before,
            load_board(str(folder.resolve())),
            load_board(str(folder_before.resolve())),
            known,
            [record for record in records if (record.key, record.attempt) not in seen],
        )

    @property
    def records(self) -> list[Record]:
        """All records of the board as it would be."""
        return [*self.known, *self.new]


@dataclass(frozen=True)
class Branch:
    """What is here, beside what it is to be merged into."""

    changed: Sequence[str]
    submission: Submission | None
    told: str = ""
    """Why there is no submission."""


@contextmanager
def compare_with(commit: str, folder: Path | None = None) -> Iterator[Branch]:
    """Compare what is here, or a board's folder from elsewhere, with a commit.

    Raises:
        UsageError: records are added to several boards, or a board file says something wrong.
        StoreError: a record cannot be read.
    """
    changed = changed_files(REPOSITORY, commit)
    boards = _boards_added_to(changed) if folder is None else [folder.resolve().name]
    if len(boards) > 1:
        raise UsageError(
            f"records are added to {' and '.join(boards)}: make one branch for each board"
        )
    if not boards:
        yield Branch(changed, None, "no records are added to a board")
        return
    place = LEADERBOARDS / boards[0]
    with tempfile.TemporaryDirectory() as scratch:
        names = [place.as_posix(), (LEADERBOARDS / "README.md").as_posix()]
        files_at(REPOSITORY, commit, names, Path(scratch))
        before = Path(scratch) / place
        if not (before / "board.toml").exists() or load_board(str(before)).frozen:
            yield Branch(changed, None, f"{place}: a new board, which `benchbase verify` checks")
            return
        submission = Submission.of(folder or place, before)
        if submission.new:
            yield Branch(changed, submission)
        else:
            yield Branch(changed, None, f"{place}: no record is new")


def _boards_added_to(changed: Iterable[str]) -> list[str]:
    parts = [Path(name).parts for name in changed]
    found = {
        each[1]
        for each in parts
        if len(each) > 3 and (each[0], each[2]) == (LEADERBOARDS.name, "results")
    }
    return sorted(found)


def boards_touched(changed: Iterable[str]) -> list[Path]:
    """Give the folders of boards of which a file is another one, but for frozen boards."""
    names = {Path(*parts[:2]) for name in changed for parts in [Path(name).parts]}
    return [
        path.parent
        for path in sorted(LEADERBOARDS.glob("*/board.toml"))
        if path.parent in names and not load_board(str(path)).frozen
    ]


def plugin_folders(changed: Iterable[str]) -> list[Path]:
    """Give the packages below ``plugins/`` that a branch changes and does not remove."""
    folders = {Path(*Path(name).parts[:2]) for name in changed if name.startswith("plugins/")}
    return sorted(folder for folder in folders if (folder / "pyproject.toml").is_file())


def distribution_in(folder: Path) -> str:
    """Name the distribution that a folder's pyproject.toml describes."""
    stated = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return normalise_distribution(str(stated.get("project", {}).get("name", folder.name)))


def foreign_files(changed: Iterable[str], board: str) -> list[str]:
    """Give the files that a submission to a board may not change."""
    own = {board, "README.md"}
    return [
        f"{name}: not part of a submission to {board!r}: make it a change of its own"
        for name in changed
        for parts in [Path(name).parts]
        if parts[0] in HARNESS or (parts[0] == LEADERBOARDS.name and parts[1] not in own)
    ]


def submission_problems(submission: Submission) -> Iterator[str]:
    """Say what is wrong with the records of a submission, whatever their scores are."""
    yield from _other_board(submission)
    yield from _misplaced(submission)
    yield from _twice(submission)
    yield from lost_entries(submission.folder_before, submission.folder)
    results, before = submission.folder / "results", submission.folder_before / "results"
    if len(read_replays(results)) > len(read_replays(before)):
        yield f"{results / FILE}: who submits does not replay: leave it as it was"


def regressions(submission: Submission) -> Iterator[str]:
    """Say which rows a submission makes worse: beyond chance, and by more than ``WORSE``."""
    board = submission.board
    before, now = (
        {entry.label: entry for entry in of_one_version(board, choose(board, records))}
        for records in (submission.known, submission.records)
    )
    groups = data_sets(board, frozenset())
    for label, entry in now.items():
        old = before.get(label)
        if old is None or old.cells == entry.cells:
            continue
        pair = [
            dataclasses.replace(old, label="before", reference=True, yardstick=""),
            dataclasses.replace(entry, label="now", reference=False, yardstick=""),
        ]
        change = compare(board, pair, groups)["now"].difference
        if change is not None and change.verdict == "worse" and change.mean < -WORSE:
            assert change.low is not None
            assert change.high is not None
            yield (
                f"{label}: worse than its row was, by {in_percent(-change.mean)} points "
                f"(95 %: {in_percent(-change.high)} to {in_percent(-change.low)})"
            )


def _other_board(submission: Submission) -> Iterator[str]:
    """Find what was changed of the comparison itself; names of methods may be added."""
    path, board, before = submission.folder / "board.toml", submission.board, submission.before
    same = dataclasses.replace(board, weighters=before.weighters, controls=before.controls)
    fields = [field.name for field in dataclasses.fields(before)]
    for name in fields:
        if name != "name" and getattr(same, name) != getattr(before, name):
            yield f"{path}: {name} is another one; a submission adds names to weighters only"
    for name in ("weighters", "controls"):
        gone = [each.label for each in getattr(before, name) if each not in getattr(board, name)]
        if gone:
            yield f"{path}: {', '.join(gone)} went from {name}; a submission only adds"


def _misplaced(submission: Submission) -> Iterator[str]:
    board = submission.board
    rows = [*board.weighters, *board.controls, board.reference]
    chosen = choose(board, submission.records)
    counted = {record.key for entry in chosen for record in entry.cells.values()}
    for record in submission.new:
        spec = record.spec
        if spec.scenario not in board.scenarios or spec.seed not in board.seeds:
            yield f"{where(record)}: the board has no such scenario or seed"
        elif not any(means(selector, record) for selector in rows):
            yield f"{where(record)}: no row of the board: add its name to weighters in board.toml"
        elif spec.weighter.distribution in GIVEN:
            yield f"{where(record)}: its code is a {spec.weighter.distribution}: make it a package"
        elif record.key not in counted:
            yield (
                f"{where(record)}: does not count on the board: its data are not those of the "
                "other rows, or its method or torch is of another version than at other seeds"
            )


def _twice(submission: Submission) -> Iterator[str]:
    """Find cells that were run until they came out well: the first good attempt counts."""
    finished = {record.key for record in submission.known if record.status == "ok"}
    places = set()
    for record in submission.new:
        if record.status != "ok":
            continue
        place = where(record), record.spec.weighter.distribution
        if record.key in finished:
            yield f"{where(record)}: the cell is there already: its first attempt counts"
        elif place in places:
            yield f"{where(record)}: stands there twice: a seed counts once"
        places.add(place)
