"""What is said of a table, sentence by sentence, on tables made up for each."""

from __future__ import annotations

import re

import pytest

from benchbase.boards.selectors import parse_selector
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.words import in_short, verdict
from tests.unit.made_records import make_board, make_record, make_scenario

NOISY = make_scenario(0.4)
WOBBLE = (0.0, 0.004, -0.004, 0.002, -0.002, 0.001)
YARDSTICKS = {
    "weights": parse_selector("perfect"),
    "labels": parse_selector("right"),
    "trusted": parse_selector("alone"),
}


def said(scores, *, controls=(), seeds=5, wobble=0.1, **fields):
    """Give the sentences on methods with these scores; those with + are given trusted images."""
    names = {name.strip("+!"): name for name in scores}
    board = make_board(
        [name for name in names if name not in controls],
        [NOISY],
        seeds=seeds,
        controls=controls,
        reference="erm",
        **fields,
    )
    records = [
        make_record(
            name,
            NOISY,
            seed,
            # Each method has its own order of the same small deviations.
            scores[key] + wobble * WOBBLE[(seed * (1 + m) + m) % 5] + 0.01 * seed,
            grants={"trusted": "trusted"} if "+" in key else {"truth": "all"} if "!" in key else {},
        )
        for m, (name, key) in enumerate(names.items())
        for seed in board.seeds
    ]
    return verdict(build(board, records))


def one(sentences, start):
    [sentence] = [each for each in sentences if each.startswith(start)]
    return sentence


def test_the_best_method_is_named_with_its_lead():
    assert said({"erm": 0.7, "good": 0.8, "bad": 0.6}) == [
        "good is best: 82.0 % balanced accuracy, 10.0 points (95 %: 9.9 to 10.1) above erm.",
        "Better than erm: good; worse: bad.",
    ]


def test_the_reference_may_be_best():
    first, against = said({"erm": 0.8, "bad": 0.6})
    assert first == "erm is best: 82.0 % balanced accuracy."
    assert against == "No method is better than erm; worse: bad."


def test_what_cannot_be_told_apart_is_said_and_what_that_would_take():
    sentences = said({"erm": 0.7, "one": 0.81, "two": 0.805, "three": 0.802}, wobble=2)
    assert sentences[0].startswith("No single method is best: one has the highest mean, 83.0 %")
    assert sentences[0].endswith("and cannot be told apart from two and three.")
    assert one(sentences, "Better than erm") == "Better than erm: one, two and three."
    told = one(sentences, "To tell one and two apart")
    assert told.startswith(
        "To tell one and two apart at this difference and spread would take some"
    )
    assert 5 < int(told.split()[-2]) < 50


def test_a_difference_that_does_not_matter_needs_no_seeds():
    sentences = said({"erm": 0.7, "one": 0.801, "two": 0.8}, wobble=2)
    assert one(sentences, "No number of seeds") == (
        "No number of seeds would matter between one and two: they differ by 0.1 points, less "
        "than 0.3."
    )


def test_few_seeds_are_provisional_and_fewer_rank_nothing():
    assert said({"erm": 0.7, "good": 0.8}, seeds=3)[0].startswith(
        "good is best (provisional: 5 seeds make it firm): 81.0 %"
    )
    assert said({"erm": 0.7, "good": 0.8}, seeds=2) == []


def test_the_headroom_is_told_with_who_won_most_of_it():
    sentences = said(
        {"erm": 0.7, "half": 0.75, "little": 0.71, "perfect!": 0.8},
        controls=("perfect",),
        yardsticks={"weights": YARDSTICKS["weights"]},
    )
    told = one(sentences, "Perfect weights would bring")
    assert told.startswith("Perfect weights would bring 10.0 points (95 %: 9.9 to 10.1) over erm")
    assert "(perfect); half gets 50% of the headroom under wrong labels (95 %: " in told
    assert one(sentences, "perfect scores") == (
        "perfect scores higher and knows the true labels: no method to use."
    )


def test_methods_with_right_labels_are_measured_against_right_labels():
    sentences = said(
        {"erm": 0.7, "weigher": 0.72, "checker+": 0.85, "perfect!": 0.8, "right!": 0.9},
        controls=("perfect", "right"),
        yardsticks={kind: YARDSTICKS[kind] for kind in ("weights", "labels")},
    )
    assert "; weigher gets 20% of" in one(sentences, "Perfect weights would bring 10.0 points")
    assert "; checker gets 75% of" in one(sentences, "Right labels everywhere would bring 20.0")


def test_who_passes_the_ceiling_gets_a_sentence():
    sentences = said(
        {"erm": 0.7, "beyond": 0.83, "perfect!": 0.8},
        controls=("perfect",),
        yardsticks={"weights": YARDSTICKS["weights"]},
    )
    assert one(sentences, "beyond passes that ceiling") == (
        "beyond passes that ceiling: it bounds what weights can do, not what else a method does."
    )


def test_a_headroom_that_may_be_nothing_is_said():
    sentences = said(
        {"erm": 0.7, "good": 0.71, "perfect!": 0.7},
        controls=("perfect",),
        wobble=1,
        yardsticks={"weights": YARDSTICKS["weights"]},
    )
    assert "Whether perfect weights would bring anything cannot be told here." in sentences


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (0.9, "clever gets surely more out of them."),
        (0.78, "no method that is given them gets surely more out of them."),
    ],
)
def test_what_checked_images_alone_are_worth(score, told):
    sentences = said(
        {"erm": 0.7, "alone+": 0.8, "clever+": score, "blind": 0.95},
        yardsticks={"trusted": YARDSTICKS["trusted"]},
    )
    sentence = one(sentences, "What the checked images alone are worth shows alone: 10.0 points")
    assert sentence.endswith(f"above erm; {told}")


def test_a_control_without_the_truth_that_beats_every_method_is_a_warning():
    sentences = said({"erm": 0.7, "good": 0.75, "random": 0.8}, controls=("random",))
    assert one(sentences, "random scores higher than every method and should not")


THREE = (make_scenario(), make_scenario(ratio=10.0), NOISY)


def by_scenario(scores, wobble=0.1, failed=None):
    """Give the table of methods with a score in each of three scenarios, or fewer."""
    scenarios = THREE[: len(scores["erm"])]
    board = make_board([*scores], scenarios, seeds=3, reference="erm")
    records = [
        make_record(
            name,
            scenario,
            seed,
            score + wobble * WOBBLE[(seed * (1 + m) + m) % 5],
            status="oom" if name == failed else "ok",
        )
        for m, (name, each) in enumerate(scores.items())
        for scenario, score in zip(scenarios, each, strict=True)
        for seed in board.seeds
    ]
    return build(board, records)


def in_single_scenarios(table):
    return [each for each in verdict(table) if re.match(r"In (no )?single scenario|Where", each)]


def test_who_is_tied_in_the_mean_may_part_in_single_scenarios():
    table = by_scenario(
        {
            "erm": (0.9, 0.8, 0.6),
            "twofold": (0.8, 0.8, 0.7),
            "bad": (0.9, 0.6, 0.6),
            "level": (0.9, 0.8, 0.6),
        },
    )
    assert next(row for row in table.rows if row.label == "twofold").difference.verdict == "tied"
    who, where = in_single_scenarios(table)
    assert who == (
        "In single scenarios, at 95 % for the whole table, better than erm: twofold; worse: "
        "twofold and bad."
    )
    assert where == (
        "Where they part from erm, in points: labels as given, 1:1 (twofold -10.0 ± 0.1); labels "
        "as given, 1:10 (bad -20.0 ± 0.1); symmetric 0.4, 1:1 (twofold +10.0 ± 0.1)."
    )
    assert who in in_short(table)
    assert where not in in_short(table)


def test_nobody_may_be_better_in_any_scenario():
    table = by_scenario({"erm": (0.9, 0.8), "bad": (0.9, 0.6), "worse": (0.8, 0.6)})
    assert in_single_scenarios(table)[0] == (
        "In single scenarios, at 95 % for the whole table, no method is better than erm; worse: "
        "bad and worse."
    )


def test_where_nobody_parts_from_the_reference_in_any_scenario_that_is_said():
    table = by_scenario({"erm": (0.9, 0.8), "one": (0.9, 0.81), "two": (0.89, 0.8)}, wobble=9)
    assert in_single_scenarios(table) == [
        "In no single scenario, at 95 % for the whole table, is a method told apart from erm."
    ]


def test_a_single_scenario_is_what_the_mean_is_of():
    assert in_single_scenarios(by_scenario({"erm": (0.9,), "bad": (0.6,)})) == []


@pytest.mark.parametrize("failed", ["erm", "bad"])
def test_zeros_of_failed_cells_tell_nobody_apart(failed):
    table = by_scenario({"erm": (0.9, 0.8), "bad": (0.9, 0.6)}, failed=failed)
    assert in_single_scenarios(table) == []


def test_a_reference_that_failed_is_compared_with_nobody():
    board = make_board(["erm", "good"], [NOISY], reference="erm")
    records = [
        make_record(name, NOISY, seed, score, status="oom" if name == "erm" and seed == 0 else "ok")
        for name, score in (("erm", 0.7), ("good", 0.8))
        for seed in board.seeds
    ]
    table = build(board, records)
    assert not any("etter than erm" in sentence for sentence in verdict(table))
    assert table.spread is None
