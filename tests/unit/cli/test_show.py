from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from benchbase.cli import show
from benchbase.errors import StoreError, UsageError
from benchbase.leaderboard.rows import build
from benchbase.plugins.code import code_hash
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.record import as_json
from benchbase.records.store import Store
from tests.unit.made_records import (
    changed,
    make_board,
    make_record,
    make_records,
    make_scenario,
    store_predictions,
    undefined,
)

BOARD = """
weighters = ["plain", "clever"]
seeds = 3

[[scenarios]]
imbalance = [1]
"""


@pytest.fixture
def home(tmp_path, monkeypatch, own_home, shared_server):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "catalogue").symlink_to((own_home / "catalogue").resolve())
    monkeypatch.setenv("BENCHBASE_HOME", str(folder))
    return folder


def remember(home: Path, board, records):
    for record in records:
        Store(Home(home)).write(record)
    last = {"board": msgspec.to_builtins(board), "keys": [record.key for record in records]}
    last["folder"] = None
    (home / "last.json").write_text(json.dumps(last))


def shown(*arguments: str) -> str:
    found = CliRunner().invoke(show.command, arguments, catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


def test_the_last_run_is_shown_again_with_its_curves(home):
    board = make_board()
    remember(home, board, make_records(board, {"plain": 0.7, "clever": 0.8}))
    text = shown()
    assert re.search(r"1 +clever +78\.4 ± 1\.1 +\+10\.0", text)
    assert "Balanced accuracy by epoch: symmetric 0.4, 1:1" in text


def test_records_of_other_runs_stay_out_of_the_last_one(home):
    board = make_board(weighters=["plain"])
    stranger = make_record(torch="9.9", score=0.1)
    Store(Home(home)).write(stranger)
    remember(home, board, make_records(board, {"plain": 0.7}))
    whole = json.loads(shown("--json"))
    [row] = whole["table"]["rows"]
    assert row["versions"]["torch"] == "2.15"


def test_json_is_one_object_with_table_curves_and_failures(home):
    board = make_board(scenarios=[make_scenario()], seeds=2, weighters=["plain"])
    records = [make_record(), make_record(seed=1, status="oom")]
    remember(home, board, records)
    whole = json.loads(shown("--json"))
    assert whole["table"]["rows"][0]["failed"] == 1
    assert whole["curves"][0]["curves"]["loss"] == [1.5, 1.0, 0.5]
    assert whole["failed_cells"] == [
        {
            "cell": "plain | nuclei none 1:1 | seed 1",
            "key": records[1].key,
            "status": "oom",
            "reason": "oom on purpose",
        }
    ]


def test_failed_cells_are_listed_with_their_key_and_shown_in_detail(home):
    record = make_record(status="error")
    board = make_board(weighters=["plain"], seeds=1)
    remember(home, board, [record])
    log = home / "logs" / f"{record.key[:16]}.log"
    log.parent.mkdir()
    log.write_text("what it printed")
    text = shown()
    found = re.search(r"plain \| .* error: error on purpose \(cell ([0-9a-f]{12})\)", text)
    assert found is not None
    detail = shown("--cell", found[1])
    assert "reason    error on purpose" in detail
    assert "plain (demo-plugin, version 1.0)" in detail
    assert detail.rstrip().endswith("line 1")
    assert str(log) in detail
    assert json.loads(shown("--cell", found[1], "--json")) == as_json(record)


def test_a_good_cell_is_shown_with_its_scores_and_costs(home):
    record = make_record(score=0.75)
    remember(home, make_board(weighters=["plain"]), [record])
    detail = shown("--cell", record.key)
    assert "score     tail: balanced accuracy 0.7500" in detail
    assert "cost      seconds_train: 10.0" in detail


def test_of_a_good_cell_is_said_which_scores_do_not_exist(home):
    record = undefined(make_record(), "macro_auroc")
    Store(Home(home)).write(record)
    detail = shown("--cell", record.key)
    assert detail.count("undefined macro AUROC: all images are of one class\n") == 1


def test_a_cell_that_is_unknown_or_not_unique_is_a_usage_error(home):
    remember(home, make_board(), make_records(make_board(), {"plain": 0.7}))
    with pytest.raises(UsageError, match="no cell below"):
        shown("--cell", "zzz")
    with pytest.raises(UsageError, match="10 cells below"):
        shown("--cell", "")


def test_a_board_is_shown_from_its_committed_records(home, tmp_path):
    folder = tmp_path / "leaderboards" / "kidneys"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    board = make_board(scenarios=[make_scenario()], seeds=3)
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    Committed(folder).merge(records)
    assert re.search(r"1\* +clever", shown("--board", "kidneys"))
    assert records[0].key in shown("--cell", records[0].key[:20])


def test_what_a_frozen_board_committed_counts_no_more(home, tmp_path):
    folder = tmp_path / "leaderboards" / "kidneys"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text('frozen = "protocol 1"\n' + BOARD)
    record = make_record()
    Committed(folder).merge([record])
    assert "(not run)" in shown("--board", "kidneys")
    with pytest.raises(UsageError, match="no cell below"):
        shown("--cell", record.key)


def test_a_built_in_board_is_shown_from_the_home(home):
    assert "(not run)" in shown("--board", "quick")


def test_without_a_last_run_the_error_says_what_to_do(home):
    with pytest.raises(UsageError, match="`benchbase run`"):
        shown()


def test_a_damaged_last_run_is_named(home):
    (home / "last.json").write_text('{"board": ')
    with pytest.raises(StoreError, match=r"last.json: not what `benchbase run` writes"):
        shown()


STATED = """
from benchbase import LossWeighter, hookimpl

BENCHBASE_API = 2


class Plain(LossWeighter):
    name = "plain"
    version = "1.0"

    def prepare(self, task):
        return lambda step: step.losses.detach()


@hookimpl
def register_weighters():
    return [Plain]
"""


def test_results_of_other_code_of_the_same_version_are_told(home, plugin_site):
    plugin_site.add("demo-plugin", "demo_plugin", demo_plugin=STATED)
    board = make_board(weighters=["plain"], seeds=2)
    mine = code_hash(STATED.encode())
    old, new = (
        changed(make_record(seed=seed), "provenance", source=source)
        for seed, source in enumerate(("older", mine))
    )
    remember(home, board, [old, new])
    told = "plain: code changed since, not replayed (1 results)"
    assert shown().rstrip().endswith(told)
    assert json.loads(shown("--json"))["changed"] == [told]
    assert "code      older\n" in shown("--cell", old.key)
    assert f"changed   {told}" in shown("--cell", old.key)
    assert "not replayed" not in shown("--cell", new.key)
    pages = build(board, [old, new])
    assert "not replayed" not in json.dumps(pages.to_json())


def keep_predictions(home: Path, **fields):
    logits = np.zeros((2, 3, 2), dtype=np.float16)
    logits[1] = [[0, 2], [2, 0], [0, 2]]
    labels = np.array([1, 1, 0])
    file, sha256 = store_predictions(home, make_record(), [3, 9], logits, labels)
    record = make_record(artefacts={"predictions": {"sha256": sha256, **fields}})
    record = changed(record, "corruption", classes=["cat", "dog"])
    Store(Home(home)).write(record)
    return record.key, file


def test_what_a_cell_predicts_for_each_image_is_written_as_csv(home, tmp_path):
    key, _ = keep_predictions(home)
    path = tmp_path / "out.csv"
    assert shown("--cell", key, "--predictions", str(path)) == f"{path}: 3 test images\n"
    assert path.read_text().splitlines() == [
        "row,label,predicted,probability cat,probability dog",
        "0,dog,dog,0.119203,0.880797",
        "1,dog,cat,0.880797,0.119203",
        "2,cat,dog,0.119203,0.880797",
    ]


def test_predictions_that_are_not_there_are_a_usage_error(home):
    key, file = keep_predictions(home)
    with pytest.raises(UsageError, match="needs --cell"):
        shown("--predictions", "out.csv")
    file.unlink()
    with pytest.raises(UsageError, match="are not there; they stay where it ran"):
        shown("--cell", key, "--predictions", "out.csv")
    failed = make_record(seed=1, status="oom")
    Store(Home(home)).write(failed)
    with pytest.raises(UsageError, match="kept no predictions: its status is oom"):
        shown("--cell", failed.key, "--predictions", "out.csv")


def test_predictions_of_a_committed_record_are_where_it_ran(home, tmp_path):
    folder = tmp_path / "leaderboards" / "kidneys"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    record = make_record()
    Committed(folder).merge([record])
    with pytest.raises(UsageError, match="are not there; they stay where it ran"):
        shown("--cell", record.key, "--predictions", "out.csv")


@pytest.mark.parametrize(("sha256", "problem"), [("0" * 64, "changed since"), (None, "be read as")])
def test_predictions_that_were_changed_are_refused(home, sha256, problem):
    garbage = hashlib.sha256(b"garbage").hexdigest()
    key, file = keep_predictions(home, sha256=sha256 or garbage)
    if sha256 is None:
        file.write_bytes(b"garbage")
    with pytest.raises(StoreError, match=problem):
        shown("--cell", key, "--predictions", "out.csv")
