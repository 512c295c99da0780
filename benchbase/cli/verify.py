"""``benchbase verify``: whether pages follow from records, and records from predictions."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from benchbase.boards.board import (
    LEADERBOARDS,
    Board,
    Suite,
    board_folder,
    boards_with_results,
    has_results,
    load_board,
)
from benchbase.boards.labels import LabelsHere
from benchbase.cli import options
from benchbase.cli.replayed import not_replayed
from benchbase.data.secret import Secret, secret_of
from benchbase.errors import StoreError, UsageError
from benchbase.leaderboard.cells import METRIC_ORDER, metric_name
from benchbase.leaderboard.pages.files import differing_pages, index_text, text_of
from benchbase.leaderboard.verifying import Verified, Verifier, verify_board
from benchbase.plugins import Catalogue
from benchbase.records.committed import Committed
from benchbase.records.committed_predictions import Answers, CommittedPredictions, Truth
from benchbase.records.finding import find_record
from benchbase.records.home import Home
from benchbase.records.predictions import read_predictions
from benchbase.records.record import Record
from benchbase.records.store import Store
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.scouting import read_catalogue

DIFFERS = 4
KEY = re.compile(r"[0-9a-f]{4,64}", re.IGNORECASE)

EPILOG = """\b
Examples:
  benchbase verify             every board of leaderboards/, and the index
  benchbase verify nuclei      one board
  benchbase verify 3f9a2c      one record, by the first letters of its key

\b
Exit codes: 0 all follows, 2 usage, 4 a page or a record does not follow.
"""


@click.command(epilog=EPILOG)
@click.argument("target", metavar="[BOARD|RECORD]", required=False)
@options.data_roots
@options.secret
@options.home
def verify(
    target: str | None, roots: tuple[Path, ...], secret: Path | None, home: Path | None
) -> int:
    """Verify that pages follow from records, and records from what they are computed from.

    Each record's shape and key are checked, every metric is computed again from the predictions,
    labels are compared with the committed ones and, where the data are on this machine, with
    these. Nothing is trained and nothing is written.
    """
    store = Store(Home.at(home))
    server = ForkServer()
    try:
        known = None if secret is None else Secret.read(secret)
        verifying = Verifying(server, roots, store, known)
        if target is None:
            problems = verifying.all_boards()
        elif (folder := _folder(target)) is not None:
            problems = verifying.board(folder)
        else:
            problems = verifying.record(target)
    finally:
        server.close()
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"{len(problems)} problems" if problems else "all follows")
    return DIFFERS if problems else 0


def _folder(target: str) -> Path | None:
    """Find the board's folder; None for the key of a record.

    Raises:
        UsageError: it is neither.
    """
    try:
        folder = board_folder(target)
    except UsageError:
        if KEY.fullmatch(target):
            return None
        raise
    if folder is None:
        raise UsageError(f"{target!r} has no leaderboard: verify a record, by its key")
    return folder


class Verifying:
    """Verifies boards and records; each part gives what does not follow."""

    def __init__(
        self, server: ForkServer, roots: Sequence[Path], store: Store, secret: Secret | None
    ) -> None:
        self._server = server
        self._roots = roots
        self._store = store
        self._secret = secret

    @functools.cached_property
    def catalogue(self) -> Catalogue:
        """What is installed."""
        return read_catalogue(self._server, self._store.home)

    def all_boards(self) -> list[str]:
        """Verify the boards whose results count, and the index."""
        problems = [
            problem for folder, _ in boards_with_results() for problem in self.board(folder)
        ]
        return [*problems, *index_problems()]

    def board(self, folder: Path, before: Path | None = None) -> list[str]:
        """Verify a board; where it lies ``before``, a page that is as it was there is stale."""
        board = load_board(str(folder.resolve()))
        if board.frozen:
            raise UsageError(
                f"{board.name!r} is frozen (made under {board.frozen}): nothing can be computed "
                "again there"
            )
        if not has_results(folder):
            click.echo(f"{board.name}: no results yet, nothing to verify")
            return []
        try:
            records = Committed(folder).records()
        except StoreError as error:
            return [str(error)]
        labels = self._labels(board, folder, board.noise_secret)
        found = verify_board(folder, board, records, labels.of)
        count, differing = differing_pages(folder, board, records, found.evidence)
        found.problems += [_differs(path, before and before / path.name) for path in differing]
        click.echo(f"{board.name}: {count - len(differing)} of {count} pages follow")
        _tell(found, labels)
        self._tell_changed(records)
        return found.problems

    def record(self, prefix: str) -> list[str]:
        """Verify one record, on a board or in the home."""
        found = find_record(prefix, self._store)
        record = found.record
        labels = self._labels(
            Suite(record.key[:12], "", (record.spec.scenario,), (record.spec.seed,)),
            found.folder or Path(),
            secret_of(record.spec.data),
        )
        verifier = Verifier(labels.of)
        try:
            if found.folder is not None:
                committed = CommittedPredictions(found.folder)
                verifier.take(record, committed.answers(record), committed.truth(record))
            elif record.status != "ok":
                verifier.take(record, None, None)
            else:
                kept = read_predictions(record, self._store.home.path)
                verifier.take(record, Answers.of(kept, all_logits=True), Truth.of(kept))
        except StoreError as error:
            verifier.fail(record, [str(error)])
        click.echo(f"{record.key[:12]}: {found.folder or self._store.home.path}")
        _tell(verifier.verified, labels)
        self._tell_changed([record])
        return verifier.verified.problems

    def _tell_changed(self, records: Iterable[Record]) -> None:
        """Say of which methods the code has changed since; a replay tells whether that matters."""
        for line in not_replayed(records, self.catalogue):
            click.echo(f"  {line}")

    def _labels(self, board: Board | Suite, folder: Path, fingerprint: str) -> LabelsHere:
        """Draw labels with the secret that they were drawn with, where it was named."""
        secret = self._secret if fingerprint else None
        if fingerprint and (secret is None or secret.fingerprint != fingerprint):
            reason = f"drawn with the secret {fingerprint}: name its file with --secret"
            return LabelsHere.unknown(board.name, reason)
        cache = self._store.home.cache
        return LabelsHere.of_board(board, folder, self.catalogue, self._roots, cache, secret=secret)


def index_problems(before: Path | None = None) -> Iterator[str]:
    """Verify the index of all boards; where it was ``before``, the same is stale."""
    path = LEADERBOARDS / "README.md"
    try:
        if text_of(path) != index_text(LEADERBOARDS):
            yield _differs(path, before and before / path.name)
    except StoreError:
        return  # told with its board


def _differs(path: Path, before: Path | None) -> str:
    stale = before is not None and text_of(path) == text_of(before)
    what = "is stale: as it was before the new records" if stale else "differs from its records"
    return f"{path}: {what}; `benchbase leaderboard` puts it right"


def _tell(found: Verified, labels: LabelsHere) -> None:
    """Say what was compared with what, and what was not."""
    recomputed = len(found.recomputed) + len(found.contradicted)
    click.echo(
        f"  {found.records} records: {recomputed} computed again from their predictions, "
        f"{found.compared} compared with the data"
    )
    if found.resumed:
        click.echo(f"  {found.resumed} of them were interrupted and went on from a snapshot")
    if found.replays:
        click.echo(f"  {len(found.replays)} replays are of these records; by whom is as they say")
    for name, reason in labels.missing.items():
        click.echo(f"  {name}: not compared with the data, which are not here ({reason})")
    if recomputed:
        names = [*METRIC_ORDER, *sorted(found.recorded_only - {*METRIC_ORDER})]
        metrics = [metric_name(name) for name in names if name in found.recorded_only]
        under = [f"{', '.join(metrics)} where the logits of an epoch are missing"] * bool(metrics)
        told = ["weight diagnostics", "costs", *under]
        click.echo(f"  recorded, not recomputed: {', '.join(told)}")
