from __future__ import annotations

import shutil

import msgspec
import numpy as np
import pytest

from benchbase.errors import StoreError
from benchbase.leaderboard import write_board
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.evidence import evidence_text
from benchbase.leaderboard.predictions import commit_predictions
from benchbase.leaderboard.verifying import evidence_of, no_data, verify_board
from benchbase.records.committed import Committed
from benchbase.records.committed_predictions import CommittedPredictions
from benchbase.records.home import Home
from benchbase.records.predictions import read_predictions
from benchbase.records.replays import add_replays, judge_replay
from tests.unit.judged_records import judged_record
from tests.unit.made_records import (
    CLEAN,
    PROVENANCE,
    attempt_name,
    changed,
    make_board,
    under_secret,
)

BOARD = make_board(("plain", "clever"), [CLEAN], seeds=2)
PLACE = "plain on nuclei none 1:1, seed 0: "


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "demo"


def committed(folder, home, count=2):
    """Commit the first seeds of a method."""
    store = Committed(folder)
    store.merge(judged_record(home.path, seed) for seed in range(count))
    return sorted(store.records(), key=lambda record: record.spec.seed)


def problems(folder, records, labels_of=no_data):
    return verify_board(folder, BOARD, records, labels_of).problems


def test_a_board_that_follows_has_no_problems(folder, home):
    records = committed(folder, home)
    commit_predictions(folder, BOARD, choose(BOARD, records), home)
    assert verify_board(folder, BOARD, records).resumed == 0
    again = [changed(records[0], "provenance", lives=2), records[1]]
    found = verify_board(folder, BOARD, again, no_data)
    assert found.resumed == 1
    assert (found.records, len(found.recomputed), found.compared, found.problems) == (2, 2, 0, [])
    assert "ece" in found.recorded_only


def test_seeds_that_are_not_complete_need_no_predictions(folder, home):
    records = committed(folder, home, 1)
    assert problems(folder, records) == []


def test_complete_seeds_without_predictions_are_told(folder, home):
    records = committed(folder, home)
    shutil.rmtree(home.path)
    assert [
        PLACE + "its predictions are missing" in each for each in problems(folder, records)
    ] == [
        True,
        False,
    ]


def test_a_raised_score_is_told_with_its_method_and_seed(folder, home):
    records = committed(folder, home)
    commit_predictions(folder, BOARD, choose(BOARD, records), home)
    scores = records[0].metrics["tail"]
    scores["accuracy"] = msgspec.structs.replace(scores["accuracy"], value=0.99)
    [problem] = problems(folder, records)
    assert problem.startswith(PLACE + "metrics.tail.accuracy: ")


def test_lost_labels_and_a_damaged_file_are_told(folder, home):
    records = committed(folder, home)
    labels, answers = commit_predictions(folder, BOARD, choose(BOARD, records), home)
    labels.unlink()
    assert PLACE + "no labels beside its predictions" in problems(folder, records)
    answers.write_bytes(b"garbage")
    [problem] = problems(folder, records)
    assert "cannot be read as predictions" in problem


def test_one_run_that_stands_for_two_seeds_is_told(folder, home):
    record = judged_record(home.path)
    spec = msgspec.structs.replace(record.spec, seed=1)
    copy = msgspec.structs.replace(record, spec=spec, key="f" * 64)
    kept = read_predictions(record, home.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchbase.records.committed_predictions.read_predictions", lambda *_: kept)
        CommittedPredictions(folder).add([record, copy], home.path, all_logits=False)
    [problem] = problems(folder, [record, copy])
    assert problem.endswith("seed 1: its predictions are those of seed 0: a seed counts once")


def test_equal_answers_of_a_model_that_tells_nothing_apart_are_no_copy(folder, home):
    records = committed(folder, home)
    commit_predictions(folder, BOARD, choose(BOARD, records), home)
    for path in (folder / "predictions").glob("*/plain*.npz"):
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        constant = {
            name: np.zeros_like(array) if name.endswith(("test", "logits")) else array
            for name, array in arrays.items()
        }
        np.savez_compressed(path, **constant)
    assert not any("a seed counts once" in each for each in problems(folder, records))


def test_records_are_compared_with_the_data_where_these_are(folder, home):
    records = committed(folder, home)
    asked = []

    def labels_of(scenario, seed):
        asked.append((scenario, seed))

    found = verify_board(folder, BOARD, records, labels_of)
    assert found.compared == 0
    assert asked == [(CLEAN, 0), (CLEAN, 1)]


def test_the_badge_says_what_came_of_computing_again(folder, home):
    records = committed(folder, home)
    assert evidence_text(records, evidence_of(folder, BOARD, records)) == "self-reported"
    [labels, answers] = commit_predictions(folder, BOARD, choose(BOARD, records), home)
    assert evidence_text(records, evidence_of(folder, BOARD, records)) == "recomputed"
    scores = records[0].metrics["tail"]
    scores["accuracy"] = msgspec.structs.replace(scores["accuracy"], value=0.99)
    write_board(folder, BOARD, records)
    badge = "self-reported, 1 cell NOT borne out when verified"
    assert badge in (folder / "README.md").read_text()
    labels.unlink()
    assert evidence_text(records, evidence_of(folder, BOARD, records)) == "self-reported"
    answers.write_bytes(b"garbage")
    with pytest.raises(StoreError, match="cannot be read as predictions"):
        write_board(folder, BOARD, records)


def replayed(record, **fields):
    """Write a line about a record."""
    score = record.metrics["tail"]["balanced_accuracy"].value
    scores = score, score
    one = judge_replay(record, record, equal=True, scores=scores, tolerance=0.01, by="anna")
    return msgspec.structs.replace(one, **fields)


def test_replays_of_records_that_are_there_are_evidence(folder, home):
    [record] = committed(folder, home, 1)
    add_replays(folder / "results", [replayed(record)])
    found = verify_board(folder, BOARD, [record])
    assert (found.problems, [one.by for one in found.replays]) == ([], ["anna"])
    badge = evidence_text([record], evidence_of(folder, BOARD, [record]))
    assert badge.startswith("self-reported, 1 cell replayed by anna")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"key": "f" * 64}, "there is no record with the key ffffffffffff"),
        ({"attempt": attempt_name(7)}, "there is no record with the key"),
        ({"recorded": 0.9, "replayed": 0.9}, "it says that the record had 0.9, the record says 0."),
        ({"outcome": "other bits", "replayed": 1.5}, "no balanced_accuracy is 1.5"),
        ({"finished": 5.0}, "it was finished before the record was"),
    ],
)
def test_a_line_that_matches_no_record_is_told_and_is_no_evidence(folder, home, fields, told):
    provenance = msgspec.structs.replace(PROVENANCE, finished=10.0)
    record = judged_record(home.path, provenance=provenance)
    add_replays(folder / "results", [replayed(record, **fields)])
    found = verify_board(folder, BOARD, [record])
    [problem] = found.problems
    assert problem.startswith(f"{folder / 'results' / 'replays.jsonl'}, line 1: {told}")
    assert evidence_text([record], evidence_of(folder, BOARD, [record])) == "self-reported"


def test_a_record_of_another_secret_than_the_board_s_does_not_follow(folder, home):
    records = committed(folder, home, 1)
    hidden = [under_secret(record, "a" * 16) for record in records]
    public = problems(folder, hidden)
    assert public[0].endswith(
        "its split and noise are of the secret aaaaaaaaaaaaaaaa, those of the board of public seeds"
    )
    lying = [msgspec.structs.replace(record, noise_secret="a" * 16) for record in records]
    assert problems(folder, lying)[0].endswith("its key and its noise_secret name two secrets")
    board = make_board(("plain", "clever"), [CLEAN], seeds=2, noise_secret="a" * 16)
    assert verify_board(folder, board, hidden, no_data).problems == []


def test_a_record_that_contradicts_itself_is_told_and_is_not_borne_out(folder, home):
    records = committed(folder, home)
    commit_predictions(folder, BOARD, choose(BOARD, records), home)
    records[0] = changed(records[0], "training", steps_allowed=5000)
    [problem] = problems(folder, records)
    assert problem.startswith(PLACE + "training.steps_allowed: the record says 5000, its other")
    badge = evidence_text(records, evidence_of(folder, BOARD, records))
    assert badge == "self-reported, 1 cell NOT borne out when verified"
