"""Writes a board, and the index of all boards, as HTML that needs no network and no other file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchbase.boards.board import Board
from benchbase.cell import JSON
from benchbase.errors import UsageError
from benchbase.leaderboard.cells import (
    NOTHING,
    cost_text,
    difference_text,
    failures_text,
    last_epoch_text,
    marked_label,
    memory_text,
    needs_text,
    number_text,
    percent_text,
    rank_text,
    score_text,
    share_text,
)
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.evidence import NONE, Evidence, evidence_text
from benchbase.leaderboard.pages.escaping import terminal_text
from benchbase.leaderboard.pages.notes import remarks
from benchbase.leaderboard.pairs import pairs
from benchbase.leaderboard.site.drawing import Shown
from benchbase.leaderboard.site.examples import Examples
from benchbase.leaderboard.site.figures import figures
from benchbase.leaderboard.site.pools import Pool, pools
from benchbase.leaderboard.site.prose import paragraphs
from benchbase.leaderboard.table import Row, Table
from benchbase.leaderboard.words import verdict
from benchbase.records.provenance import lives_text
from benchbase.records.record import Record

HERE = Path(__file__).parent
LARGEST_BYTES = 1_500_000
"""Of a page."""


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    title: str
    text: Callable[[Row, Table], str]
    order: Callable[[Row], float | str | None] | None = None
    """What it is sorted by; its text where this is None."""
    hidden: bool = False


COLUMNS = (
    Column("rank", lambda row, _: rank_text(row), lambda row: row.ranks[0] if row.ranks else None),
    Column("method", lambda row, _: marked_label(row)),
    Column(
        "score (%)",
        lambda row, _: score_text(row.score, row.failed, row.covered),
        lambda row: row.score.mean if row.score else None,
    ),
    Column(
        "difference",
        lambda row, table: difference_text(row, table.reference),
        lambda row: row.difference.mean if row.difference else 0.0,
    ),
    Column(
        "share of headroom",
        lambda row, _: share_text(row.headroom.overall if row.headroom else None),
        lambda row: (
            row.headroom.overall.value.mean if row.headroom and row.headroom.overall.value else None
        ),
    ),
    Column("training time", lambda row, _: cost_text(row), lambda row: row.cost.relative_seconds),
    Column("needs (granted)", lambda row, _: needs_text(row) if row.covered else NOTHING),
    Column("evidence", lambda row, _: row.evidence or NOTHING),
    Column("code", lambda row, _: row.honesty or NOTHING, hidden=True),
    Column(
        "last epoch (%)",
        lambda row, _: last_epoch_text(row),
        lambda row: row.last_epoch,
        hidden=True,
    ),
    Column("failed", lambda row, _: failures_text(row), lambda row: row.failed, hidden=True),
    Column(
        "oracle gap",
        lambda row, _: percent_text(row.oracle_gap, "+.1f"),
        lambda row: row.oracle_gap,
        hidden=True,
    ),
    Column(
        "weight AUROC",
        lambda row, _: number_text(row.weight_auroc, ".3f"),
        lambda row: row.weight_auroc,
        hidden=True,
    ),
    Column(
        "peak memory",
        lambda row, _: memory_text(row),
        lambda row: row.cost.peak_memory_bytes,
        hidden=True,
    ),
)


def board_page(
    table: Table,
    records: Sequence[Record],
    evidence: Evidence = NONE,
    examples: Sequence[Examples] = (),
) -> str:
    """Write the page of a board's table; the same records and example images give the same bytes.

    Raises:
        UsageError: what draws and writes it is not installed.
    """
    board = table.board
    drawn = figures(Shown(table, records, pairs(board, records)))
    cells, runs = _cells(board, records, evidence)
    return _render(
        "board.html.j2",
        title=board.title,
        description=paragraphs(board.description),
        table=table,
        columns=COLUMNS,
        pools=[_pool(one) for one in pools(board, records, evidence)],
        scenarios=_scenarios(table, cells),
        remarks=[*remarks(table)],
        figures=drawn,
        examples=examples,
        data=_legible(
            {"figures": {one.kind: one.spec for one in drawn}, "cells": cells, "runs": runs}
        ),
    )


def index_page(boards: Mapping[str, Table]) -> str:
    """Write the list of boards; ``boards`` maps the page's file name to its table."""
    lines = [
        (name, table, (verdict(table) or ["Nothing is ranked yet."])[0])
        for name, table in boards.items()
    ]
    return _render("index.html.j2", title="Leaderboards", boards=lines)


def _pool(pool: Pool) -> JSON:
    """Give what the page shows of a pool: every text was made here."""
    rows = [
        {
            "row": row,
            "cells": [
                (column.text(row, pool.table), column.order(row) if column.order else None)
                for column in COLUMNS
            ],
        }
        for row in pool.table.rows
    ]
    return {"name": pool.name, "words": pool.words, "verdict": verdict(pool.table), "rows": rows}


def _scenarios(table: Table, cells: JSON) -> list[JSON]:
    """Give the scores scenario by scenario, each with the name of its cells."""
    return [
        {
            "label": marked_label(row),
            "scores": [
                (
                    score_text(one.score, one.failures, one.covered),
                    f"{row.label} {index}" if f"{row.label} {index}" in cells else "",
                )
                for index, one in enumerate(row.scenarios)
            ],
        }
        for row in table.rows
    ]


def _cells(board: Board, records: Sequence[Record], evidence: Evidence) -> tuple[JSON, list[str]]:
    """Give where each cell comes from; what runs have in common is said once."""
    runs: dict[str, int] = {}
    replayed = {(one.key, one.attempt): one for one in evidence.replays}
    cells: JSON = {}
    for entry in choose(board, records):
        for (scenario, _), record in entry.cells.items():
            score, came = score_of(record, board.rule, board.metric), record.provenance
            replay = replayed.get((record.key, record.attempt))
            cells.setdefault(f"{entry.label} {scenario}", []).append(
                {
                    "seed": record.spec.seed,
                    "score": percent_text(score, ".2f"),
                    "status": record.status + (f": {record.reason}" if record.reason else ""),
                    "key": record.key[:16],
                    "finished": " ".join(filter(None, (_time(came.finished), lives_text(came)))),
                    "seconds": round(record.cost.seconds_train, 1),
                    "evidence": evidence_text([record], evidence)
                    + (f": {replay.outcome}" if replay else ""),
                    "run": runs.setdefault(_run(record), len(runs)),
                }
            )
    return cells, [*runs]


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _run(record: Record) -> str:
    """Say in one line where a record comes from."""
    came, weighter = record.provenance, record.spec.weighter
    versions = ", ".join(f"{name} {version}" for name, version in sorted(came.versions.items()))
    parts = (
        f"{weighter.distribution} {weighter.version}".strip(),
        f"code {came.source[:12]}" if came.source else "",
        versions,
        f"Python {came.python}",
        came.system,
        f"{record.cost.device} {record.numerics.cpu_capability}",
        *came.gpus,
        f"executor {came.executor}",
        f"machine {came.host}",
        f"commit {came.commit[:12]}{' (changed)' if came.dirty else ''}" if came.commit else "",
    )
    return "; ".join(filter(None, parts))


def _render(template: str, **values: Any) -> str:
    """Fill a template; whatever is not our own program or style is escaped."""
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError:
        raise UsageError("pages need Jinja2: pip install 'benchbase-harness[site]'") from None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        finalize=_legible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = {name: (HERE / f"page.{name}").read_text("utf-8") for name in ("css", "js")}
    trusted = {name: Markup(text) for name, text in (own | _bundle()).items()}  # noqa: S704 - ours
    return environment.get_template(template).render(**trusted, **values)


def _legible(value: Any) -> Any:
    """Replace what would turn the direction of the text around it, and what no font shows."""
    if type(value) is str:
        return terminal_text(value)
    if isinstance(value, Mapping):
        return {_legible(name): _legible(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_legible(item) for item in value]
    return value


def _bundle() -> dict[str, str]:
    """Give the program that draws Vega-Lite."""
    try:
        import vl_convert
    except ImportError:
        raise UsageError("pages need vl-convert: pip install 'benchbase-harness[site]'") from None
    return {
        "bundle": vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace(
            "</script", r"<\/script"
        )
    }
