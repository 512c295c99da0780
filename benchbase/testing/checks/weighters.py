"""The checks of the contract, each a plain function of a weighter class that raises if it fails."""

from __future__ import annotations

import dataclasses
import functools
import io
import pickle

import torch

from benchbase.api import Images, LossWeighter, Need, Weighter
from benchbase.errors import ContractError
from benchbase.judging.steps import Counted, describe_training, most_updates
from benchbase.running.counting import Counter
from benchbase.seeding import seeded
from benchbase.testing.check import Check, enter
from benchbase.testing.toy import toy_problem
from benchbase.testing.watching import predict, same, train, watch

CHECKS: list[Check] = []
"""In the order in which they are run."""
_check = functools.partial(enter, CHECKS)


@_check(first=True)
def trains_and_yields_checkpoints(weighter: type[Weighter]) -> None:
    """At least one checkpoint, each with finite logits; one an epoch from the supervised loop."""
    problem = toy_problem(needs=weighter.needs)
    count = len(train(weighter(), problem))
    epochs = problem.task.recipe.epochs
    if weighter.fit is LossWeighter.fit and count != epochs:
        raise ContractError(f"{count} checkpoints in {epochs} epochs, expected one an epoch")


@_check()
def predicts_each_image_on_its_own(weighter: type[Weighter]) -> None:
    """The logits of an image do not depend on its company: no statistics of the test batch."""
    problem = toy_problem(needs=weighter.needs)
    for checkpoint in watch(weighter(), problem):
        together = predict(checkpoint.model, problem)
        other_company = predict(checkpoint.model, problem, every=2)
        if not torch.allclose(together[::2], other_company, rtol=1e-3, atol=1e-4):
            raise ContractError(
                "the model's logits for an image change with the other images of the batch: in "
                "eval mode it must not look at batch statistics"
            )


@_check()
def repeats_itself_bit_for_bit(weighter: type[Weighter]) -> None:
    """One seed, one result; the same instance can run twice."""
    method = weighter()
    first, second = (train(method, toy_problem(needs=weighter.needs)) for _ in range(2))
    if not same(first, second):
        raise ContractError(
            "two runs with one seed differ: draw from task.rng(purpose), and keep run state out "
            "of the instance and its module"
        )


@_check()
def does_not_read_the_global_random_state(weighter: type[Weighter]) -> None:
    """Results do not hang on torch's global generator, which anything may move."""
    runs = []
    for world in ("one world", "another"):
        with seeded(0, world):
            runs.append(train(weighter(), toy_problem(needs=weighter.needs)))
    if not same(*runs):
        raise ContractError(
            "the result depends on torch's global random state: give task.rng(purpose) to what "
            "draws, or build and draw inside `with task.seeded(purpose):`"
        )


@_check()
def differs_with_the_seed(weighter: type[Weighter]) -> None:
    """Another seed gives another result."""
    runs = [train(weighter(), toy_problem(needs=weighter.needs, seed=seed)) for seed in (0, 1)]
    if same(*runs):
        raise ContractError("two seeds give one result: is something seeded with a constant?")


@_check()
def leaves_its_task_alone(weighter: type[Weighter]) -> None:
    """Images, labels and rows are the same afterwards."""
    problem = toy_problem(needs=weighter.needs)
    parts = [problem.task.train, problem.task.grants.trusted, problem.task.grants.unlabelled]
    tensors = [
        tensor
        for part in parts
        if isinstance(part, Images)
        for tensor in (part.pixels, part.labels, part.rows)
    ]
    before = [tensor.clone() for tensor in tensors]
    train(weighter(), problem)
    if not all(torch.equal(*pair) for pair in zip(before, tensors, strict=True)):
        raise ContractError(
            "it changed its task's images or labels in place: make new views instead "
            "(`task.train.subset(...)`, `task.train.relabelled(...)`)"
        )


@_check()
def reports_weights_of_training_rows(weighter: type[Weighter]) -> None:
    """Weights, where given, are one number a row; NaN only for rows never seen."""
    problem = toy_problem(needs=weighter.needs)
    rows = len(problem.task.train)
    for seen in train(weighter(), problem):
        weights = seen.weights
        if weights is None:
            continue
        if weights.shape != (rows,) or not weights.is_floating_point():
            raise ContractError(
                f"weights are {weights.dtype} of shape {tuple(weights.shape)}, expected floats of "
                f"shape ({rows},): one for each training row"
            )
        if weights.isinf().any() or weights.isnan().all():
            raise ContractError(
                "weights are infinite, or NaN for every row: NaN stands for a row never seen"
            )
        if (weights < 0).any():
            lowest = weights.nan_to_num(0).min().item()
            raise ContractError(
                f"a weight is {lowest:g}: weights are at least 0, for one below drives its image's "
                "loss up without end; `.clamp(min=0)` cuts them, and a loss of one's own is "
                "returned as `Losses`"
            )


@_check()
def uses_only_what_it_declares(weighter: type[Weighter]) -> None:
    """An undeclared need raises; an undeclared network is found by its parts."""
    counted = _counted(weighter, epochs=2)
    difference = next((one.difference for one in counted if one.difference is not None), None)
    if difference is not None and Need.OWN_NETWORK not in weighter.needs:
        raise ContractError(
            f"the judged model is not one task.build_model() ({difference}): add "
            "Need.OWN_NETWORK to `needs`"
        )


@_check()
def makes_no_more_steps_than_the_others(weighter: type[Weighter]) -> None:
    """Each network from ``build_model`` is updated as often as the recipe says, at most."""
    epochs = 4
    allowed = epochs * toy_problem().task.steps_per_epoch
    updates = most_updates(_counted(weighter, epochs))
    if updates > allowed:
        raise ContractError(
            f"a network was updated {updates} times in a recipe of {allowed} steps: train for "
            "task.recipe.epochs epochs of task.steps_per_epoch steps in all, phases together, and "
            "look ahead by `step.losses_at` or on a copy, not by moving the network and back"
        )


@_check()
def can_be_judged_in_each_of_the_last_epochs(weighter: type[Weighter]) -> None:
    """The headline averages the last fifth of the epochs, each with a model of its own."""
    epochs = 10
    counted = _counted(weighter, epochs)
    training = describe_training(counted, epochs, most_updates(counted), own_network=True)
    if training["unranked"] is not None:
        raise ContractError(
            f"{training['unranked']}: yield one checkpoint an epoch, of the model as it is then"
        )


def _counted(weighter: type[Weighter], epochs: int) -> list[Counted]:
    """Train on a toy task and count, as a run does."""
    problem = toy_problem(needs=weighter.needs, epochs=epochs)
    counter = Counter()
    watched = dataclasses.replace(problem, task=counter.watching(problem.task))
    with counter.counting():
        return [counter.look(each.model) for each in watch(weighter(), watched)]


@_check()
def counts_its_work(weighter: type[Weighter]) -> None:
    """The meter knows of images and optimiser steps: the kit's loops see to it."""
    problem = toy_problem(needs=weighter.needs)
    train(weighter(), problem)
    meter = problem.task.meter
    if min(meter.forwarded, meter.backpropagated, meter.steps) <= 0:
        raise ContractError(
            f"{meter} after training: a loop of one's own calls task.meter.add(forwarded=..., "
            "backpropagated=..., steps=...)"
        )


@_check()
def checkpoints_pickle(weighter: type[Weighter]) -> None:
    """The model can be saved, loaded elsewhere, and predicts the same."""
    problem = toy_problem(needs=weighter.needs)
    for checkpoint in watch(weighter(), problem):
        stream = io.BytesIO()
        try:
            torch.save(checkpoint.model, stream)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ContractError(
                f"the model does not pickle ({error}): its classes must stand at the top of a "
                "module, without lambdas or local functions"
            ) from error
        stream.seek(0)
        loaded = torch.load(stream, weights_only=False)
        if not torch.equal(predict(loaded, problem), predict(checkpoint.model, problem)):
            raise ContractError("the model predicts otherwise after saving and loading")


@_check()
def stops_when_it_is_closed(weighter: type[Weighter]) -> None:
    """A run that is closed after its first checkpoint ends without a word."""
    fitting = weighter().fit(toy_problem(needs=weighter.needs).task)
    next(fitting)
    close = getattr(fitting, "close", None)
    if close is not None:
        close()


@_check()
def learns(weighter: type[Weighter]) -> None:
    """On easy images with right labels, it does much better than chance."""
    problem = toy_problem(needs=weighter.needs, noise=0.0, epochs=8)
    logits = train(weighter(), problem)[-1].logits
    accuracy = (logits.argmax(1) == problem.test_labels).float().mean().item()
    if accuracy < 0.6:
        raise ContractError(
            f"accuracy {accuracy:.2f} on an easy task of three classes without noise, expected at "
            "least 0.60: do the weights vanish, or is the loss turned round?"
        )
