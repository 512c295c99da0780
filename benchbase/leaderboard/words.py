"""What a table says, in sentences: generated from its numbers, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchbase.judging.separation import blocks_needed
from benchbase.judging.statistics import NO_MATTER, Estimate
from benchbase.leaderboard.cells import gap_text, in_percent, metric_name
from benchbase.leaderboard.table import FIRM_SEEDS, Row, Table


def verdict(table: Table) -> list[str]:
    """Say which method is best, how sure that is, and what limits it; each sentence stands alone.

    They speak about the board's own data and length of training, and say so where that is little.
    """
    ranked = [row for row in table.rows if row.has_rank]
    if not ranked:
        return [*table.corrections]  # the notes say why
    return [
        *table.corrections,
        *_best(table, ranked),
        *_against_reference(table, ranked),
        *_in_single_scenarios(table, ranked),
        *_trusted_alone(table, ranked),
        *_headroom(table, ranked),
        *_controls_ahead(table, ranked),
        *_seeds_needed(table, ranked),
    ]


def in_short(table: Table) -> str:
    """Say who is best, who parts from the reference and what there was to win, in one line."""
    ranked = [row for row in table.rows if row.has_rank]
    if not ranked:
        return ""
    single = [*_in_single_scenarios(table, ranked)][:1]
    headroom = [*_headroom(table, ranked)][:1]
    best, against = _best(table, ranked), _against_reference(table, ranked)
    return " ".join([*best, *against, *single, *headroom])


def _best(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    first = ranked[0]
    assert first.score is not None
    metric = metric_name(table.board.metric)
    provisional = f" (provisional: {FIRM_SEEDS} seeds make it firm)"
    sure = "" if len(table.board.seeds) >= FIRM_SEEDS else provisional
    level = [row.label for row in ranked if row.ranks is not None and row.ranks[0] == 1]
    scored = f"{in_percent(first.score.mean)} % {metric}{_over_reference(table, first)}"
    if level == [first.label]:
        yield f"{first.label} is best{sure}: {scored}."
    else:
        others = [label for label in level if label != first.label]
        yield (
            f"No single method is best{sure}: {first.label} has the highest mean, {scored}, and "
            f"cannot be told apart from {listed(others)}."
        )


def _over_reference(table: Table, row: Row) -> str:
    if row.difference is None:
        return ""
    return f", {points(row.difference)} {side(row.difference)} {table.reference.label}"


def side(difference: Estimate) -> str:
    """Say on which side of the other it lies."""
    return "above" if difference.mean >= 0 else "below"


def points(difference: Estimate) -> str:
    """Write ``4.9 points (95 %: 3.1 to 6.7)``, without a sign."""
    sign = 1 if difference.mean >= 0 else -1
    text = f"{in_percent(abs(difference.mean))} points"
    if difference.low is None or difference.high is None:
        return text
    low, high = sorted((sign * difference.low, sign * difference.high))
    return f"{text} (95 %: {in_percent(low)} to {in_percent(high)})"


def _against_reference(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    if table.reference.failed:
        return
    groups: dict[str, list[str]] = {"better": [], "worse": [], "tied": []}
    for row in ranked:
        if row.difference is not None and not row.failed:
            groups[row.difference.verdict].append(row.label)
    if any(groups.values()):
        text = _sides(table.reference.label, **groups)
        yield text[0].upper() + text[1:] + "."


def _sides(
    known: str, better: Sequence[str], worse: Sequence[str], tied: Sequence[str] = ()
) -> str:
    """Name the methods on either side of the reference, and those that are level with it."""
    parts = [
        f"better than {known}: {listed(better)}" if better else f"no method is better than {known}",
        f"worse: {listed(worse)}" if worse else "",
        f"not told apart from it: {listed(tied)}" if tied else "",
    ]
    return "; ".join(filter(None, parts))


def _in_single_scenarios(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    """Say who parts from the reference in some scenario, then where and by how much.

    Nothing where one scenario alone is compared: it is all that the mean is of.
    """
    compared = [
        (scenario, row.label, difference)
        for index, scenario in enumerate(table.scenario_labels)
        for row in ranked
        if (difference := row.scenarios[index].difference) is not None
    ]
    if len({scenario for scenario, _, _ in compared}) < 2:
        return
    known, sure = table.reference.label, "at 95 % for the whole table"
    groups: dict[str, set[str]] = {"better": set(), "worse": set(), "tied": set()}
    places: dict[str, list[str]] = {}
    for scenario, label, difference in compared:
        groups[difference.verdict].add(label)
        if difference.verdict != "tied":
            places.setdefault(scenario, []).append(f"{label} {gap_text(difference)}")
    if not places:
        yield f"In no single scenario, {sure}, is a method told apart from {known}."
        return
    better, worse = (
        [row.label for row in ranked if row.label in groups[side]] for side in ("better", "worse")
    )
    yield f"In single scenarios, {sure}, {_sides(known, better, worse)}."
    where = "; ".join(f"{scenario} ({', '.join(gaps)})" for scenario, gaps in places.items())
    yield f"Where they part from {known}, in points: {where}."


def _trusted_alone(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    """Say what the checked images alone are worth: fewer methods beat that than plain training."""
    alone = table.yardstick("trusted")
    if alone is None or alone.difference is None or alone.ranks is None:
        return
    above = [
        row.label
        for row in ranked
        if "trusted" in row.needs and row.ranks is not None and row.ranks[1] < alone.ranks[0]
    ]
    gain = f"{points(alone.difference)} {side(alone.difference)} {table.reference.label}"
    better = listed(above) if above else "no method that is given them"
    yield (
        f"What the checked images alone are worth shows {alone.label}: {gain}; {better} "
        f"{'gets' if len(above) < 2 else 'get'} surely more out of them."
    )


def _headroom(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    for kind, what in (("weights", "Perfect weights"), ("labels", "Right labels everywhere")):
        ceiling = table.yardstick(kind)
        if ceiling is None or ceiling.difference is None:
            continue
        measured = [
            (row.headroom.overall.value, row.label)
            for row in ranked
            if row.headroom is not None and row.headroom.ceiling == ceiling.label
            if row.headroom.overall.value is not None
        ]
        if ceiling.difference.covers_zero:
            yield f"Whether {what.lower()} would bring anything cannot be told here."
            continue
        gain = f"{points(ceiling.difference)} over {table.reference.label} ({ceiling.label})"
        best = max(measured, key=lambda pair: pair[0].mean, default=None)
        won = ""
        if best is not None:
            share, label = best
            won = f"; {label} gets {share.mean:.0%} of the headroom under wrong labels"
            if share.low is not None and share.high is not None:
                won += f" (95 %: {share.low:.0%} to {share.high:.0%})"
        yield f"{what} would bring {gain}{won}."
        past = [label for share, label in measured if share.mean > 1]
        if past:
            yield (
                f"{listed(past)} {'pass' if len(past) > 1 else 'passes'} that ceiling: it bounds "
                "what weights can do, not what else a method does."
            )


def _controls_ahead(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    """Say of the yardsticks that score above every method why none of them is one to use."""
    best = max((row.score.mean for row in ranked if row.score is not None), default=0.0)
    ahead = [
        row for row in table.rows if row.is_control and row.score is not None
        if row.score.mean > best
    ]  # fmt: skip
    knowing = [row.label for row in ahead if "truth" in row.needs]
    others = [row.label for row in ahead if "truth" not in row.needs]
    if knowing:
        yield (
            f"{listed(knowing)} {'score' if len(knowing) > 1 else 'scores'} higher and "
            f"{'know' if len(knowing) > 1 else 'knows'} the true labels: no method to use."
        )
    if others:
        yield (
            f"{listed(others)} {'score' if len(others) > 1 else 'scores'} higher than every "
            "method and should not: a yardstick shows what a part of a method is worth, so here "
            "the rest of it brought nothing."
        )


def _seeds_needed(table: Table, ranked: Sequence[Row]) -> Iterator[str]:
    """Say how many seeds would tell the first two apart where these do not."""
    sound = [row for row in ranked if row.score is not None and not row.failed]
    if len(sound) < 2 or table.spread is None:
        return
    first, second = sound[:2]
    assert first.score is not None
    assert second.score is not None
    if first.ranks is None or second.ranks is None or first.ranks[1] < second.ranks[0]:
        return
    difference = first.score.mean - second.score.mean
    pair = f"{first.label} and {second.label}"
    if difference < NO_MATTER:
        yield (
            f"No number of seeds would matter between {pair}: they differ by "
            f"{in_percent(difference)} points, less than {in_percent(NO_MATTER)}."
        )
        return
    needed = blocks_needed(difference, table.spread, len(sound))
    seeds = f"some {needed} {table.blocks}" if needed else f"over a thousand {table.blocks}"
    yield f"To tell {pair} apart at this difference and spread would take {seeds}."


def listed(labels: Sequence[str]) -> str:
    """Write ``a``, ``a and b``, ``a, b and c``."""
    *most, last = labels
    return f"{', '.join(most)} and {last}" if most else last
