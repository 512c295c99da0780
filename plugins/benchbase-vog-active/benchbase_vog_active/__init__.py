"""VoG-active and co-teaching, its first phase, with the controls that test their claims."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from benchbase.api import (
    Checkpoint,
    Classifier,
    Honesty,
    Images,
    Need,
    Step,
    Task,
    Weighter,
    hookimpl,
    option,
)
from benchbase.kit.loops import supervised
from benchbase_vog_active.acquisition import STRATEGIES, acquire
from benchbase_vog_active.coteaching import (
    Ensemble,
    RandomPart,
    SmallLoss,
    VariancePart,
    co_teach,
)
from benchbase_vog_active.selection import ForgetSchedule

BENCHBASE_API = 2

FORGETTING = frozenset({Need.NOISE_RATE, Need.OWN_NETWORK})
ASSUMED_RATE = 0.2
"""Forget rate where nobody knows the noise rate."""
VOG_ACTIVE = (
    "Khanal, Dai, Bhattarai, Linte: Active label refinement for robust training of imbalanced "
    "medical image classification tasks in the presence of high label noise. MICCAI 2024. "
    "https://arxiv.org/abs/2407.05973"
)


def uniform(step: Step) -> Tensor:
    """Give every image the weight one."""
    return torch.ones_like(step.losses)


@dataclass(frozen=True)
class CoTeaching(Weighter):
    """Co-teaching: two networks, each trained on the images with small losses under the other.

    The share of a batch that is left out grows to the forget rate over the first fifth of the
    epochs (10 of 50 in the code of VoG-active) and stays. Both networks are
    backbones with the benchmark's recipe; the sum of their logits is judged. As in the code of
    VoG-active, the exchanged loss is the mean over what was selected; the original code divides
    a batch mean once more.

    The forget rate is the true noise rate unless it is set, as in the codes of both: an advantage
    over methods that do not know it. Where nobody knows it, a fifth is assumed.
    """

    name: ClassVar[str] = "co-teaching"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = FORGETTING
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = (
        "Han, Yao, Yu, Niu, Xu, Hu, Tsang, Sugiyama: Co-teaching: robust training of deep neural "
        "networks with extremely noisy labels. NeurIPS 2018. https://arxiv.org/abs/1804.06872"
    )
    forget_rate: float | None = option(
        None,
        "share of a batch that is left out; none: the scenario's noise rate, or 0.2 where nobody "
        "knows it",
        min=0,
        max=1,
    )
    gradual: float = option(0.2, "share of the epochs in which that share grows", min=0, max=1)

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train both networks."""
        networks = Ensemble(task.build_model(), task.build_model())
        yield from self.teach(task, networks, task.recipe.epochs)

    def teach(
        self, task: Task, networks: Ensemble, epochs: int
    ) -> Generator[Checkpoint, None, Tensor]:
        """Train both networks for some epochs; return the rows that the first one selected last."""
        known = task.noise_rate if self.forget_rate is None else self.forget_rate
        schedule = ForgetSchedule(
            rate=ASSUMED_RATE if known is None else known,
            ramp=max(1, round(self.gradual * epochs)),
        )
        # The second part starts one epoch after the ramp's end: 11 of 50 in the official code.
        selectors = [
            self._selector(task, network, name, schedule.ramp + 1)
            for name, network in (("first", networks.first), ("second", networks.second))
        ]
        return co_teach(task, networks, selectors, schedule, epochs)

    def _selector(self, task: Task, network: Classifier, name: str, start: int) -> SmallLoss:
        return SmallLoss()


@dataclass(frozen=True)
class VoGRandomPart(CoTeaching):
    """Control of `vog`: what it selects by variance of gradients is selected at random."""

    name: ClassVar[str] = "vog-random-part"
    version: ClassVar[str] = "1"
    honesty: ClassVar[Honesty] = Honesty.ORIGINAL
    paper: ClassVar[str] = ""
    mix: float = option(0.2, "share of the selection that is random", min=0, max=1)

    def _selector(self, task: Task, network: Classifier, name: str, start: int) -> SmallLoss:
        return RandomPart(self.mix, start, task.rng(f"random part {name}"))


@dataclass(frozen=True)
class VoG(CoTeaching):
    """Phase 1 of VoG-active: co-teaching that selects by loss and by variance of gradients.

    Known from the authors' code: of the images that a network keeps, a share `mix` are those with
    the smallest VoG among what the loss left, from the epoch after the ramp on. VoG is the mean,
    over the weights of the given class in the last layer and its bias, of the standard deviation
    of an image's gradient over the last five epochs. The text of the paper could not be read; the
    README of the code speaks of gradients for the inputs, which the code does not compute.

    Unlike the code: gradients are not divided by the size of the batch that an image fell into,
    nor do they update running statistics; by default they are those of the training steps, which
    cost nothing. Where fewer than `window` epochs came before, VoG is over those. It acts in runs
    of at least three epochs.
    """

    name: ClassVar[str] = "vog"
    version: ClassVar[str] = "1"
    paper: ClassVar[str] = VOG_ACTIVE
    mix: float = option(0.2, "share of the selection that is by VoG", min=0, max=1)
    window: int = option(5, "epochs that VoG looks back", min=2)
    vog_mode: str = option(
        "harvested",
        "gradients of the training steps, or of one more pass after each epoch",
        choices=("harvested", "separate"),
    )

    def _selector(self, task: Task, network: Classifier, name: str, start: int) -> SmallLoss:
        return VariancePart(
            task,
            network,
            mix=self.mix,
            start=start,
            window=self.window,
            separate=self.vog_mode == "separate",
        )


@dataclass(frozen=True)
class Relabelling(Weighter):
    """`vog` on the first epochs; then rounds of buying labels and fine-tuning its first network.

    The images that the first network selected in the last epoch of phase 1 count as clean. Each
    round buys an even part of the budget among the others, adds them, and fine-tunes on the clean
    and the bought images alone, with a new optimiser and the recipe's schedule over the round.
    """

    forget_rate: float | None = option(
        None, "of phase 1; none: the scenario's noise rate", min=0, max=1
    )
    rounds: int = option(5, "times that labels are bought", min=0)
    relabelling_share: float = option(2 / 3, "share of the epochs for the rounds", min=0, max=1)

    @abstractmethod
    def choose(
        self, task: Task, network: Classifier, cleaned: Tensor, count: int, phase: str
    ) -> Tensor:
        """Give up to ``count`` rows outside ``cleaned``, whose labels are bought next."""

    def known(self, task: Task, clean: Tensor) -> Images:
        """Give the training images with the labels that phase 2 starts from."""
        return task.train

    def fit(self, task: Task) -> Iterator[Checkpoint]:
        """Train both networks, then relabel; without a budget, train for all epochs."""
        rounds, epochs = self._plan(task.recipe.epochs) if task.oracle.remaining else (0, 0)
        networks = Ensemble(task.build_model(), task.build_model())
        phase_1 = VoG(forget_rate=self.forget_rate)
        clean = yield from phase_1.teach(task, networks, task.recipe.epochs - rounds * epochs)
        if rounds:
            yield from self._relabel(task, networks.first, clean, rounds, epochs)

    def _plan(self, epochs: int) -> tuple[int, int]:
        """Give the number of rounds and the epochs of each; phase 1 has the rest, at least one."""
        available = min(epochs - 1, round(self.relabelling_share * epochs))
        rounds = min(self.rounds, available)
        return rounds, available // max(1, rounds)

    def _relabel(
        self, task: Task, network: Classifier, cleaned: Tensor, rounds: int, epochs: int
    ) -> Iterator[Checkpoint]:
        oracle, known = task.oracle, self.known(task, cleaned)
        cleaned = cleaned.clone()
        yield Checkpoint(network, weights=cleaned.float())
        for number in range(rounds):
            # Rounded up, so that nothing of the budget is left over.
            count = -(-oracle.remaining // (rounds - number))
            phase = f"round {number + 1}"
            bought = self.choose(task, network, cleaned, count, phase)
            known = known.relabelled(bought, oracle.query(bought))
            cleaned[bought] = True
            for checkpoint in supervised(
                task, network, uniform, epochs=epochs, data=known.subset(cleaned), phase=phase
            ):
                yield replace(checkpoint, weights=cleaned.float())


@dataclass(frozen=True)
class VoGActive(Relabelling):
    """VoG-active: `vog`, then rounds of relabelling the images that the network is unsure of.

    Phase 1 gets a third of the epochs. Then its first network goes on alone: each of five rounds
    buys a fifth of the label budget, and fine-tunes on the images of its last selection, with the
    labels they came with, and on those bought. Epochs keep their number of optimiser steps. One
    checkpoint comes in between: that network before the first purchase. Where there is no
    budget, all epochs are phase 1 and this is `vog`.

    The authors' code also corrects every wrong label of its selection, at no charge, as
    `vog-active-released` does; here only bought labels are true. Its learning rate in phase 2
    oscillates by an oversight; here it falls once a round. Images are scored as they are; the code
    augments them. `acquisition` is entropy as in the authors' example, their program's default is
    random. `bald` takes ten augmented passes in eval mode, for these networks have no dropout.

    Reported weights: of phase 1, the mean over both networks of whether they selected an image; of
    phase 2, one for images that are trained on, also where their label was bought and replaced.
    """

    name: ClassVar[str] = "vog-active"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = FORGETTING | {Need.ORACLE}
    honesty: ClassVar[Honesty] = Honesty.UNMATCHED
    paper: ClassVar[str] = VOG_ACTIVE
    acquisition: str = option("entropy", "what decides which labels to buy", choices=STRATEGIES)

    def choose(
        self, task: Task, network: Classifier, cleaned: Tensor, count: int, phase: str
    ) -> Tensor:
        """Give the rows that the strategy ranks first."""
        purpose = f"acquisition {phase}"
        return acquire(task, network, cleaned, count, strategy=self.acquisition, purpose=purpose)


@dataclass(frozen=True)
class VoGActiveReleased(VoGActive):
    """Control of `vog-active`: wrong labels in phase 1's selection are corrected at no charge.

    As in the authors' released code, where it is more than the budget of a round. It takes true
    labels that nobody paid for, so it is never ranked.
    """

    name: ClassVar[str] = "vog-active-released"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = VoGActive.needs | {Need.TRUTH}

    def known(self, task: Task, clean: Tensor) -> Images:
        """Give them with true labels where the first network selected an image."""
        rows = clean.nonzero().squeeze(1)
        return task.train.relabelled(rows, task.truth[rows])


@dataclass(frozen=True)
class RelabelOracleOrder(Relabelling):
    """Control of `vog-active`: it knows which labels are wrong, and buys those first, in any order.

    No budget corrects more labels, yet that is no upper bound of accuracy: it matters which images
    are bought. On Gaussian classes with half of the labels wrong (the toy of the tests), buying at
    random is better, and entropy better still.
    """

    name: ClassVar[str] = "relabel-oracle-order"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = VoGActive.needs | {Need.TRUTH}

    def choose(
        self, task: Task, network: Classifier, cleaned: Tensor, count: int, phase: str
    ) -> Tensor:
        """Give wrongly labelled rows before others, by lot."""
        pool = (~cleaned).nonzero().squeeze(1)
        lots = torch.rand(len(pool), generator=task.rng(f"acquisition {phase}")).to(pool.device)
        is_wrong = task.train.labels[pool] != task.truth[pool]
        return pool[(is_wrong + lots).topk(min(count, len(pool))).indices]


@hookimpl
def register_weighters() -> list[type[Weighter]]:
    """Give the method, its first phase, co-teaching and the controls."""
    return [CoTeaching, VoG, VoGActive, VoGRandomPart, VoGActiveReleased, RelabelOracleOrder]
