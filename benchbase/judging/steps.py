"""Equal steps: what a method may do to its networks, and which checkpoints its headline is of.

A method that breaks a rule here keeps its scores and loses its rank, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from benchbase.cell import JSON

LONGEST_TAIL = 5
"""Epochs that the headline averages at most."""
LONGEST_REMARK = 300

Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


@dataclass(frozen=True)
class Counted:
    """What had been done to a method's networks at a checkpoint."""

    updates: tuple[Count, ...]
    """Of each network that ``build_model`` gave, in that order."""
    judged: Count
    """Updates of the judged network; of the most updated one where the judged one was not
    trained itself, as a moving average is not."""
    digest: Annotated[str, Meta(max_length=32)]
    """Hash of the judged model's state: the same model twice has the same one."""
    images_with_gradient: Count
    difference: Annotated[str, Meta(max_length=LONGEST_REMARK)] | None
    """How the judged model differs from one ``build_model()``; None where it does not."""


def tail_length(epochs: int) -> int:
    """Give how many of the last epochs the headline averages: a fifth of them, one to five."""
    return max(1, min(LONGEST_TAIL, epochs // 5))


def tail_of(judged: Sequence[int], epochs: int) -> dict[int, int]:
    """Give the last checkpoint of each epoch of the tail: epoch, counted from one -> checkpoint.

    ``judged`` are the updates of the judged network at each checkpoint; an epoch is that share of
    all its updates. Where none was counted, checkpoints are taken to be evenly spaced.
    """
    if not any(judged):
        judged = range(1, len(judged) + 1)
    total = max(judged)
    first = epochs - tail_length(epochs) + 1
    found = {-(-done * epochs // total): index for index, done in enumerate(judged)}
    return {epoch: found[epoch] for epoch in sorted(found) if epoch >= first}


def most_updates(counted: Sequence[Counted]) -> int:
    """Give the updates of the most updated network, copies that were judged included."""
    return max((*counted[-1].updates, *(one.judged for one in counted)))


def describe_training(
    counted: Sequence[Counted], epochs: int, steps_allowed: int, *, own_network: bool
) -> JSON:
    """Give the block of a record that says what was trained, and what costs the rank.

    ``own_network`` says whether the method declared that what is judged is one of its own.
    """
    last = counted[-1]
    judged = [one.judged for one in counted]
    tail = tail_of(judged, epochs)
    difference = next((one.difference for one in counted if one.difference is not None), None)
    problem = broken_rule(
        last.updates,
        judged,
        epochs,
        steps_allowed,
        difference=difference,
        own_network=own_network,
    )
    if problem is None and len({counted[index].digest for index in tail.values()}) < len(tail):
        problem = "one and the same model stands for several epochs that the headline averages"
    return {
        "steps_allowed": steps_allowed,
        "updates": list(last.updates),
        "checkpoint_updates": judged,
        "images_with_gradient": last.images_with_gradient,
        "network_difference": difference,
        "unranked": problem,
    }


def broken_rule(
    updates: Sequence[int],
    judged: Sequence[int],
    epochs: int,
    steps_allowed: int,
    *,
    difference: str | None,
    own_network: bool,
) -> str | None:
    """Say what of the counts in a record costs the rank; None where nothing does.

    ``judged`` are the updates of the judged network at each checkpoint. They rise, and begin anew
    with another network at most.
    """
    tail = tail_of(judged, epochs)
    lacking = [
        epoch for epoch in range(epochs - tail_length(epochs) + 1, epochs + 1) if epoch not in tail
    ]
    most = max((*updates, *judged))
    falls = sum(later < earlier for earlier, later in pairwise(judged))
    problems = {
        f"a network was updated {most:,} times, the recipe has {steps_allowed:,} steps": (
            most > steps_allowed
        ),
        "no update of a network from build_model() was counted": most == 0 and not own_network,
        "what is judged is not one build_model(), and Need.OWN_NETWORK is not declared "
        f"({difference})": difference is not None and not own_network,
        f"no checkpoint in {_epochs_text(lacking)} of {epochs}, which the headline averages": bool(
            lacking
        ),
        f"the updates of the judged network fall {falls} times from checkpoint to checkpoint, with "
        f"{len(updates)} networks: which epoch a checkpoint is of cannot be told": (
            falls >= max(1, len(updates))
        ),
    }
    return next((problem for problem, applies in problems.items() if applies), None)


def _epochs_text(epochs: Sequence[int]) -> str:
    return f"epoch{'s' * (len(epochs) != 1)} {', '.join(map(str, epochs))}"
