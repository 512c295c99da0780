"""What is said of an advice, sentence by sentence, on tables made up for each."""

from __future__ import annotations

import numpy as np
import pytest

from benchbase.advising.advice import Advice
from benchbase.advising.telling import choice, left_out, rows, sentences, to_use
from benchbase.judging.statistics import estimate
from benchbase.leaderboard.rows import build
from benchbase.suspects.noise import Noise
from tests.unit.made_records import CORRUPTION, make_board, make_metrics, make_record, make_scenario

NOISY = make_scenario(0.4)
WOBBLE = (0.0, 0.004, -0.004, 0.002, -0.002)
NOISE = Noise(np.zeros(1000), np.zeros(1000, np.int64), np.array([[0.5, 0.2], [0.0, 0.3]]))
ALIKE = {"erm": 0.70, "focal": 0.70, "gce": 0.699}
BETTER = {"erm": 0.70, "focal": 0.80, "gce": 0.78}


def table(scores, *, seeds=5, wobble=1.0, recalls=None):
    board = make_board([*scores], [NOISY], seeds=seeds, reference="erm")
    records = []
    for m, (name, score) in enumerate(scores.items()):
        for seed in range(seeds):
            value = score + wobble * WOBBLE[(seed * (1 + m) + m) % 5] + 0.01 * seed
            metrics = make_metrics(value)
            if recalls:
                metrics["tail"]["recall_per_class"]["value"] = recalls[name]
            corruption = {**CORRUPTION, "classes": ["a", "b"], "class_counts": [60, 40]}
            fields = {"metrics": metrics, "corruption": {**corruption, "identifiable": True}}
            records.append(make_record(name, NOISY, seed, value, **(fields if recalls else {})))
    return build(board, records)


def advice(given=None, injected=None, **fields):
    made = {
        "reference": "erm",
        "classes": ("a", "b"),
        "verified_tests": None,
        "train_images": 500,
        **fields,
    }
    return Advice(given=given, injected=injected, **made)


def said(*tables, **fields):
    return "\n".join(sentences(advice(*tables, **fields)))


def test_the_best_method_that_is_better_is_the_one_to_use():
    text = said(table(BETTER), table(BETTER))
    assert "Use focal: 10.0 points" in text
    assert "Also better than erm: gce." in text
    assert "How sure: it is told apart from erm among all 3 methods at once, at 5 seeds." in text
    assert to_use(advice(table(BETTER), table(BETTER))) == "focal"


def test_no_evidence_of_a_difference_is_an_answer():
    text = said(table(ALIKE), table(ALIKE))
    assert "No evidence of a difference: use erm, the simplest." in text
    assert "How sure" not in text
    assert to_use(advice(table(ALIKE), table(ALIKE))) == "erm"


def test_what_is_worse_is_named():
    assert "Worse than erm: gce." in said(None, table({"erm": 0.7, "gce": 0.5}))


def test_three_seeds_are_provisional():
    assert "(provisional: 5 seeds make it firm)" in said(None, table(BETTER, seeds=3))


def test_injected_noise_decides_where_test_labels_are_doubtful_and_disagreement_is_said():
    text = said(table({"erm": 0.8, "focal": 0.7}), table(BETTER))
    assert "Use focal: 10.0 points" in text.partition("\n")[0]
    assert "on injected noise" in text.partition("\n")[0]
    assert "On your labels as given it is worse" in text
    assert "verify some test labels first" in text
    assert "Your test labels are as doubtful as the rest" in text


def test_verified_test_labels_decide():
    text = said(table(BETTER), table(ALIKE), verified_tests=80)
    assert "Use focal" in text
    assert "on your labels, judged by verified ones" in text.partition("\n")[0]
    assert "judged by the 80 test images whose labels are verified" in text
    assert "it is not told apart from erm" in text


def test_a_gain_that_only_doubtful_labels_show_is_told_and_does_not_count():
    text = said(table(BETTER), table(ALIKE))
    assert "No evidence of a difference: use erm" in text
    assert "On your labels as given, focal is 10.0 points" in text


def test_classes_of_which_little_is_found_are_named_and_those_that_lose():
    recalls = {"erm": [0.9, 0.4], "focal": [0.8, 0.7], "gce": [0.8, 0.7]}
    text = said(None, table(BETTER, recalls=recalls))
    assert "b (70%, 40% with erm), a (80%, 90% with erm)" in text
    assert "focal finds less than erm of a (10 points)." in text


def test_a_hundred_labels_are_extrapolated_and_called_so():
    right = estimate([0.10, 0.11, 0.09])
    text = said(None, table(ALIKE), noise=NOISE, right=right)
    # 500 training images, of which a fifth is wrong: a hundred are a fifth, or all the wrong ones.
    assert "an extrapolation from injected noise in a straight line: some 2.0 points" in text
    assert "up to 10.0 where each of them was wrong" in text
    assert "Most often: b that is a (20.0%)." in text


@pytest.mark.parametrize(
    ("values", "words"),
    [([0.1, -0.1, 0.0], "cannot be told"), ([], "is not known")],
    ids=["chance", "no time"],
)
def test_without_a_gain_there_is_nothing_to_extrapolate(values, words):
    right = estimate(values)
    assert f"100 more verified labels would bring {words}" in said(noise=NOISE, right=right)


def test_without_a_comparison_there_is_no_advice():
    assert to_use(advice()) is None
    assert said().startswith("No advice: no method could be compared with erm in the time.")


def test_what_did_not_fit_is_named_with_the_reason():
    found = left_out(advice(left_out={"gce": "late", "elr": "late", "vog": "other"}))
    assert found == ["Not tried, since late: gce, elr", "Not tried, since other: vog"]


def test_the_table_has_what_each_way_of_asking_says():
    header, found = rows(advice(table(ALIKE), table(BETTER)))
    assert [row[0] for row in found] == ["focal", "gce", "erm"]
    assert header[1].startswith("your labels")
    assert found[0][1].startswith("72.0")
    assert found[0][3].startswith("82.0")


def test_a_failed_reference_gives_no_advice():
    board = make_board(["erm", "focal"], [NOISY], seeds=3, reference="erm")
    records = [make_record("focal", NOISY, seed, 0.8) for seed in range(3)]
    records += [make_record("erm", NOISY, seed, status="error") for seed in range(3)]
    found = build(board, records)
    assert choice(found) is None
    assert "No advice: the reference erm failed" in said(None, found)
