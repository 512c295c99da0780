from __future__ import annotations

from benchbase.leaderboard.pages.captions import noise_labels, scenario_labels
from tests.unit.made_records import make_scenario


def test_labels_say_noise_and_imbalance():
    scenarios = [
        make_scenario(),
        make_scenario(0.4, 10),
        make_scenario(0.2, 20, imbalance="step"),
        make_scenario(0.2, imbalance="natural", imbalance_options={}),
        make_scenario(imbalance_options={"ratio": 10, "order": "drawn"}),
        make_scenario(noise="matrix", noise_options={"file": "/some/where/m.csv"}),
    ]
    assert scenario_labels(scenarios) == (
        "labels as given, 1:1",
        "symmetric 0.4, 1:10",
        "symmetric 0.2, step:20",
        "symmetric 0.2, natural",
        "labels as given, 1:10 (order drawn)",
        "matrix m.csv, 1:1",
    )


def test_labels_add_what_else_differs_and_stay_distinct():
    scenarios = [
        make_scenario(train_size=6000),
        make_scenario(),
        make_scenario(dataset="digits"),
        make_scenario(dataset="digits", dataset_options={"size": 32}),
    ]
    assert scenario_labels(scenarios) == (
        "nuclei, 6,000, labels as given, 1:1",
        "nuclei, all images, labels as given, 1:1",
        "digits, all images, labels as given, 1:1",
        "digits[size=32], all images, labels as given, 1:1",
    )


def test_shares_of_labels_and_budgets_are_told_apart():
    fractions = [make_scenario(label_fraction=share) for share in (0.05, 0.125, None)]
    assert scenario_labels(fractions) == (
        "5 % labelled, labels as given, 1:1",
        "12.5 % labelled, labels as given, 1:1",
        "all labelled, labels as given, 1:1",
    )
    budgets = [make_scenario(label_budget=budget) for budget in (100, None)]
    assert scenario_labels(budgets) == (
        "100 labels to buy, labels as given, 1:1",
        "no labels to buy, labels as given, 1:1",
    )


def test_the_true_labels_are_not_called_as_given_where_others_were_given():
    real = make_scenario(noise="real", dataset="csv")
    none, elsewhere = make_scenario(dataset="csv"), make_scenario()
    assert noise_labels([real, none, elsewhere]) == (
        "real noise",
        "true labels",
        "labels as given",
    )
    alone = make_scenario(dataset="csv", dataset_options={"label": "old", "truth": "new"})
    assert noise_labels([alone]) == ("true labels",)
