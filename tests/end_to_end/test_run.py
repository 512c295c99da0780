"""``benchbase run`` as a user runs it, on real data."""

from __future__ import annotations

import json
import re

import pytest

from benchbase.cli import invoke
from benchbase.records.validation import parse_record

SMALL = [
    "--train-size=60",
    "--epochs=1",
    "--seeds=1",
    "--noise=symmetric:0.4",
    "--imbalance=1",
    "--device=cpu",
    "--jobs=2",
]

WEIGHTER = '''
"""Believe small losses."""

import torch
from benchbase import LossWeighter


class SmallLoss(LossWeighter):
    """Keep the half of each batch with the smaller losses."""

    name = "small-loss"

    def prepare(self, task):
        def weigh(step):
            losses = step.losses.detach()
            return (losses <= losses.median()).float() * 2

        return weigh
'''


pytestmark = pytest.mark.usefixtures("shared_server")


def test_a_new_user_s_file_is_run_found_again_and_stays_beside_failures(
    tmp_path, own_home, benchbase
):
    (tmp_path / "small_loss.py").write_text(WEIGHTER)
    first = benchbase("run", "--plugin", "./small_loss.py", *SMALL)
    assert first.returncode == 0, first.stderr
    assert "small-loss" in first.stdout
    assert "erm" in first.stdout  # the reference is always added
    assert "2 cells: 0 found, 2 run, 0 failed" in first.stdout
    assert len(list(own_home.glob("runs/*/*/*.json"))) == 2
    assert not list(own_home.glob("work/*"))

    again = benchbase("run", "--plugin", "./small_loss.py", *SMALL, "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert told["cells"] == {"planned": 2, "found": 2, "ran": 0, "failed": 0, "lost": 0}
    assert [row["label"] for row in told["table"]["rows"]]

    shown = benchbase("show")
    assert shown.returncode == 0, shown.stderr
    assert "small-loss" in shown.stdout

    (tmp_path / "bad.py").write_text(WEIGHTER.replace("return weigh", "return 1 / 0"))
    mixed = benchbase("run", "--plugin", "./bad.py", *SMALL)
    assert mixed.returncode == 3
    assert "ZeroDivisionError" in mixed.stderr
    assert "log:" in mixed.stderr
    assert "2 cells: 1 found, 1 run, 1 failed" in mixed.stdout


MINI = """
title = "Mini"
weighters = ["erm", "focal"]
reference = "erm"
seeds = 1

[[scenarios]]
dataset = "nuclei"
train_size = 60
noise = ["symmetric:0.4"]
imbalance = [1]
recipe = { epochs = 1 }
"""


@pytest.mark.slow
def test_a_board_is_written_found_in_another_home_and_compared_with_a_new_method(
    tmp_path, make_home, benchbase
):
    folder = tmp_path / "leaderboards" / "mini"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(MINI)
    (tmp_path / "small_loss.py").write_text(WEIGHTER)
    first = benchbase("run", "--board", "mini", "--device=cpu")
    assert first.returncode == 0, first.stderr
    assert "2 cells: 0 found, 2 run, 0 failed" in first.stdout
    pages = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {re.sub("-[0-9a-f]{8}.npz$", ".npz", path.name) for path in pages} == {
        "board.toml",
        "README.md",
        "leaderboard.csv",
        "leaderboard.json",
        "erm.jsonl",
        "focal.jsonl",
        "erm.npz",
        "focal.npz",
        "labels.npz",
    }

    # A fresh clone has the committed records and nothing in its home.
    make_home(tmp_path / "other")
    clone = ("run", "--board", "mini", "--device=cpu", "--home", "other")
    again = benchbase(*clone)
    assert "2 cells: 2 found, 0 run, 0 failed" in again.stdout, again.stderr
    assert again.stderr.count("found: ") == 2
    assert {path: path.read_bytes() for path in pages} == pages
    verified = benchbase("verify")
    assert verified.returncode == 0, verified.stderr
    assert "2 computed again from their predictions, 2 compared with the data" in verified.stdout

    beside = benchbase(*clone, "--plugin", "./small_loss.py")
    assert "2 cells: 1 found, 1 run, 0 failed" in beside.stdout, beside.stderr
    assert all(name in beside.stdout for name in ("small-loss", "erm", "focal"))
    assert {path: path.read_bytes() for path in pages} == pages
    shown = benchbase("show", "--home", "other")
    assert all(name in shown.stdout for name in ("small-loss", "erm", "focal")), shown.stderr

    replayed = benchbase("replay", "mini", "--sample", "1", "--device", "cpu", "--home", "other")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert ": bit for bit: " in replayed.stdout
    assert "1 cell replayed by " in (folder / "README.md").read_text()
    assert benchbase("verify", "mini").returncode == 0
    (folder / "README.md").write_text("edited")
    assert benchbase("verify", "mini").returncode == 4


BUYING = """
weighters = ["erm", "./buyer.py"]
controls = ["focal"]
seeds = 1

[[scenarios]]
dataset = "nuclei"
train_size = 60
label_budget = 20
noise = ["symmetric:0.4"]
imbalance = [1]
recipe = { epochs = 1 }
"""

BUYER = '''
"""Buy the labels of ten images at a time."""

import dataclasses

import torch
from benchbase import Need, Weighter
from benchbase.kit.loops import supervised


class Buyer(Weighter):
    """Train on the labels as they are, then twice with ten more true ones."""

    name = "buyer"
    needs = frozenset({Need.ORACLE})

    def fit(self, task):
        model, train = task.build_model(), task.train
        for bought in (0, 10, 20):
            if bought:
                rows = torch.arange(bought)
                train = train.relabelled(rows, task.oracle.query(rows))
            for checkpoint in supervised(task, model, self.weigh, epochs=2, data=train):
                yield dataclasses.replace(checkpoint, notes={"labels_bought": 999.0})

    def weigh(self, step):
        return torch.ones_like(step.losses)
'''


def test_labels_that_a_method_buys_are_counted_and_scored_against(tmp_path, own_home, benchbase):
    (tmp_path / "buying.toml").write_text(BUYING)
    (tmp_path / "buyer.py").write_text(BUYER)
    ran = benchbase("run", "--board", "./buying.toml", "--device=cpu")
    assert ran.returncode == 0, ran.stderr
    assert "3 cells: 0 found, 3 run, 0 failed" in ran.stdout
    assert "Score against labels bought: symmetric 0.4, 1:1" in ran.stdout
    assert "focal (control)" in ran.stdout

    records = {
        record.spec.weighter.name: record
        for path in own_home.glob("runs/*/*/*.json")
        for record in [parse_record(path.read_text())]
    }
    bought, told = records["buyer"].curves, records["buyer"].relabelling
    assert bought["labels_bought"] == [0, 0, 10, 10, 20, 20], "by the ledger, not by its notes"
    assert told.labels_bought == [0, 10, 20]
    assert told.balanced_accuracy == bought["test_balanced_accuracy"][1::2]
    assert records["buyer"].cost.labels_bought == 20
    for name in ("erm", "focal"):
        assert records[name].relabelling is None
        assert "labels_bought" not in records[name].curves

    [page] = own_home.glob("tables/*/README.md")
    area = told.area["balanced_accuracy"]
    [line] = [
        line
        for line in page.read_text().splitlines()
        if line.startswith("| > buyer") and f" {100 * area:.1f} " in line
    ]
    assert [f"{100 * score:.1f}" for score in told.balanced_accuracy] == [
        cell.strip() for cell in line.split("|")[2:5]
    ]
    assert "buyer</text>" in page.with_name("labels-bought-1.svg").read_text()
    shown = benchbase("show")
    assert re.search(r"buyer .* 0 \S+ 20$", shown.stdout, re.MULTILINE), shown.stdout


def test_a_dry_run_counts_the_cells_and_runs_none(tmp_path, own_home, benchbase):
    shown = benchbase("run", "--plugin", "focal[gamma=1,2]", *SMALL, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "3 cells, 0 finished, 3 to run" in shown.stdout
    assert re.search(r"focal\[gamma=1.0\] +1 +0 +1", shown.stdout)
    assert "| seed 0" not in shown.stdout
    listed = benchbase(
        "run",
        "--plugin",
        "focal[gamma=1,2]",
        *SMALL,
        "--dry-run",
        "--verbose",
    )
    assert listed.stdout.count("| seed 0") == 3
    assert not (own_home / "runs").exists()


@pytest.mark.usefixtures("numerics")
def test_inline_runs_in_one_process_and_is_marked(tmp_path, own_home, benchbase):
    text = WEIGHTER.replace("return weigh", "print('hi'); return weigh")
    (tmp_path / "small_loss.py").write_text(text)
    ran = benchbase(
        "run",
        "--plugin",
        "./small_loss.py",
        *SMALL,
        "--executor",
        "inline",
    )
    assert ran.returncode == 0, ran.stderr
    assert "hi" in ran.stdout
    records = [json.loads(path.read_text()) for path in own_home.glob("runs/*/*/*.json")]
    assert [record["trusted"] for record in records] == [False, False]


USAGE = {
    "an unknown weighter": (["--plugin", "erf"], "did you mean erm"),
    "an unknown data set": (["--dataset", "nuclie"], "did you mean nuclei"),
    "an unknown backbone": (["--backbone", "resnet33"], "resnet3"),
    "an unknown kind of noise": (["--noise", "symetric:0.2"], "did you mean symmetric"),
    "an unknown kind of imbalance": (["--imbalance", "stepp:10"], "did you mean step"),
    "an unknown board": (["--board", "quik"], "did you mean quick"),
    "an unknown option of a weighter": (["--plugin", "focal[gama=1]"], "did you mean gamma"),
    "a rate outside [0, 1]": (["--noise", "symmetric:1.4"], "from 0 to 1"),
    "a ratio below 1": (["--imbalance", "0.5"], "at least 1"),
    "an unknown track": (["--track", "X5"], "T0"),
    "a share of labels that is none": (["--label-fraction", "0"], "label-fraction"),
    "a budget below zero": (["--label-budget", "-5"], "label-budget"),
    "seeds that are no numbers": (["--seeds", "a"], "0,3,7"),
    "more images than there are": (["--train-size", "10000000"], "train"),
    "a plugin file that is not there": (["--plugin", "./nothing.py"], "no such file"),
    "a plugin file that does not import": (["--plugin", "./broken.py"], "broken.py, line 1"),
    "a plugin that exits on import": (["--plugin", "./exits.py"], "SystemExit"),
    "a board and a suite at once": (["--board", "quick", "--suite", "quick"], "exclude"),
    "a GPU where there is none": (["--device", "cuda"], "no GPU"),
    "a home that cannot be written to": (["--home", "/proc/home"], "--home"),
}


@pytest.mark.parametrize("what", USAGE)
def test_bad_input_exits_with_2_and_a_message_for(what, tmp_path, own_home, monkeypatch, capsys):
    arguments, message = USAGE[what]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "exits.py").write_text("raise SystemExit(5)\n")
    small = [] if "train-size" in arguments[0] else ["--train-size=60"]
    assert invoke(["run", *small, *arguments]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert "Traceback" not in told.err
    assert not (own_home / "runs").exists()


METRIC = """
from benchbase.hookspecs import hookimpl
from benchbase.judging.metrics import Metric

BENCHBASE_API = 2


class Luck(Metric):
    name = "luck"

    def score(self, logits, labels):
        BODY


@hookimpl
def register_metrics():
    return [Luck]
"""


def test_a_broken_metric_costs_its_column_and_no_training(
    tmp_path, own_home, plugin_site, benchbase
):
    def luck(body: str) -> tuple[dict[str, int], float | None]:
        plugin_site.forget()
        (plugin_site.folder / "good_luck.py").write_text(METRIC.replace("BODY", body))
        found = benchbase("run", "--plugin=erm", *SMALL, "--json")
        assert found.returncode == 0, found.stderr
        told = json.loads(found.stdout)
        [row] = told["table"]["rows"]
        return told["cells"], row["metrics"]["luck"]

    plugin_site.add("good-luck", "good_luck", good_luck="")
    cells, value = luck("import sys; sys.exit(7)")
    assert (cells["ran"], cells["failed"], value) == (1, 0, None)
    cells, value = luck("return float(len(labels))")
    assert (cells["found"], cells["ran"], value) == (1, 0, 1000.0)
    shown = benchbase("show", "--json")
    assert json.loads(shown.stdout)["table"]["rows"][0]["metrics"]["luck"] == 1000.0
