"""What ``benchbase submit verify --fresh`` adds: cells where split and noise are drawn anew."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from benchbase.boards.board import Board
from benchbase.cli.retraining import Retraining, workshop
from benchbase.data.secret import LEAST_BYTES, Secret
from benchbase.judging.clinical import board_metrics
from benchbase.leaderboard.compare import score_of
from benchbase.leaderboard.leads import Lead
from benchbase.records.record import Record
from benchbase.records.store import Store
from benchbase.running.executors.contract import Job
from benchbase.running.replaying import train


def train_anew(
    leads: Sequence[Lead], board: Board, folder: Path, store: Store, how: Retraining
) -> list[list[float | None]]:
    """Train each method and the reference beside it under a secret that is drawn here.

    Give the scores of each pair, None where a cell came to none. The secret is forgotten and the
    records go with it: they are of no board.

    Raises:
        UsageError, DataError: something that they need is not here.
    """
    secret = Secret(secrets.token_bytes(LEAST_BYTES))
    scores: dict[str, float | None] = {}

    def finished(job: Job, record: Record | None) -> None:
        if record is not None:
            scores[job.cell.key] = score_of(record, board.rule, board.metric)

    with workshop(how, store) as shop:
        pairs = [
            [shop.plan_anew(one.spec, folder, secret) for one in (lead.record, lead.beside)]
            for lead in leads
        ]
        jobs = {job.cell.key: job for pair in pairs for job in pair}
        metrics = board_metrics(board.metric, board.metric_options)
        with shop.execution(len(jobs), metrics) as (execution, settings):
            train([*jobs.values()], execution, settings, finished)
    return [[scores.get(job.cell.key) for job in pair] for pair in pairs]
