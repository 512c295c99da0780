"""The folded sections."""

from benchbase.leaderboard import build, render_markdown
from tests.unit.made_records import changed, make_board, make_record, make_records

CLASSES = {"classes": ["cat", "dog"]}


def test_weights_have_a_section_with_a_column_for_each_class():
    board = make_board(["plain", "clever"])
    records = make_records(board, {"plain": 0.7})
    records += [
        changed(
            changed(make_record("clever", scenario, seed, 0.8, auroc=0.9), "corruption", **CLASSES),
            "weights",
            auroc=0.75,
            auroc_per_class=[0.25, 0.5],
            effective_sample_size=0.4,
            deviation=1.25,
            clean_minority_near_zero=0.125,
        )
        for scenario in board.scenarios
        for seed in board.seeds
    ]
    page = render_markdown(build(board, records))
    section = page[page.index("<summary>Sample weights") :].split("</details>")[0]
    header, _, line = [line for line in section.splitlines() if "|" in line]
    assert [cell.strip() for cell in header.split("|")[5:-2]] == ["within cat", "within dog"]
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert cells == ["clever", "40%", "1.25", "0.750", "0.250", "0.500", "12%"]


def test_no_section_is_written_without_anything_to_say():
    board = make_board(["plain"])
    page = render_markdown(build(board, make_records(board, {"plain": 0.7})))
    assert "Sample weights" not in page
    assert page.count("<details>") == page.count("</details>") > 0
