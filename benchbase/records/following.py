"""Says what a record claims that its own fields, its scenario and its recipe do not give.

What nothing here follows from stays as recorded until somebody trains the cell again: the README
lists it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchbase.judging import rules
from benchbase.judging.steps import broken_rule, tail_of
from benchbase.records.record import Corruption, Record, Training

OWN_NETWORK = "own network"
_SHARE = 5.1e-5
"""Committed shares keep four decimals."""


def contradictions(record: Record) -> Iterator[str]:
    """Compare the fields of a record with each other and with the board's scenario."""
    yield from _spec(record)
    yield from _cost(record)
    if record.corruption is not None:
        yield from _corruption(record.corruption)
        yield from _grants(record, record.corruption)
    if record.status != "ok":
        return
    if record.training is None or record.corruption is None:
        yield "training and corruption: expected both of a cell that is ok"
        return
    if not record.training.checkpoint_updates:
        yield "training.checkpoint_updates: expected one of each checkpoint, got none"
        return
    yield from _steps(record, record.training, record.corruption)
    yield from _checkpoints(record, record.training)


def _spec(record: Record) -> Iterator[str]:
    """Compare what identifies the cell with what is said of it elsewhere."""
    spec = record.spec
    yield from _claim("spec.protocol", spec.protocol, spec.scenario.protocol)
    numerics = record.numerics
    told = numerics.precision + "-deterministic" * numerics.deterministic
    yield from _claim("numerics", told, spec.numerics)
    at_default = [
        name
        for name, value in spec.weighter.options.items()
        if name in record.defaults and record.defaults[name] == value
    ]
    if at_default:
        yield f"defaults: {', '.join(at_default)} of its key would be no option that was set"
    if record.trusted and record.provenance.executor == "inline":
        yield "trusted: what runs in one process (executor inline) is not"


def _cost(record: Record) -> Iterator[str]:
    cost = record.cost
    budget = record.spec.scenario.label_budget or 0
    if cost.labels_bought > budget:
        yield f"cost.labels_bought: {cost.labels_bought}, with {budget} for sale"
    bought = [count for count in record.curves.get("labels_bought", []) if count is not None]
    if bought and cost.labels_bought < max(bought):
        yield (
            f"cost.labels_bought: {cost.labels_bought}, and {max(bought):g} in curves.labels_bought"
        )


def _corruption(told: Corruption) -> Iterator[str]:
    """Compare rates and counts of the training labels with each other."""
    classes = len(told.classes)
    lists: dict[str, Sequence[object]] = {
        "class_counts": told.class_counts,
        "observed_counts": told.observed_counts,
        "rate_per_class": told.rate_per_class,
        "transition": told.transition,
        "trusted_per_class": told.trusted_per_class,
        "validation_class_counts": told.validation_class_counts,
    }
    odd = [name for name, values in lists.items() if len(values) != classes]
    if odd:
        yield f"corruption.{odd[0]}: {len(lists[odd[0]])} values, and {classes} classes"
        return
    if any(len(row) != classes for row in told.transition):
        yield f"corruption.transition: expected {classes} values a row"
        return
    total = sum(told.class_counts)
    yield from _claim("corruption.trusted_count", told.trusted_count, sum(told.trusted_per_class))
    yield from _claim("corruption.observed_counts (sum)", sum(told.observed_counts), total)
    rates = [
        1 - row[label] if count else 0.0
        for label, (row, count) in enumerate(zip(told.transition, told.class_counts, strict=True))
    ]
    for label, (claimed, rate) in enumerate(zip(told.rate_per_class, rates, strict=True)):
        yield from _near(f"corruption.rate_per_class[{label}]", claimed, rate, 2 * _SHARE)
    wrong = sum(
        count * rate for count, rate in zip(told.class_counts, told.rate_per_class, strict=True)
    )
    if total:
        yield from _near("corruption.realised_rate", told.realised_rate, wrong / total, 2 * _SHARE)
    for label, claimed in enumerate(told.observed_counts):
        seen = sum(
            count * row[label]
            for count, row in zip(told.class_counts, told.transition, strict=True)
        )
        yield from _near(
            f"corruption.observed_counts[{label}]", claimed, seen, 0.5 + total * _SHARE
        )


def _grants(record: Record, told: Corruption) -> Iterator[str]:
    """Compare what was granted with what the scenario has to give; a failed cell may lack it."""
    images = "images" if told.unlabelled_count else "empty"
    budget = record.spec.scenario.label_budget or 0
    expected = {
        "unlabelled": (images,),
        "oracle": (f"{budget} labels",),
        "truth": ("all labels",),
        OWN_NETWORK: ("declared",),
        "noise rate": ("unknown", "realised rate"),
        "trusted": (
            ("noisy",) if record.spec.scenario.track == "T0" else ("clean", "as given", "verified")
        ),
    }
    for need, granted in record.grants.items():
        if need not in expected:
            yield f"grants: there is no need {need!r}"
        elif granted not in expected[need] and (record.status == "ok" or granted):
            yield f"grants.{need}: {granted!r}, where its scenario gives {expected[need][0]!r}"


def _steps(record: Record, told: Training, data: Corruption) -> Iterator[str]:
    """Compute the steps allowed and the verdict again."""
    recipe = record.spec.scenario.recipe
    images = sum(data.class_counts) + data.unlabelled_count
    allowed = recipe.epochs * recipe.steps_of_an_epoch(images)
    yield from _claim("training.steps_allowed", told.steps_allowed, allowed)
    if min((*told.updates, *told.checkpoint_updates)) < 0:
        yield "training: updates below zero"
    problem = broken_rule(
        told.updates,
        told.checkpoint_updates,
        recipe.epochs,
        allowed,
        difference=told.network_difference,
        own_network=OWN_NETWORK in record.grants,
    )
    if problem is not None and told.unranked is None:
        yield f"training.unranked: the record says nothing, its counts say: {problem}"


def _checkpoints(record: Record, told: Training) -> Iterator[str]:
    """Compare the checkpoints of each rule with the counts, and with what its curves make of it."""
    judged = told.checkpoint_updates
    for name, curve in record.curves.items():
        if len(curve) != len(judged):
            yield f"curves.{name}: {len(curve)} values, and {len(judged)} checkpoints"
    expected = {
        "tail": [*tail_of(judged, record.spec.scenario.recipe.epochs).values()],
        **rules.fixed(len(judged)),
    }
    for rule, at in expected.items():
        yield from _claim(f"selected.{rule}", record.selected.get(rule), at)
    for rule, part in rules.CHOSEN_ON.items():
        for name in (rules.PRIMARY, *record.chosen):
            drawn = record.curves.get(f"{part}_{name}")
            at = used(record, rule, name)
            if at and not drawn and (rule, name) == ("val_noisy", rules.PRIMARY):
                yield f"{rule}: there is no curves.{part}_{name} to tell the best checkpoint by"
            elif drawn and at and not _is_best(drawn, at):
                yield f"{rule}: checkpoint {at[0]} is not the best one of curves.{part}_{name}"


def used(record: Record, rule: str, name: str) -> list[int]:
    """Give the checkpoints that a metric is of under a rule."""
    chosen = record.chosen.get(name, {})
    return [chosen[rule]] if rule in chosen else record.selected.get(rule, [])


def _is_best(curve: Sequence[float | None], at: Sequence[int]) -> bool:
    """Tell whether one checkpoint is the best; several may be, once they are rounded."""
    known = [value for value in curve if value is not None]
    best = curve[at[0]] if len(at) == 1 and at[0] < len(curve) else None
    return best is not None and best >= max(known) - 2 * _SHARE


def _claim(name: str, claimed: Any, expected: Any) -> Iterator[str]:
    if claimed != expected:
        yield f"{name}: the record says {claimed}, its other fields give {expected}"


def _near(name: str, claimed: float, expected: float, tolerance: float) -> Iterator[str]:
    if abs(claimed - expected) > tolerance:
        yield f"{name}: the record says {claimed}, its other fields give {expected:.4f}"
