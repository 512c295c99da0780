"""Writes a board's folder and the index of all boards."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from benchbase.boards.board import Board, has_results, load_board
from benchbase.files import replace_file
from benchbase.leaderboard.cells import NOTHING, rank_text, score_text
from benchbase.leaderboard.committed_board import verified_board
from benchbase.leaderboard.evidence import NONE, Evidence
from benchbase.leaderboard.pages.csv import render_csv
from benchbase.leaderboard.pages.escaping import markdown_table, markdown_text
from benchbase.leaderboard.pages.forest_chart import forest_chart
from benchbase.leaderboard.pages.label_chart import label_charts
from benchbase.leaderboard.pages.markdown import render_json, render_markdown
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Table
from benchbase.leaderboard.words import in_short
from benchbase.records.committed import Committed
from benchbase.records.record import Record
from benchbase.records.store import collection_paused

CHARTS = re.compile(r"differences\.svg|labels-bought-\d+\.svg")
"""Names of charts, also of scenarios that a board does not have any more."""


@collection_paused()
def board_files(
    board: Board, records: Iterable[Record], evidence: Evidence = NONE
) -> dict[str, str]:
    """Give the generated files of a board: name -> text. The same records give the same bytes."""
    return table_files(build(board, records, evidence))


@collection_paused()
def table_files(table: Table) -> dict[str, str]:
    """Give the generated files of a board whose table was made."""
    return {
        "README.md": render_markdown(table),
        "leaderboard.csv": render_csv(table),
        "leaderboard.json": render_json(table),
        **charts(table),
    }


def charts(table: Table) -> dict[str, str]:
    """Draw what the page shows: file name -> SVG."""
    return {**forest_chart(table), **label_charts(table)}


def write_board(folder: Path, board: Board, records: Iterable[Record]) -> list[Path]:
    """Write the pages of records and of what bears them out; give their paths.

    Raises:
        StoreError: the folder cannot be written to, or the disk is full; what lies beside the
            records is damaged.
    """
    return write_table(folder, verified_board(folder, board, records).table)


def write_table(folder: Path, table: Table) -> list[Path]:
    """Write README.md, leaderboard.csv, leaderboard.json and charts; give the paths.

    Charts that the page does not name any more are deleted.

    Raises:
        StoreError: the folder cannot be written to, or the disk is full.
    """
    files = table_files(table)
    for name, text in files.items():
        replace_file(folder / name, text)
    for path in stale_charts(folder, files):
        path.unlink(missing_ok=True)
    return [folder / name for name in files]


def stale_charts(folder: Path, files: Container[str]) -> list[Path]:
    """Find the charts in a board's folder that are not among its ``board_files``."""
    return [
        path
        for path in sorted(folder.glob("*.svg"))
        if CHARTS.fullmatch(path.name) and path.name not in files
    ]


def differing_pages(
    folder: Path, board: Board, records: Iterable[Record], evidence: Evidence
) -> tuple[int, list[Path]]:
    """Count a board's pages, and give those that are not what its records give."""
    files = board_files(board, records, evidence)
    expected: dict[Path, str | None] = {folder / name: text for name, text in files.items()}
    expected |= dict.fromkeys(stale_charts(folder, files))
    return len(expected), [path for path, text in expected.items() if text_of(path) != text]


def text_of(path: Path) -> str | None:
    """Read a page; None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def index_text(leaderboards: Path, made: Mapping[str, Table] = MappingProxyType({})) -> str:
    """Write the index of the boards in ``leaderboards``, from their committed records.

    ``made`` holds tables that were just made of these, by the names of their folders.

    Raises:
        UsageError: a board file says something wrong.
        StoreError: a committed record cannot be read.
    """
    lines, known = [], []
    for path in sorted(leaderboards.glob("*/board.toml")):
        board = load_board(str(path.resolve()))
        if has_results(path.parent) and not board.frozen:
            name = path.parent.name
            table = made.get(name) or build(board, Committed(path.parent).records())
            lines.append(_index_line(table))
            if said := in_short(table):
                known.append(f"- {board.title}: {markdown_text(said)}")
        elif has_results(path.parent):
            lines.append([*_board_cells(board), NOTHING, _frozen_text(board), NOTHING])
        elif not board.frozen:
            lines.append([*_board_cells(board, "board.toml"), NOTHING, "*not run yet*", NOTHING])
    header = ["board", "data", "scenarios", "seeds", "methods", "best so far", "score (%)"]
    listing = markdown_table(lines, header)
    so_far = "\n".join(["## What is known so far", "", *known, "", ""]) if known else ""
    return f"""# Leaderboards

Each board is a folder: `board.toml` says what is compared, `results/` holds the records, and the
pages are generated from both. `predictions/` holds what the scores are computed from, in files that
numpy reads.

{listing}

*Best so far* lists every method that may hold rank 1 (\\* provisional: fewer than five seeds).
`benchbase run --board NAME` runs what is missing on a board and writes its page and this one;
`benchbase leaderboard` writes all pages again from the records alone. A board that is being made
anew (`frozen` in its `board.toml`) keeps its page and results as they were; nothing is compared
with them: running it gives a table in the home folder.

{so_far}## A row of your own

While a board is frozen only steps 1 and 2 apply, and step 2 trains all of its rows.

1. In `plugins/`, `benchbase new weighter NAME --package` makes a package; install it.
2. `benchbase check NAME` until it is green; `benchbase run --board BOARD --plugin NAME` shows it
   beside the board's rows and changes no file of the board.
3. On a branch, add its name to `weighters` in `BOARD/board.toml`; nothing else there changes.
4. `benchbase run --board BOARD` trains what is missing, which is your rows, and rewrites the pages.
5. `git add plugins leaderboards` and commit: a committed line is never altered, files gain lines.
6. `benchbase submit check` says what CI will say of the branch; open a pull request. At its end it
   runs the branch's methods in `benchbase check`: on a stranger's branch, read them first.
7. CI runs the same check without any rights, and writes `benchbase submit preview` as a comment.
8. A maintainer reads the code, and `benchbase submit verify --sample 5 --fresh` trains five of your
   cells and one of the reference again; what came of it is a line of `BOARD/results/replays.jsonl`.
   It also trains them, and the reference beside each, where split and noise are drawn anew.
9. Where every cell is borne out, your lead over the reference holds there within the spread of the
   seeds, and no row became worse (by more than 0.5 points, with a paired 95 % interval that
   excludes zero), the branch is merged.
10. `benchbase submit publish` writes the pages, this index and the site from the records alone.
"""


def _board_cells(board: Board, page: str = "README.md") -> list[str]:
    return [
        f"[{board.title}]({board.name}/{page})",
        ", ".join(sorted({scenario.data for scenario in board.scenarios})),
        str(len(board.scenarios)),
        str(len(board.seeds)),
    ]


def _frozen_text(board: Board) -> str:
    return f"*made under {board.frozen}, being made anew*"


def _index_line(table: Table) -> list[str]:
    leading = [row for row in table.rows if row.ranks is not None and row.ranks[0] == 1]
    star = r"\*" if any(rank_text(row).endswith("*") for row in leading) else ""
    return [
        *_board_cells(table.board),
        str(sum(row.covered > 0 and not row.is_control for row in table.rows)),
        ", ".join(row.label for row in leading) + star or NOTHING,
        score_text(leading[0].score) if leading else NOTHING,
    ]


def write_index(leaderboards: Path, made: Mapping[str, Table] = MappingProxyType({})) -> Path:
    """Write ``leaderboards/README.md``, as ``index_text`` gives it; return its path.

    Raises:
        UsageError: a board file says something wrong.
        StoreError: a record cannot be read, or the index not written.
    """
    path = leaderboards / "README.md"
    replace_file(path, index_text(leaderboards, made))
    return path
