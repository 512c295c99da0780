"""``benchbase info``: what a thing is and how to use it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchbase.boards.board import load_board
from benchbase.cli import invoke
from benchbase.cli.info import Page, page_text
from benchbase.judging.scales import SCALES
from benchbase.options import OptionSpec
from benchbase.testing.site import PluginSite

pytestmark = pytest.mark.usefixtures("shared_server")

METHOD = '''
from dataclasses import dataclass

from benchbase import Honesty, LossWeighter, Need, option


@dataclass(frozen=True)
class SmallLoss(LossWeighter):
    """Drop the images with the largest losses."""

    name = "small-loss"
    needs = frozenset({Need.NOISE_RATE})
    honesty = Honesty.UNMATCHED
    paper = "Somebody: Small losses are right. 2018."
    keep: float = option(0.8, "Share of the batch to keep.", min=0, max=1)
    mode: str = option("hard", "How to cut.", choices=("hard", "soft"))

    def prepare(self, task):
        return lambda step: (step.losses <= step.losses.detach().quantile(self.keep)).float()
'''


CARDED = '''
from benchbase import Card, DataSet, hookimpl

BENCHBASE_API = 2


class Moons(DataSet):
    """Moons."""

    name = "moons"
    card = Card(
        "Moons of Jupiter",
        "CC0",
        "Galilei 1610",
        "look up",
        (("io", 3), ("europa", 1)),
        predictions_shown=True,
    )

    def load(self, roots, scratch):
        raise AssertionError


@hookimpl
def register_datasets():
    return [Moons]
'''


@pytest.fixture
def method(tmp_path: Path) -> str:
    path = tmp_path / "small_loss.py"
    path.write_text(METHOD)
    return str(path)


def found(capsys, name: str) -> list[dict[str, Any]]:
    assert invoke(["info", name, "--json"]) == 0
    pages: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["found"]
    return pages


def test_a_weighter_shows_all_that_a_user_must_know(method: str, capsys) -> None:
    assert invoke(["info", method]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "small-loss: weighter from a file",
        "  Drop the images with the largest losses.",
        "  needs     noise rate",
        "  honesty   re-implemented, unmatched",
        "  paper     Somebody: Small losses are right. 2018.",
        "  options",
        "    keep  float from 0 to 1 [default: 0.8]",
        "          Share of the batch to keep.",
        "    mode  one of hard, soft [default: hard]",
        "          How to cut.",
        f"  try it    benchbase run --plugin '{method}[keep=0.8]'",
    ]


def test_the_same_for_a_program(method: str, capsys) -> None:
    [page] = found(capsys, method)
    assert page["name"] == "small-loss"
    assert page["facts"]["needs"] == "noise rate"
    assert [option["name"] for option in page["options"]] == ["keep", "mode"]


@pytest.mark.parametrize(
    ("setting", "problem"), [("x=1", "unknown option 'x'"), ("keep=2", "from 0 to 1")]
)
def test_options_in_brackets_are_checked(method: str, capsys, setting: str, problem: str) -> None:
    assert invoke(["info", f"{method}[{setting}]"]) == 2
    assert problem in capsys.readouterr().err


def test_options_in_brackets_are_let_pass(method: str, capsys) -> None:
    [page] = found(capsys, f"{method}[keep=0.5]")
    assert page["name"] == "small-loss"


def test_an_installed_weighter_names_its_distribution(capsys) -> None:
    [page] = found(capsys, "erm")
    assert (page["kind"], page["distribution"]) == ("weighter", "benchbase-baselines")
    assert page["options"] == []
    assert page["example"] == "benchbase run --plugin erm"


def test_a_module_is_found_by_name(plugin_site: PluginSite, capsys) -> None:
    plugin_site.add("nothing", "nothing", small_losses=METHOD)
    [page] = found(capsys, "small_losses")
    assert page["distribution"] == "module"


@pytest.mark.parametrize(
    ("name", "kind", "example"),
    [
        ("nuclei", "data set", "benchbase run --dataset nuclei"),
        ("small_cnn", "backbone", "benchbase run --backbone small_cnn"),
        ("symmetric", "noise", "benchbase run --noise symmetric:0.4"),
        ("none", "noise", "benchbase run --noise none"),
        ("matrix", "noise", "benchbase run --noise matrix:FILE.csv"),
        ("exponential", "imbalance", "benchbase run --imbalance exponential:10"),
        ("natural", "imbalance", "benchbase run --imbalance natural"),
        ("local", "executor", "benchbase run --executor local"),
    ],
)
def test_every_kind_of_thing_is_explained(capsys, name: str, kind: str, example: str) -> None:
    [page] = found(capsys, name)
    assert (page["kind"], page["example"]) == (kind, example)
    assert page["summary"]


def test_a_data_set_tells_what_keeps_its_classes(capsys) -> None:
    [page] = found(capsys, "nuclei")
    assert page["facts"]["labels"] == "right"
    assert page["facts"]["augments"].startswith("mirrored both ways, windows around the centre")


def test_a_data_set_shows_its_card(plugin_site: PluginSite, capsys) -> None:
    plugin_site.add("moon-data", "moon_data", moon_data=CARDED)
    assert invoke(["info", "moons"]) == 0
    assert capsys.readouterr().out.splitlines()[5:11] == [
        "  source    Moons of Jupiter",
        "  licence   CC0",
        "  use       predictions may be shown; images may not be shown",
        "  citation  Galilei 1610",
        "  classes   2 in 4 images: io 3, europa 1",
        "  get it    look up",
    ]


@pytest.mark.parametrize("width", [50, 80])
def test_words_are_wrapped_and_none_is_split(monkeypatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    words = "re-implemented extraordinarily thoroughly, and nothing-left-out of it at all " * 2
    help_text = words.replace("thoroughly", "carefully")
    options = (OptionSpec("gain", "float", 1.0, help=help_text),)
    page = Page("weighter", "x", "file", "", words, options, "", {"honesty": words})
    text = page_text(page)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) > 6
    assert all(text.split().count(word) >= 2 for word in words.split())
    starts = [line for line in lines if line.startswith("  honesty   ")]
    assert [line[12:].split()[0] for line in starts] == ["re-implemented"]


def test_a_name_of_two_distributions_shows_both(plugin_site: PluginSite, capsys) -> None:
    hooks = """
from benchbase import hookimpl
BENCHBASE_API = 2
@hookimpl
def register_weighters():
    return [SmallLoss]
"""
    for name in ("one_loss", "two_loss"):
        plugin_site.add(name, name, **{name: METHOD + hooks})
    assert [page["distribution"] for page in found(capsys, "small-loss")] == [
        "one-loss",
        "two-loss",
    ]
    assert [page["distribution"] for page in found(capsys, "two-loss:small-loss")] == ["two-loss"]


def test_a_score_says_its_range_and_how_a_board_ranks_by_it(capsys) -> None:
    assert invoke(["info", "sensitivity"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "sensitivity: score of benchbase-harness",
        "  Share of the second class found, at a set specificity.",
        "  range     0 to 1, higher is better",
        '  ranks     with `metric = "sensitivity"` in board.toml',
        "  set up    with `metric_options = { specificity = 0.9 }` in board.toml",
    ]
    [page] = found(capsys, "mcc")
    assert (page["facts"]["range"], page["facts"]["ranks"]) == ("-1 to 1, higher is better", "no")


@pytest.mark.parametrize("name", SCALES)
def test_a_board_takes_the_score_as_it_is_explained(name: str, tmp_path: Path, capsys) -> None:
    [page] = found(capsys, name)
    told = [page["facts"].get(fact, "") for fact in ("ranks", "set up")]
    lines = [line for text in told for line in re.findall("`(.*?)`", text)]
    lines += ['weighters = ["erm"]', "seeds = 1", "[[scenarios]]"]
    (tmp_path / "board.toml").write_text("\n".join(lines))
    board = load_board(str(tmp_path))
    assert board.metric == (name if SCALES[name].ranks else "balanced_accuracy")
    assert bool(board.metric_options) == ("set up" in page["facts"])


def test_an_unknown_name_is_an_error_with_the_nearest(capsys) -> None:
    assert invoke(["info", "nucley"]) == 2
    assert "unknown name 'nucley'; did you mean nuclei" in capsys.readouterr().err
    assert invoke(["info", "balanced_acuracy"]) == 2
    assert "did you mean balanced_accuracy" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["info", "check"])
def test_a_name_that_is_like_no_other_is_not_answered_with_all_of_them(command, capsys) -> None:
    assert invoke([command, "qqqqqq"]) == 2
    assert "unknown name 'qqqqqq'; `benchbase list` names all\n" in capsys.readouterr().err


def test_a_file_that_does_not_import_is_an_error(tmp_path: Path, capsys) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")
    assert invoke(["info", str(tmp_path / "broken.py")]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err
