"""Runs a weighter on a toy problem and looks at its checkpoints as the judge would."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchbase.api import Checkpoint, Weighter
from benchbase.errors import ContractError
from benchbase.testing.toy import ToyProblem


@dataclass(frozen=True)
class Seen:
    """A checkpoint as the judge would see it."""

    logits: Float[Tensor, "count classes"]
    weights: Tensor | None


def watch(weighter: Weighter, problem: ToyProblem) -> Iterator[Checkpoint]:
    """Give the checkpoints of a run.

    Raises:
        ContractError: what ``fit`` gives is none.
    """
    fitting = weighter.fit(problem.task)
    if not isinstance(fitting, Iterator):
        raise ContractError(
            f"fit gave {type(fitting).__name__}, expected an iterator of checkpoints: write "
            "`yield Checkpoint(model)` in it"
        )
    for checkpoint in fitting:
        if not isinstance(checkpoint, Checkpoint) or not isinstance(checkpoint.model, nn.Module):
            raise ContractError(
                f"expected fit to yield a Checkpoint with a torch module, got {checkpoint!r:.200}"
            )
        yield checkpoint


def predict(model: nn.Module, problem: ToyProblem, every: int = 1) -> Tensor:
    """Judge a copy of the model on the test images, or on each ``every``-th; logits.

    Raises:
        ContractError: it does not give one finite logit a class for each image.
    """
    judged = copy.deepcopy(model).eval()
    with torch.inference_mode():
        images = problem.test_images[::every]
        logits = judged(images)
    expected = (len(images), problem.task.num_classes)
    if not isinstance(logits, Tensor) or logits.shape != expected:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ContractError(f"the model gave {got}, expected logits of shape {expected}")
    if not logits.is_floating_point() or not logits.isfinite().all():
        raise ContractError("the model's logits are not finite numbers: what made them so?")
    return logits


def train(weighter: Weighter, problem: ToyProblem) -> list[Seen]:
    """Train to the end and look at every checkpoint.

    Raises:
        ContractError: there is none, or one that cannot be judged.
    """
    seen = [
        Seen(predict(each.model, problem), None if each.weights is None else each.weights.clone())
        for each in watch(weighter, problem)
    ]
    if not seen:
        raise ContractError(
            "fit yielded no checkpoint: yield one an epoch, when the model is ready to be judged"
        )
    return seen


def same(first: list[Seen], second: list[Seen]) -> bool:
    """Tell whether two runs are the same bit for bit."""
    if len(first) != len(second):
        return False
    for one, other in zip(first, second, strict=True):
        if not torch.equal(one.logits, other.logits):
            return False
        if (one.weights is None) != (other.weights is None):
            return False
        if one.weights is None or other.weights is None:
            continue
        # NaN, a row never seen, equals itself here.
        if not torch.equal(one.weights.nan_to_num(-1), other.weights.nan_to_num(-1)):
            return False
    return True
