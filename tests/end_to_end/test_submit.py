"""A method's way onto a board, on a local repository: trained, checked, replayed, published."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbase.cli import invoke
from benchbase.errors import UsageError
from benchbase.leaderboard import leads
from benchbase.records.committed import Committed
from benchbase.records.replays import read_replays
from benchbase.running.executors.sandbox import Sandbox
from benchbase.testing.site import PluginSite
from tests.needs import need

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_server")]

BOARD = """
title = "Toy"
weighters = ["erm"]
seeds = 3
[[scenarios]]
dataset = "digits"
train_size = 400
imbalance = [1]
recipe = { epochs = 5, batch_size = 20, trusted_batch_size = 10 }
"""
PLUGIN = '''
"""Believe small losses."""

from benchbase import LossWeighter, hookimpl

BENCHBASE_API = 2


class SmallLoss(LossWeighter):
    """Leave out the tenth of each batch with the largest losses."""

    name = "small-loss"

    def prepare(self, task):
        def weigh(step):
            losses = step.losses.detach()
            return (losses <= losses.quantile(0.9)).float()

        return weigh


@hookimpl
def register_weighters():
    return [SmallLoss]
'''
PROJECT = '[project]\nname = "benchbase-small-loss"\nversion = "1.0"\n'
DISTRIBUTION = "benchbase-small-loss"


def git(*arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def commit(message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


Command = Callable[..., str]


@pytest.fixture
def benchbase(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command of benchbase; give all that it says."""

    def run(*arguments: str, code: int = 0) -> str:
        capfd.readouterr()
        came = invoke(arguments)
        said = "".join(capfd.readouterr())
        assert came == code, said
        return said

    return run


@pytest.fixture
def board(tmp_path: Path, plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty board in a repository, and the contributor's package, installed."""
    repository = tmp_path / "repository"
    folder = repository / "leaderboards" / "toy"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    (repository / ".gitignore").write_text("site/\n")
    plugin_site.add(DISTRIBUTION, "small_loss", small_loss=PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(plugin_site.folder))
    monkeypatch.chdir(repository)
    git("init", "--quiet", "--initial-branch=main")
    return folder


def train(benchbase: Command) -> None:
    benchbase("run", "--board=toy", "--device=cpu", "--jobs=2")


def refusals(board: Path) -> dict[str, Callable[[], object]]:
    """What a contributor may try, and a part of what is said of it."""
    [own] = board.glob("results/digits/small-loss.jsonl")
    [others] = board.glob("results/digits/erm.jsonl")
    lines = own.read_text().splitlines(keepends=True)

    def forge() -> None:
        score = r'("mcc":\{"value":)[0-9.]+'
        own.write_text("".join(re.sub(score, r"\g<1>0.987", line) for line in lines))

    def duplicate() -> None:
        again = json.loads(lines[0])
        again["attempt"] = again["attempt"].replace("20", "21", 1)
        own.write_text("".join([*lines, json.dumps(again) + "\n"]))

    def old_table() -> None:
        git("checkout", "main", "--", "leaderboards/toy/leaderboard.csv")

    return {
        r"small-loss on digits .*: metrics\.\w+\.mcc": forge,
        r"small-loss on digits .*stands there twice: a seed counts once": duplicate,
        r"toy/README\.md: differs from its records": lambda: (board / "README.md").write_text("1."),
        r"results/digits/erm\.jsonl: what was committed is altered": lambda: others.write_text(
            others.read_text().replace('"seed"', '"seed" ')
        ),
        r"toy/leaderboard\.csv: is stale": old_table,
    }


@pytest.fixture
def submitted(
    board: Path, benchbase: Command, plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A branch that adds the contributor's row to the board on main."""
    # Nobody can know the secret that is drawn, so a lead may be lost by chance: here, never.
    monkeypatch.setattr(leads, "RISK", 1e-9)
    train(benchbase)
    commit("the board")

    git("checkout", "--quiet", "-b", "mine")
    package = Path("plugins") / DISTRIBUTION
    package.mkdir(parents=True)
    (package / "pyproject.toml").write_text(PROJECT)
    shutil.copy(plugin_site.folder / "small_loss.py", package)
    toml = board / "board.toml"
    toml.write_text(BOARD.replace('["erm"]', '["erm", "small-loss"]'))
    train(benchbase)
    commit("a row of my own")
    return board


@pytest.mark.rare
def test_a_submission_is_verified_in_the_sandbox(submitted: Path, benchbase: Command) -> None:
    try:
        Sandbox.here()
    except UsageError:
        need("bwrap", there=False)
    how = ("--sandbox=bwrap", "--sample=1", "--fresh", "--device=cpu", "--by=anna")
    said = benchbase("submit", "verify", *how)
    assert "2 of 2 cells are borne out" in said
    assert said.count("bit for bit") == 2, "the sandbox changes no bit"
    assert re.search(r"small-loss on .* where all is drawn anew: holds\n", said)
    assert len(read_replays(submitted / "results")) == 2


def test_a_method_comes_onto_a_board(
    submitted: Path, benchbase: Command, plugin_site: PluginSite, tmp_path: Path
) -> None:
    board = submitted
    said = benchbase("submit", "check")
    assert "toy: 3 new records" in said
    assert said.endswith("all well\n")
    assert "`small-loss` (3)" in benchbase("submit", "preview")
    for reason, attempt in refusals(board).items():
        attempt()
        assert re.search(reason, benchbase("submit", "check", code=4))
        git("checkout", "--quiet", "HEAD", "--", ".")

    said = benchbase("submit", "verify", "--sample=1", "--fresh", "--by=anna", "--device=cpu")
    assert "2 of 2 cells are borne out" in said
    assert re.search(r"small-loss on .* where all is drawn anew: holds\n", said)
    replays = shutil.copy(board / "results" / "replays.jsonl", tmp_path)
    git("clean", "--quiet", "--force", "leaderboards")
    git("checkout", "--quiet", "HEAD", "--", ".")

    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "mine")
    benchbase("submit", "publish", "--replays", str(replays))
    commit("published")
    assert "all follows" in benchbase("verify")
    assert "1 cell replayed by anna" in (board / "README.md").read_text()
    assert Path("site/toy.html").stat().st_size < 1_500_000

    git("checkout", "--quiet", "-b", "newer")
    worse = PLUGIN.replace("losses <= losses.quantile(0.9)", "losses > losses.quantile(0.9)")
    shutil.rmtree(plugin_site.folder / "benchbase_small_loss-1.0.dist-info")
    plugin_site.add(DISTRIBUTION, "small_loss", version="2.0", small_loss=worse)
    train(benchbase)
    commit("a newer version")
    assert len(Committed(board).records()) == 9
    said = benchbase("submit", "verify", "--sample=1", "--device=cpu", code=5)
    assert re.search(r"small-loss: worse than its row was, by \d+\.\d points", said)
