from __future__ import annotations

import csv
import dataclasses
import io
import json

from msgspec.structs import replace

from benchbase.leaderboard import build, render_csv, render_json, render_markdown
from benchbase.records.record import Score
from tests.unit.made_records import changed, make_board, make_record, make_records, make_scenario

# ruff: noqa: E501 - the page is compared as it is
GOLDEN = """\
# Demo board

Data: nuclei; network small_cnn; 10 epochs; track T10: 10 trusted images a class for methods that need them; seeds 0–2.

Two lines that a person
wrote.

- clever\\[gain=2\\] is best (provisional: 5 seeds make it firm): 71.0 % balanced accuracy, 2.4 points (95 %: 2.1 to 2.7) above plain.
- Better than plain: clever\\[gain=2\\].
- In single scenarios, at 95 % for the whole table, better than plain: clever\\[gain=2\\].
- Where they part from plain, in points: labels as given, 1:1 (clever\\[gain=2\\] +4.9 ± 0.4).

| rank   | method                                     | balanced accuracy (%)   | difference to plain   | training time   | needs (granted)   |
|--------|--------------------------------------------|-------------------------|-----------------------|-----------------|-------------------|
|        | *given the labels alone*                   |                         |                       |                 |                   |
| 2*     | plain                                      | 68.6 ± 2.5              | reference             | x 1.00          | nothing           |
| 3*     | broken †                                   | 48.0                    | -20.6                 | x 1.00          | nothing           |
| –      | late                                       | –                       | –                     | –               | –                 |
|        | *given images or labels that were checked* |                         |                       |                 |                   |
| 1*     | clever[gain=2]                             | 71.0 ± 2.5              | +2.4 ± 0.3 better     | x 1.90          | trusted (clean)   |

![Differences to plain](differences.svg)

- \\* Provisional: 3 seeds; a firm rank needs 5.
- Not ranked: late (not run).
- ‡ Not identifiable: symmetric 0.7, 1:10. The true class is not the most likely label there, so it counts in no score and no rank.

## Scenario by scenario

| method         | labels as given, 1:1   | symmetric 0.4, 1:1   | symmetric 0.7, 1:10 ‡   |
|----------------|------------------------|----------------------|-------------------------|
| clever[gain=2] | **76.0 ± 2.5**         | 66.0 ± 2.5           | 56.0 ± 2.5              |
| plain          | 71.1 ± 2.5             | **66.1 ± 2.5**       | **61.1 ± 2.5**          |
| broken         | 48.0 (1 failed)        | 48.0 (1 failed)      | 48.0 (1 failed)         |
| late           | –                      | –                    | –                       |

## What the columns mean

- **Score**: balanced accuracy on the test set, averaged over the last fifth of the epochs (one to five), averaged over scenarios and then over 3 seeds. ± is half of a 95 % t interval over seeds: it speaks about these tasks only, not about other data. A row with failures has none. A row that lacks cells or scores is averaged over the seeds at which every scenario has one. **Last epoch**: the same for the finished model. Controls: over their own seeds.
- **Difference**: paired with plain (same data, same wrong labels, same seeds), mean and half of the 95 % t interval over seeds, in points. *Tied*: the interval contains zero.
- **Rank**: from the best to the worst place that these seeds leave open, so methods with overlapping ranges are not told apart. The ranges hold at 95 % for the whole table (Tukey's studentised range, spread pooled over the ranked methods). Whoever fails in fewer cells and has the higher mean is ahead without further question. **In single scenarios** methods part from plain by the same range over seeds, with the spread of each scenario, at 95 % for all scenarios and methods together.
- **Cells**: how many of the planned ones were run (a cell is one method in one scenario at one seed). **Failed**: those that crashed, ran out of memory or time, or diverged. A failed cell scores 0 and stays in the mean.
- **Training time**: seconds against plain, median over the cells that both finished on the same kind of device, with whatever else the machine did then. A first, thrown-away step comes before the clock. **Judging**: share of the time that went into predicting and scoring. **Peak memory**: of the worst cell.
- **Needs**: what a method asks for beyond the noisy labels, and what it was given. **Oracle gap**: points that choosing the epoch on test labels would have added. **Weight AUROC**: how well the method's sample weights tell right labels from wrong ones (0.5 is chance; below 0.5 the method prefers wrong labels; a dash where it weighs all alike). **Code**: how the implementation relates to the publication. **Evidence**: *self-reported*, nothing but the records; *recomputed*, when this page was written every score followed from the predictions that are kept beside them (`benchbase verify`); *replayed*, cells were trained again, by whom and when as a line beside them claims.
- Augmentation of nuclei: mirrored left and right, windows anywhere from 20% of the area, turned by up to 15 degrees, other colours.
- Ran with torch 2.15 on cpu.
- This page is generated from the records; nothing on it is written by hand. Below `leaderboards/`, `benchbase run --board NAME` runs what is missing and writes the page, and `benchbase leaderboard` writes it again from the records alone.

## Further tables

<details><summary>Further columns</summary>

| method         | last epoch (%)   | cells   | failed    | judging   | peak memory   | oracle gap   | code         | evidence      |
|----------------|------------------|---------|-----------|-----------|---------------|--------------|--------------|---------------|
| clever[gain=2] | 71.0             | 9/9     | 0         | 5%        | 300 MiB       | +1.0         | defined here | self-reported |
| plain          | 68.6             | 9/9     | 0         | 8%        | 300 MiB       | +1.0         | defined here | self-reported |
| broken         | 48.0             | 9/9     | 3 (3 oom) | 8%        | 300 MiB       | +1.0         | defined here | self-reported |
| late           | –                | 0/9     | –         | –         | –             | –            | –            | –             |

</details>

<details><summary>Sample weights</summary>

| method         | effective sample size   | spread   | AUROC   | rare and right, near zero   |
|----------------|-------------------------|----------|---------|-----------------------------|
| clever[gain=2] | 90%                     | –        | 0.900   | –                           |

Last weights of the training images, mean of the cells that reported any. Effective sample size: Kish's, as a share of the images; 100 % where all weigh the same. Spread: deviation of the weights divided by their mean. AUROC: of *weight* for *label is right*, over all images and within those of one given label, which leaves out that whole classes weigh more or less. Rare and right, near zero: share of the rightly labelled images of rare classes whose weight is below a tenth of the mean.

</details>

<details><summary>Other ways to choose the epoch</summary>

| method         | last fifth of the epochs   | last epoch   | last five epochs   | best on noisy validation   | best on validation before noise*   | best on test*   |
|----------------|----------------------------|--------------|--------------------|----------------------------|------------------------------------|-----------------|
| clever[gain=2] | 71.0                       | 71.0         | 71.0               | 71.0                       | 71.0                               | 72.0            |
| plain          | 68.6                       | 68.6         | 68.6               | 68.6                       | 68.6                               | 69.6            |
| broken †       | 72.0                       | 72.0         | 72.0               | 72.0                       | 72.0                               | 73.0            |
| late           | –                          | –            | –                  | –                          | –                                  | –               |

Balanced accuracy in percent, mean of the cells that finished, over the seeds of the score. * looks at labels that nobody has in practice: a diagnostic, never ranked. † has failed cells, which are missing from this mean.

</details>

<details><summary>Other metrics (last fifth of the epochs)</summary>

| method         | accuracy   | balanced accuracy   | macro F1   | MCC   | macro AUROC   | macro AUPRC   | recall of the rarest class   | Brier score   | calibration error   |
|----------------|------------|---------------------|------------|-------|---------------|---------------|------------------------------|---------------|---------------------|
| clever[gain=2] | 0.710      | 0.710               | 0.710      | 0.710 | 0.710         | 0.710         | 0.710                        | 0.290         | 0.050               |
| plain          | 0.686      | 0.686               | 0.686      | 0.686 | 0.686         | 0.686         | 0.686                        | 0.314         | 0.050               |
| broken †       | 0.720      | 0.720               | 0.720      | 0.720 | 0.720         | 0.720         | 0.720                        | 0.280         | 0.050               |
| late           | –          | –                   | –          | –     | –             | –             | –                            | –             | –                   |

Mean of the cells that finished, over the seeds of the score; lower is better for Brier score and calibration error.

</details>

<details><summary>What a step took</summary>

| method         | steps of the recipe   | ms a step   | images with gradient   |
|----------------|-----------------------|-------------|------------------------|
| clever[gain=2] | 100%                  | 633.3       | 300                    |
| plain          | 100%                  | 333.3       | 300                    |
| broken         | 100%                  | 333.3       | 300                    |

Steps: updates of the most updated network, in the cell of fewest. Time: training time by the updates of all networks. Images: passed through networks with gradient in a cell; a cost, not a bound. Far more time or images a step than others' wants a look at the code.

</details>

<details><summary>Whose code ran</summary>

| method         | distribution   | version   |
|----------------|----------------|-----------|
| clever[gain=2] | demo-plugin    | 1.0       |
| plain          | demo-plugin    | 1.0       |
| broken         | demo-plugin    | 1.0       |

The installed distribution that brought the method; *file* or *module* for a method given by path or by module name.

</details>
"""


def golden_table():
    board = make_board(
        weighters=["plain", "clever[gain=2]", "broken", "late"],
        scenarios=[make_scenario(), make_scenario(0.4), make_scenario(0.7, ratio=10)],
        seeds=3,
        description="Two lines that a person\nwrote.",
    )
    records = make_records(board, {"plain": 0.7})
    records += [
        make_record(
            "clever",
            scenario,
            seed,
            0.75 - 0.1 * s + 0.01 * seed,
            options={"gain": 2},
            grants={"trusted": "clean"},
            auroc=0.9,
            seconds=19.0,
        )
        for s, scenario in enumerate(board.scenarios)
        for seed in board.seeds
    ]
    records += [
        make_record("broken", scenario, seed, 0.72, status="ok" if seed else "oom")
        for scenario in board.scenarios
        for seed in board.seeds
    ]
    for at, record in enumerate(records):
        if record.spec.scenario.noise_options == {"rate": 0.7}:
            records[at] = changed(record, "corruption", identifiable=False)
    return build(board, records)


def test_fixed_records_give_exactly_this_page():
    assert render_markdown(golden_table()) == GOLDEN


def test_an_empty_board_has_a_page_too():
    table = build(make_board(), [])
    page = render_markdown(table)
    assert "| –      | plain    | –" in page
    assert "Not ranked: clever, plain (not run)." in page
    assert "Other metrics" not in page
    assert len(list(csv.DictReader(io.StringIO(render_csv(table))))) == 2 * 3


def test_without_the_reference_s_cells_there_is_a_page_without_differences():
    board = make_board()
    page = render_markdown(build(board, make_records(board, {"clever": 0.8})))
    assert "Not ranked: plain (not run)." in page
    assert "sign-flip" not in page


def test_a_bar_in_a_label_does_not_break_the_table():
    board = make_board(weighters=["plain", "clever[mode=a|b]"])
    assert r"clever[mode=a\|b]" in render_markdown(build(board, []))


def test_the_csv_has_a_line_overall_and_one_for_each_scenario():
    lines = list(csv.DictReader(io.StringIO(render_csv(golden_table()))))
    clever = [line for line in lines if line["method"] == "clever[gain=2]"]
    assert [line["scenario"] for line in clever] == [
        "overall",
        "labels as given, 1:1",
        "symmetric 0.4, 1:1",
        "symmetric 0.7, 1:10",
    ]
    assert clever[0]["score"] == "0.71"
    assert clever[0]["needs"] == "trusted (clean)"
    assert clever[3]["standing"] == "not identifiable"
    assert float(clever[0]["difference_low"]) < float(clever[0]["difference"])
    failed = next(line for line in lines if line["method"] == "broken")
    assert (failed["failed"], failed["cells"], failed["planned"]) == ("3", "9", "9")


def test_the_json_holds_everything_and_says_its_schema():
    table = golden_table()
    whole = json.loads(render_json(table))
    assert whole["schema"] == "benchbase-leaderboard-1"
    assert whole["planned_cells"] == 9
    assert whole["not_identifiable"] == [2]
    rows = {row["label"]: row for row in whole["rows"]}
    assert rows["broken"]["failures"] == {"oom": 3}
    assert rows["clever[gain=2]"]["ranks"] == list(table.rows[0].ranks)
    assert rows["late"]["standing"] == "not run"
    assert rows["plain"]["versions"]["distribution"] == "demo-plugin"


def test_the_page_says_what_was_compared():
    scenarios = [make_scenario(), make_scenario(ratio=10, track="T0")]
    board = make_board(["plain"], scenarios=scenarios, seeds=5)
    records = make_records(board, {"plain": 0.7})
    for at, record in enumerate(records):
        counts = [1000, 100 if record.spec.scenario.imbalance_options == {"ratio": 10} else 1000]
        records[at] = changed(record, "corruption", class_counts=counts, test_count=400)
    assert (
        "\n\nData: nuclei, 1,100–2,000 training and 400 test images; network small_cnn; 10 epochs; "
        "track T0: no trusted images; track T10: 10 trusted images a class for methods that need "
        "them; seeds 0–4.\n\n"
    ) in render_markdown(build(board, records))


def test_a_reference_that_fails_takes_the_intervals_and_is_named():
    board = make_board()
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    records[0] = replace(records[0], status="oom", metrics={})
    table = build(board, records)
    page = render_markdown(table)
    assert "The reference plain failed in 1 (1 oom) of 10 cells." in page
    assert "sign-flip" not in page
    clever = next(line for line in page.splitlines() if line.startswith("| 1 "))
    assert clever.split("|")[4].strip() == "+17.0"


def test_the_finished_model_stands_beside_the_headline():
    board = make_board(["plain"])
    records = make_records(board, {"plain": 0.7})
    for record in records:
        record.metrics["last"]["balanced_accuracy"] = Score(value=0.25)
    page = render_markdown(build(board, records))
    lines = page[page.index("<summary>Further columns") :].splitlines()
    assert [cell.strip() for cell in lines[4].split("|")[1:3]] == ["plain", "25.0"]
    records[0] = replace(records[0], status="oom", metrics={})
    [row] = build(board, records).rows
    assert row.last_epoch == 0.225, "a failed cell scores 0 there as well"


def test_every_row_names_the_distribution_that_brought_it():
    board = make_board(["plain", "clever"])
    records = make_records(board, {"plain": 0.7})
    records += make_records(board, {"clever": 0.8}, distribution="file")
    page = render_markdown(build(board, records))
    lines = page[page.index("<summary>Whose code ran") :].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    assert cells[2:] == [["> clever", "file", "1.0"], ["plain", "demo-plugin", "1.0"]]


def test_a_control_stands_below_the_ranked_rows_and_is_marked_wherever_it_is_shown():
    board = make_board(controls=["yardstick"])
    records = make_records(board, {"plain": 0.7, "clever": 0.8})
    records += make_records(dataclasses.replace(board, seeds=(0, 1, 2)), {"yardstick": 0.9})
    table = build(board, records)
    page = render_markdown(table)
    rows = [[cell.strip() for cell in line.split("|")] for line in page.splitlines()]
    main = [row[1:3] for row in rows if len(row) == 8][2:]
    assert main == [
        ["", "*given the labels alone*"],
        ["1", "clever"],
        ["2", "plain"],
        ["", "*yardsticks, never ranked*"],
        ["–", "yardstick (control)"],
    ]
    main_row, _, further, *_ = [row for row in rows if "yardstick (control)" in row]
    assert main_row[4].startswith("+20.")
    assert further[3] == "6/6"
    assert page.count("yardstick (control)") == 8, "seven tables, and a note"
    assert "of 5 seeds" not in page
    assert (
        "Never ranked: yardstick (control). A control is a yardstick; one that runs at fewer"
        in page
    )
    assert "Not ranked" not in page
    lines = list(csv.DictReader(io.StringIO(render_csv(table))))
    told = {line["scenario"]: line for line in lines if line["method"] == "yardstick"}
    assert (told["overall"]["planned"], told["overall"]["standing"]) == ("6", "control")
    assert told["labels as given, 1:1"]["planned"] == "3"


def test_the_page_says_how_many_labels_there_are():
    scenarios = [make_scenario(label_budget=budget) for budget in (50, 100)]
    assert "; 50, 100 labels to buy; seeds" in page_of(scenarios)
    scenarios = [make_scenario(label_fraction=share) for share in (0.05, None)]
    assert "; 5, 100 % of the images labelled; seeds" in page_of(scenarios)
    assert "label" not in page_of([make_scenario()])


def page_of(scenarios):
    """Give the line of a page that says what was compared."""
    return render_markdown(build(make_board(scenarios=scenarios), [])).splitlines()[2]
