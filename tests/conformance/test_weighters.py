"""The checks of weighters: a good one passes, and each finds what it is for."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from benchbase.api import Checkpoint, LossWeighter, Need, Step, Task, option
from benchbase.kit.loops import endless_batches, forward, supervised
from benchbase.testing.conformance import parametrize_with_checks
from tests.conformance.finding import Broken, check_finds, each_of, names_of_checks


@dataclass(frozen=True)
class Capped(LossWeighter):
    """Keeps the contract: gives no image more weight than its share of the batch's loss."""

    name = "capped"
    needs = frozenset({Need.TRUSTED, Need.UNLABELLED, Need.ORACLE, Need.NOISE_RATE})
    cap: float = option(2.0, "Largest loss that counts in full.", min=0)

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: (self.cap / step.losses.detach()).clamp(max=1)


@parametrize_with_checks([Capped])
def test_a_good_weighter_passes(weighter, check) -> None:
    check(weighter)


# -- weighters that break the contract, each in one place ---------------------------------------


class Plain(LossWeighter):
    name = "plain"

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: torch.ones_like(step.losses)


@dataclass(frozen=True, repr=False)
class HidesItsOptions(Plain):
    rounds: int = 3

    def __repr__(self) -> str:
        return "HidesItsOptions()"


class YieldsNothing(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        yield from ()


class GivesAList(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        return list(super().fit(task))  # type: ignore[return-value]


class YieldsModels(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        for checkpoint in super().fit(task):
            yield checkpoint.model  # type: ignore[misc]


class Wrapped(Plain):
    """Yields a model of its own instead of the backbone."""

    def wrap(self, model: nn.Module, task: Task) -> nn.Module:
        raise NotImplementedError

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        for checkpoint in super().fit(task):
            yield Checkpoint(self.wrap(checkpoint.model, task))


class OneLogitTooMany(Wrapped):
    def wrap(self, model: nn.Module, task: Task) -> nn.Module:
        return nn.Sequential(model, nn.ZeroPad1d((0, 1)))


class NaNLogits(Wrapped):
    def wrap(self, model: nn.Module, task: Task) -> nn.Module:
        return nn.Sequential(model, nn.Threshold(torch.inf, torch.nan))


class Centre(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits - logits.mean(0)


class LooksAtTheBatch(Wrapped):
    def wrap(self, model: nn.Module, task: Task) -> nn.Module:
        return nn.Sequential(model, Centre())


class UndeclaredNetwork(Wrapped):
    def wrap(self, model: nn.Module, task: Task) -> nn.Module:
        return nn.Sequential(model)


class DoesNotPickle(Wrapped):
    def wrap(self, model: nn.Module, task: Task) -> nn.Module:
        class Local(nn.Identity):
            pass

        return nn.Sequential(model, Local())


RUNS = itertools.count(1)


class RemembersRuns(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        run = next(RUNS)
        return lambda step: torch.full_like(step.losses, 1 / run)


class DrawsGlobally(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: torch.rand(len(step.losses))


class IgnoresItsSeed(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        model = task.build_model()
        for parameter in model.parameters():
            nn.init.zeros_(parameter)
        yield Checkpoint(model)


class CleansLabelsInPlace(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        task.train.labels[:5] = 0
        return super().prepare(task)


class ShortWeights(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        for checkpoint in super().fit(task):
            yield Checkpoint(checkpoint.model, torch.ones(3))


class NoWeights(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        for checkpoint in super().fit(task):
            yield Checkpoint(checkpoint.model, torch.full((len(task.train),), torch.nan))


class ClimbsTheLoss(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        for checkpoint in super().fit(task):
            yield Checkpoint(checkpoint.model, torch.full((len(task.train),), -1.0))


class UndeclaredNeed(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        assert len(task.trusted)
        return super().prepare(task)


class DoesNotTrain(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        yield Checkpoint(task.build_model())


STEPS = {"taken": 0}


class CountsWhereNoNameLeads(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        globals()["STEPS"]["taken"] = 0

        def weigh(step: Step) -> Tensor:
            globals()["STEPS"]["taken"] += 1
            return torch.full_like(step.losses, 1 / globals()["STEPS"]["taken"])

        return weigh


class RefusesToStop(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        try:
            yield from super().fit(task)
        finally:
            yield Checkpoint(task.build_model())


class LearnsTheOpposite(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: torch.full_like(step.losses, -0.01)


class TwoClassesAreTooFew(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: step.logits.topk(3).values[:, 2].detach().sigmoid()


class WantsColour(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: step.batch.images[:, 2].mean((1, 2)).abs()


class DividesByCounts(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        counts = task.train.labels.bincount(minlength=task.num_classes)
        weights = len(task.train) / counts
        return lambda step: weights[step.batch.labels] * weights.mean()


class LosesTheLastRow(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        if len(task.train) % task.recipe.batch_size == 1:
            raise IndexError("a batch of one")
        return super().prepare(task)


class StandardisesEachClass(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        for label in range(task.num_classes):
            pixels = task.train.pixels[task.train.labels == label].float()
            if len(pixels) == 1:
                raise ValueError("the deviation of one image")
        return super().prepare(task)


class DrawsUnlabelled(Plain):
    needs = frozenset({Need.UNLABELLED})

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        assert task.unlabelled.pixels[0].max() > 0
        return super().prepare(task)


class BuysBlindly(Plain):
    needs = frozenset({Need.ORACLE})

    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        task.oracle.query(torch.arange(5))
        return super().prepare(task)


class TrainsTwice(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        model = task.build_model()
        yield from supervised(task, model, self.prepare(task), epochs=2 * task.recipe.epochs)


class WritesInPlace(Plain):
    """A loop of its own, without an optimiser, of four times the steps."""

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        model = task.build_model()
        parameters = list(model.parameters())
        batches = endless_batches(task, task.train, "mine", task.recipe.batch_size)
        for _ in range(task.recipe.epochs):
            for batch in islice(batches, 4 * task.steps_per_epoch):
                loss = forward(task, model, batch, 0.1, 0).losses.mean()
                gradients = torch.autograd.grad(loss, parameters)
                with torch.no_grad():
                    for parameter, gradient in zip(parameters, gradients, strict=True):
                        parameter.sub_(0.1 * gradient)
            yield Checkpoint(model)


class YieldsOnce(Plain):
    def fit(self, task: Task) -> Iterator[Checkpoint]:
        *_, last = super().fit(task)
        yield last


class YieldsOneModel(Plain):
    """Trains to the end first, and then yields what it has for each epoch."""

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        for index, checkpoint in enumerate(super().fit(task), 1):
            last = checkpoint
            if index == 1:
                early = Checkpoint(copy.deepcopy(checkpoint.model))
            yield early if index > task.recipe.epochs // 2 else last


class DividesByTheRate(Capped):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        assert task.noise_rate is not None, "a noise rate that nobody knows"
        return super().prepare(task)


class StaysOnTheHost(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: torch.ones(len(step.losses))


class ReadsEachLoss(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: torch.ones_like(step.losses) * (step.losses.mean().item() >= 0)


class SelectsLosses(Plain):
    def prepare(self, task: Task) -> Callable[[Step], Tensor]:
        return lambda step: step.losses.detach() / step.losses[step.losses > 1].sum().clamp(min=1)


BROKEN: list[Broken] = [
    ("options_survive_json", HidesItsOptions, "does not show rounds=3"),
    ("trains_and_yields_checkpoints", YieldsNothing, "yielded no checkpoint"),
    ("trains_and_yields_checkpoints", GivesAList, "fit gave list"),
    ("trains_and_yields_checkpoints", YieldsModels, "expected fit to yield a Checkpoint"),
    ("trains_and_yields_checkpoints", OneLogitTooMany, r"gave \(60, 4\), expected .*\(60, 3\)"),
    ("trains_and_yields_checkpoints", NaNLogits, "logits are not finite"),
    ("predicts_each_image_on_its_own", LooksAtTheBatch, "change with the other images"),
    ("repeats_itself_bit_for_bit", RemembersRuns, "two runs with one seed differ"),
    ("does_not_read_the_global_random_state", DrawsGlobally, "global random state"),
    ("differs_with_the_seed", IgnoresItsSeed, "two seeds give one result"),
    ("leaves_its_task_alone", CleansLabelsInPlace, "changed its task's images or labels"),
    ("reports_weights_of_training_rows", ShortWeights, r"shape \(3,\), expected .*\(72,\)"),
    ("reports_weights_of_training_rows", NoWeights, "NaN for every row"),
    ("reports_weights_of_training_rows", ClimbsTheLoss, r"a weight is -1: .*clamp\(min=0\)"),
    ("uses_only_what_it_declares", UndeclaredNeed, "without declaring it: add Need.TRUSTED"),
    ("uses_only_what_it_declares", UndeclaredNetwork, "add Need.OWN_NETWORK"),
    ("makes_no_more_steps_than_the_others", TrainsTwice, "updated 40 times in a recipe of 20"),
    ("makes_no_more_steps_than_the_others", WritesInPlace, "updated 80 times in a recipe of 20"),
    ("can_be_judged_in_each_of_the_last_epochs", YieldsOnce, "no checkpoint in epoch 9 of 10"),
    ("can_be_judged_in_each_of_the_last_epochs", YieldsOneModel, "no checkpoint in epoch"),
    ("counts_its_work", DoesNotTrain, "forwarded=0"),
    ("checkpoints_pickle", DoesNotPickle, "does not pickle"),
    ("stops_when_it_is_closed", RefusesToStop, "ignored GeneratorExit"),
    ("goes_on_after_an_interruption", CountsWhereNoNameLeads, "ends otherwise where it was"),
    ("learns", LearnsTheOpposite, "expected at least 0.60"),
    ("works_with_two_classes", TwoClassesAreTooFew, "out of range"),
    ("works_with_one_channel", WantsColour, "out of bounds"),
    ("works_with_a_class_that_is_absent", DividesByCounts, "not finite"),
    ("works_with_a_last_batch_of_one", LosesTheLastRow, "a batch of one"),
    ("works_with_a_long_tail", StandardisesEachClass, "the deviation of one image"),
    ("works_without_unlabelled_images", DrawsUnlabelled, "out of bounds"),
    (
        "works_where_nobody_knows_the_noise_rate",
        DividesByTheRate,
        "a noise rate that nobody knows",
    ),
    ("works_without_a_budget", BuysBlindly, "0 of a budget of 0 are left"),
    ("runs_on_an_accelerator", StaysOnTheHost, r"different devices .*device=task.device"),
    (
        "does_not_stall_it",
        ReadsEachLoss,
        r"9 times to read a value \(.*test_weighters.py, line .*item",
    ),
    ("does_not_stall_it", SelectsLosses, "9 times to count what is chosen .* keep the shape"),
]


@each_of(BROKEN)
def test_a_check_finds_what_it_is_for(name, plugin, message) -> None:
    check_finds(name, plugin, message)


def test_every_check_has_a_weighter_that_fails_it() -> None:
    assert {name for name, _, _ in BROKEN} == names_of_checks("weighters")
