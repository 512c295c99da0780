"""The check that a method which was interrupted goes on where it was."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchbase.api import Weighter
from benchbase.errors import ContractError
from benchbase.running.own_code import own_code
from benchbase.running.reachable import CannotKeepError
from benchbase.running.snapshots import Keeper
from benchbase.testing.check import Check, enter
from benchbase.testing.toy import ToyProblem, toy_problem
from benchbase.testing.watching import Seen, predict, same, train, watch

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)


@_check()
def goes_on_after_an_interruption(weighter: type[Weighter]) -> None:
    """Interrupted, it ends as it would have; a loop of its own that is not kept begins anew."""

    def problem() -> ToyProblem:
        return toy_problem(needs=weighter.needs, epochs=4, label_budget=4)

    whole = train(weighter(), problem())
    with tempfile.TemporaryDirectory() as folder:
        kept = kept_after(weighter(), problem(), len(whole) // 2, Path(folder) / "snapshot")
        try:
            again = [*resumed(weighter(), problem(), kept)] if kept else []
        except CannotKeepError as error:
            raise ContractError(f"what was kept of it cannot be put back: {error}") from error
    if not all(same([seen], [whole[index]]) for index, seen in again):
        raise ContractError(
            "it ends otherwise where it was interrupted: what its epochs remember must be reached "
            "from the function of an epoch, and what surrounds a loop must not count checkpoints"
        )


def kept_after(weighter: Weighter, problem: ToyProblem, count: int, path: Path) -> list[bytes]:
    """Train until ``count`` checkpoints were reported; give what a snapshot then holds."""
    keeper = Keeper(problem.task, path, every=0.0, is_own=own_code(type(weighter)))
    for _ in watch(weighter, dataclasses.replace(problem, task=keeper.task)):
        keeper.reported += 1
        if keeper.reported == count:
            break
    return Keeper.read(path) if path.exists() else []


def resumed(
    weighter: Weighter, problem: ToyProblem, kept: Sequence[bytes]
) -> Iterator[tuple[int, Seen]]:
    """Train from a snapshot on; give each checkpoint with its number, those too that come again."""
    is_own = own_code(type(weighter))
    keeper = Keeper(problem.task, Path(), every=None, is_own=is_own, past=kept)
    problem = dataclasses.replace(problem, task=keeper.task)
    for each in watch(weighter, problem):
        weights = None if each.weights is None else each.weights.clone()
        yield keeper.reported, Seen(predict(each.model, problem), weights)
        keeper.reported += 1
