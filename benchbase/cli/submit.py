"""``benchbase submit``: what brings a method onto a board, step by step; CI calls the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchbase.boards.board import LEADERBOARDS, boards_with_results
from benchbase.cli import FAILED, options
from benchbase.cli.fresh import train_anew
from benchbase.cli.leaderboard import write_pages
from benchbase.cli.replay import NOT_BORNE_OUT, of_board, replay_all
from benchbase.cli.retraining import Retraining, retraining
from benchbase.cli.site import out_folder, write_site
from benchbase.cli.verify import DIFFERS, Verifying, index_problems
from benchbase.errors import StoreError, UsageError
from benchbase.files import replace_file
from benchbase.leaderboard.committed_board import verified_boards
from benchbase.leaderboard.leads import reported_leads
from benchbase.leaderboard.pages.preview import render_preview
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.submission import (
    REPOSITORY,
    Branch,
    Submission,
    boards_touched,
    compare_with,
    distribution_in,
    foreign_files,
    plugin_folders,
    regressions,
    submission_problems,
)
from benchbase.leaderboard.verifying import evidence_of
from benchbase.plugins import KINDS, Catalogue
from benchbase.records.committed import Committed
from benchbase.records.history import altered_since, branched_from
from benchbase.records.home import Home
from benchbase.records.replays import Replay, add_replays, read_replays, replays_in
from benchbase.records.store import Store
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.replaying import reference_beside, sample

EPILOG = """\b
Examples, on the branch that is to be merged:
  benchbase submit check               what CI checks, before it does
  benchbase submit preview             the table as it would be
  benchbase submit verify --sample 5   a maintainer trains five of the new cells again
  benchbase submit verify --fresh      also under a secret that nobody knows
  benchbase submit publish             after the merge: pages, index and site

\b
Exit codes: 0 all well, 2 usage, 3 the plugin fails its checks, 4 a page or a record does not
follow, 5 a replay does not bear a record out, or a row became worse.
"""

_base = click.option(
    "--base",
    default="main",
    show_default=True,
    metavar="COMMIT",
    help="What the branch is to be merged into.",
)


@click.group(epilog=EPILOG)
def submit() -> None:
    """Bring a method onto a board: the steps of CI as plain commands."""


@submit.command("check")
@_base
@options.data_roots
@options.home
def check(base: str, roots: tuple[Path, ...], home: Path | None) -> int:
    """Check what a branch changes: its records, its pages, its plugin; nothing is trained.

    Records may only be added, to one board, each cell once, with predictions that give their
    scores; pages and index must follow from them. Where all of that holds, what the branch brings
    in plugins/, and the methods of its records, must pass `benchbase check`, which runs their
    code: read it first. Labels drawn with a secret are not checked here.
    """
    commit = branched_from(REPOSITORY, base)
    problems = [
        f"{name}: what was committed is altered: restore it, and add yours beside it"
        for name in altered_since(REPOSITORY, commit)
    ]
    server = ForkServer()
    try:
        verifying = Verifying(server, roots, Store(Home.at(home)), None)
        try:
            with compare_with(commit) as branch:
                problems += _problems(branch, verifying)
        except StoreError as error:  # a line or a file that cannot be read
            for problem in [*problems, str(error)]:
                click.echo(problem, err=True)
            return DIFFERS
        targets, missing = _plugins(branch, verifying.catalogue)
    finally:
        server.close()
    for problem in [*problems, *missing]:
        click.echo(problem, err=True)
    failed = [target for target in targets if not problems and not passes(target)]
    count = len(problems) + len(missing) + len(failed)
    click.echo(f"{count} problems" if count else "all well")
    if problems:
        return DIFFERS
    return FAILED if count else 0


@submit.command("preview")
@click.argument(
    "folder",
    metavar="[FOLDER]",
    required=False,
    type=options.UserPath(exists=True, file_okay=False),
)
@_base
@click.option("--out", type=options.UserPath(dir_okay=False), help="File [default: stdout].")
def preview(folder: Path | None, base: str, out: Path | None) -> None:
    """Write the table as it would be, as Markdown for a comment.

    It is made from board.toml and records alone: those of this branch, or those in FOLDER, a
    board's folder that came from elsewhere.
    """
    with compare_with(branched_from(REPOSITORY, base), folder) as branch:
        if branch.submission is None:
            click.echo(branch.told, err=True)
            return
        text = _preview(branch.submission)
    if out is None:
        click.echo(text, nl=False)
    else:
        replace_file(out, text)
        click.echo(out)


@submit.command("verify")
@_base
@click.option(
    "--sample",
    "count",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="New cells to draw by chance.",
)
@click.option(
    "--report",
    type=options.UserPath(dir_okay=False),
    help="File for what came of it, as Markdown.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Train them, and the reference beside each, also where split and noise are drawn anew.",
)
@retraining
@options.home
def verify(
    *, base: str, count: int, report: Path | None, fresh: bool, home: Path | None, **how: Any
) -> int:
    """Train some of the new cells again, and one of the reference, and compare.

    This runs the branch's methods: read them first. What came of it is added to replays.jsonl
    beside the records. A row that becomes worse than it was, beyond chance, is told too.

    With --fresh the lead over the reference must also hold under a secret that nobody knows: where
    it is smaller than the reported leads let expect of another seed (at 99 % for all that are
    asked), the method may know the noise of public seeds.
    """
    store = Store(Home.at(home))
    with compare_with(branched_from(REPOSITORY, base)) as branch:
        submission = branch.submission
        if submission is None:
            raise UsageError(f"{branch.told}: there is nothing to replay")
        board, records = submission.board, submission.records
        chosen = sample(board, records, count, {record.key for record in submission.new})
        reference = reference_beside(board, records, chosen)
        chosen += [reference] * (reference not in chosen)
        wanted = of_board(board, submission.folder, records, chosen)
        worse = [*regressions(submission)]
        leads = reported_leads(board, records, chosen) if fresh else []
    done = replay_all(wanted, store, Retraining(**how))
    held = sum(one.holds for one in done)
    lines = [f"{held} of {len(chosen)} cells are borne out", *worse]
    lines += [f"{one.key[:12]}: {one.outcome}" for one in done if not one.holds]
    anew = train_anew(leads, board, submission.folder, store, Retraining(**how)) if leads else []
    verdicts = [lead.verdict(*scores) for lead, scores in zip(leads, anew, strict=True)]
    lines += [text for _, text in verdicts]
    for line in lines:
        click.echo(line, err=line in worse)
    if report is not None:
        replace_file(report, "".join(f"- {line}\n" for line in lines))
    lead_lost = not all(holds for holds, _ in verdicts)
    return NOT_BORNE_OUT if held < len(chosen) or worse or lead_lost else 0


@submit.command("publish")
@out_folder
@click.option(
    "--replays",
    type=options.UserPath(exists=True, dir_okay=False),
    metavar="FILE",
    help="The replays.jsonl of a verified run: its lines on records that are here are added.",
)
def publish(out: Path, replays: Path | None) -> None:
    """Write all pages, the index and the site from the committed records; nothing is trained."""
    if replays is not None:
        _add(replays_in(replays))
    boards = verified_boards()
    write_pages(boards)
    write_site(out, boards)


def _add(replays: Sequence[Replay]) -> None:
    """Add replays to the boards that have their records."""
    count = 0
    for folder, _ in boards_with_results():
        here = {(record.key, record.attempt) for record in Committed(folder).records()}
        known = read_replays(folder / "results")
        new = [one for one in replays if (one.key, one.attempt) in here and one not in known]
        if new:
            click.echo(add_replays(folder / "results", new))
            count += len(new)
    click.echo(f"{count} of {len(replays)} replays added")


def _problems(branch: Branch, verifying: Verifying) -> list[str]:
    """Say what does not follow of a submission, or else of the boards that a branch touches."""
    submission = branch.submission
    if submission is None:
        click.echo(branch.told)
        folders = boards_touched(branch.changed)
        problems = [problem for folder in folders for problem in verifying.board(folder)]
        index = (LEADERBOARDS / "README.md").as_posix()
        return [*problems, *(index_problems() if folders or index in branch.changed else ())]
    name, before = submission.board.name, submission.folder_before
    click.echo(f"{name}: {len(submission.new)} new records")
    return [
        *foreign_files(branch.changed, name),
        *submission_problems(submission),
        *verifying.board(submission.folder, before),
        *index_problems(before.parent),
    ]


def _plugins(branch: Branch, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Name the plugins that a branch brings or shows, and say what of them is not installed."""
    targets, missing = [], []
    for folder in plugin_folders(branch.changed):
        owner = distribution_in(folder)
        found = [e.name for kind in KINDS for e in catalogue.of(kind) if e.distribution == owner]
        targets += found
        missing += [f"{folder}: not installed here: `uv pip install ./{folder}`"] * (not found)
    new = branch.submission.new if branch.submission else ()
    for name in sorted({record.spec.weighter.name for record in new}):
        known = bool(catalogue.matching("weighters", name))
        targets += [name] * known
        missing += [f"{name}: not installed here, so that it was not checked"] * (not known)
    return [*dict.fromkeys(targets)], missing


def passes(target: str) -> bool:
    """Run `benchbase check` on a plugin, in a process of its own: its code is a stranger's."""
    command = [sys.executable, "-m", "benchbase", "check", target]
    return subprocess.run(command, check=False).returncode == 0


def _preview(submission: Submission) -> str:
    board, records = submission.board, submission.records
    return render_preview(
        build(board, records, evidence_of(submission.folder, board, records)),
        build(submission.before, submission.known),
        submission.new,
    )
