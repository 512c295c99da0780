import csv
import dataclasses
import io

import numpy as np
import pytest

from benchbase.suspects.noise import Noise
from benchbase.suspects.searching import Findings
from benchbase.suspects.telling import csv_text, left_out, sentences, table


@pytest.fixture
def findings(images):
    doubt = np.zeros(48)
    doubt[3] = 0.9
    classes = images.labels.copy()
    classes[3] = 1 - classes[3]
    noise = Noise(doubt, classes, np.array([[0.5, 0.04], [0.0, 0.46]]))
    scores = {"one": doubt, "other": -doubt}
    return Findings(images, noise, scores, {"one": [0.75]}, {"third": "why"}, chance=0.04)


def test_the_csv_holds_every_label_the_most_doubtful_first(findings):
    rows = list(csv.DictReader(io.StringIO(csv_text(findings))))
    assert len(rows) == 48
    assert rows[0] == {
        "path": "3.png",
        "given": "dark",
        "suggested": "bright",
        "score": "0.9",
        "rank_one": "1",
        "rank_other": "48",
    }
    assert rows[1]["given"] == rows[1]["suggested"]


def test_the_words_say_how_many_in_which_direction_and_what_to_trust(findings):
    text = "\n".join(sentences(findings))
    assert "Of 48 labels some 2 (4%) look wrong" in text
    assert "bright that is dark (4.0%)" in text
    assert "Trust one" in text
    assert "75% of the first 4 (chance: 4%)" in text


def test_without_a_measure_nothing_is_to_be_trusted(findings):
    findings.measured.clear()
    text = "\n".join(sentences(findings))
    assert "Trust" not in text
    assert "No ranking was measured" in text


def test_the_table_names_what_was_not_measured(findings):
    assert table(findings) == (
        ["ranking", "precision at 4"],
        [["one", "0.75"], ["other", "not measured"]],
    )


def test_what_is_left_out_is_named_once_a_reason(findings):
    findings.left_out = {"a": "there was no time", "b": "there was no time", "c": "it failed (x)"}
    assert left_out(findings) == [
        "Left out, since there was no time: a, b",
        "Left out, since it failed (x): c",
    ]


def test_verified_labels_are_in_no_list(findings):
    verified = np.arange(48) % 4 == 3
    images = dataclasses.replace(findings.images, verified=verified)
    marked = dataclasses.replace(findings, images=images, scores={})
    for name, scores in findings.scores.items():
        marked.add(name, scores)
    rows = list(csv.DictReader(io.StringIO(csv_text(marked))))
    assert len(rows) == 36
    assert "3.png" not in {row["path"] for row in rows}
    assert "12 labels are verified" in "\n".join(sentences(marked))
