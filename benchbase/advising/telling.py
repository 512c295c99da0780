"""An advice in sentences and a table, generated from its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchbase.advising.advice import Advice
from benchbase.leaderboard.cells import (
    NOTHING,
    cost_text,
    difference_text,
    label_text,
    metric_name,
    score_text,
)
from benchbase.leaderboard.table import FIRM_SEEDS, Row, Table
from benchbase.leaderboard.words import listed, points, side
from benchbase.suspects.telling import noise_sentences

CLASSES = 3
"""That are named for a low recall."""
WORTH_SAYING = 0.02
"""Of recall, that a method takes from a class."""
HUNDRED = 100


def sentences(advice: Advice) -> Iterator[str]:
    """Say what to use, how sure that is, which classes suffer, and what verifying would bring."""
    table = advice.deciding
    if table is None:
        yield (
            f"No advice: no method could be compared with {advice.reference} in the time. What ran "
            "is kept: the same command goes on from it; give more --budget to have it in one go."
        )
    else:
        chosen = choice(table)
        yield from _what_to_use(advice, table, chosen)
        yield from _the_other(advice, table, chosen)
        yield _judged_by(advice)
        yield from _suffering(table, chosen)
    if advice.noise is not None:
        yield from noise_sentences(advice.noise, advice.classes)
    yield _a_hundred(advice)


def to_use(advice: Advice) -> str | None:
    """Name the method to use; None where there is no advice."""
    table = advice.deciding
    if table is None or table.reference.failed:
        return None
    chosen = choice(table)
    return advice.reference if chosen is None else chosen.label


def choice(table: Table) -> Row | None:
    """Give the best of the methods that are better than the reference; None where none is.

    Nothing is better than a reference that failed: each of its failures scores 0.
    """
    if table.reference.failed:
        return None
    better = [
        row
        for row in _compared(table)
        if row.difference is not None and row.difference.verdict == "better"
    ]
    return max(better, key=lambda row: 0.0 if row.score is None else row.score.mean, default=None)


def _compared(table: Table) -> list[Row]:
    return [row for row in table.rows if row.has_rank and not row.failed and row != table.reference]


def _what_to_use(advice: Advice, table: Table, chosen: Row | None) -> Iterator[str]:
    known, where = advice.reference, _where(advice, table)
    compared, seeds = _compared(table), len(table.board.seeds)
    if table.reference.failed:
        yield f"No advice: the reference {known} failed {where}; nothing is compared with that."
        return
    if chosen is None:
        yield (
            f"No evidence of a difference: use {known}, the simplest. None of {len(compared)} "
            f"methods is better than it {where}, at {seeds} seeds."
        )
        worse = [
            row.label for row in compared if row.difference and row.difference.verdict == "worse"
        ]
        if worse:
            yield f"Worse than {known}: {listed(worse)}."
        return
    assert chosen.difference is not None
    yield (
        f"Use {chosen.label}: {points(chosen.difference)} {side(chosen.difference)} {known} "
        f"{where} ({metric_name(table.board.metric)})."
    )
    level = [
        row.label
        for row in compared
        if row is not chosen and row.difference and row.difference.verdict == "better"
    ]
    if level:
        yield f"Also better than {known}: {listed(level)}."
    ranks, of_known = chosen.ranks, table.reference.ranks
    sure = ranks is not None and of_known is not None and ranks[1] < of_known[0]
    count = len(compared) + 1
    how = (
        f"it is told apart from {known} among all {count} methods at once, at {seeds} seeds"
        if sure
        else f"not very, for its own interval leaves zero out, as that of one among {count} may by "
        f"chance, at {seeds} seeds"
    )
    provisional = "" if seeds >= FIRM_SEEDS else f" (provisional: {FIRM_SEEDS} seeds make it firm)"
    yield f"How sure: {how}{provisional}."


def _the_other(advice: Advice, table: Table, chosen: Row | None) -> Iterator[str]:
    """Say whether the other table agrees."""
    other = advice.given if table is advice.injected else advice.injected
    if other is None or table.reference.failed or other.reference.failed:
        return
    where, known = _where(advice, other), advice.reference
    if chosen is None:
        best = choice(other)
        if best is not None and best.difference is not None:
            yield (
                f"{where.capitalize()}, {best.label} is {points(best.difference)} "
                f"{side(best.difference)} {known}: the two do not agree, and the first counts."
            )
        return
    row = next((it for it in other.rows if it.label == chosen.label), None)
    if row is None or row.difference is None:
        return
    gap = f"{points(row.difference)} {side(row.difference)} {known}"
    said = {
        "better": f"too: {gap}",
        "tied": f"it is not told apart from {known}: {gap}",
        "worse": f"it is worse: {gap}. The two do not agree: verify some test labels first",
    }
    yield f"{where.capitalize()} {said[row.difference.verdict]}."


def _where(advice: Advice, table: Table) -> str:
    if table is advice.injected:
        return "on injected noise of the kind and rate that your labels suggest"
    if advice.verified_tests is not None:
        return "on your labels, judged by verified ones"
    return "on your labels as given"


def _judged_by(advice: Advice) -> str:
    if advice.verified_tests is not None:
        return (
            f"Your own data are judged by the {advice.verified_tests:,} test images whose labels "
            "are verified."
        )
    decides = (
        ", so injected noise decides, where what networks out of fold suggest counts as right"
        if advice.injected is not None
        else ""
    )
    return (
        "Your test labels are as doubtful as the rest: scores on them say how well a method "
        f"repeats them, mistakes and all{decides}. --trusted names verified ones, which judge."
    )


def _suffering(table: Table, chosen: Row | None) -> Iterator[str]:
    """Name the classes of which least is found, and those from which the method takes."""
    if not table.class_recalls:
        return
    [group, *_] = table.class_recalls
    known = table.reference_label
    before = group.recalls.get(known, ())
    after = before if chosen is None else group.recalls.get(chosen.label, ())
    told = [
        (new, old, name)
        for name, old, new in zip(group.classes, before, after, strict=False)
        if old is not None and new is not None
    ]
    if not told:
        return
    worst = [
        f"{name} ({new:.0%}" + (f", {old:.0%} with {known})" if chosen else f" with {known})")
        for new, old, name in sorted(told)[:CLASSES]
    ]
    yield f"Classes of which least is found (recall): {', '.join(worst)}."
    losing = [f"{name} ({100 * (old - new):.0f} points)" for new, old, name in told
              if old - new >= WORTH_SAYING]  # fmt: skip
    if chosen is not None and losing:
        yield f"{chosen.label} finds less than {known} of {listed(losing)}."


def _a_hundred(advice: Advice) -> str:
    right, noise = advice.right, advice.noise
    start = f"What {HUNDRED} more verified labels would bring"
    if right is None or noise is None:
        return f"{start} is not known: there was no time to train on injected noise without it."
    if right.covers_zero or right.mean <= 0:
        return (
            f"{start} cannot be told: on injected noise, right labels everywhere bring "
            f"{advice.reference} nothing that is told apart from chance."
        )
    wrong = max(1.0, noise.rate * advice.train_images)
    least = right.mean * min(1.0, HUNDRED / max(1, advice.train_images))
    most = right.mean * min(1.0, HUNDRED / wrong)
    return (
        f"{start}, an extrapolation from injected noise in a straight line: some "
        f"{100 * least:.1f} points for {advice.reference} where they are drawn at random, up to "
        f"{100 * most:.1f} where each of them was wrong (`benchbase suspects` looks for those). "
        f"Right labels everywhere bring {points(right)} there."
    )


def left_out(advice: Advice) -> list[str]:
    """Name what was not tried, with the reason, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in advice.left_out.items():
        reasons.setdefault(reason, []).append(name)
    return [f"Not tried, since {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def rows(advice: Advice) -> tuple[list[str], list[list[str]]]:
    """Give a header and a row a method, the best first, with what each table says of it."""
    tables = {
        "your labels" + " (verified test)" * (advice.verified_tests is not None): advice.given,
        "injected noise": advice.injected,
    }
    shown = {name: table for name, table in tables.items() if table is not None}
    deciding = advice.deciding
    header = ["method"]
    for name in shown:
        header += [f"{name}, %", f"against {advice.reference}"]
    found = []
    for row in () if deciding is None else deciding.rows:
        cells = [label_text(row)]
        for table in shown.values():
            cells += _cells(table, row.label)
        found.append([*cells, cost_text(row)])
    return [*header, "train time"], found


def _cells(table: Table, label: str) -> Sequence[str]:
    row = next((it for it in table.rows if it.label == label), None)
    if row is None:
        return [NOTHING, NOTHING]
    score = score_text(row.score, row.failed, row.covered)
    return [score, difference_text(row, table.reference)]
