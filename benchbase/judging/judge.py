"""Hears the predictions of each checkpoint and applies every selection rule afterwards.

All rules are a pure function of logits and labels: nothing that happens here can reach the
method, and no score is told to anybody during the run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbase.cell import JSON
from benchbase.data.opening import Opened
from benchbase.errors import ContractError, DivergedError
from benchbase.judging import rules
from benchbase.judging.extra import Extra
from benchbase.judging.metrics import (
    Logits,
    Score,
    further_scores,
    probabilities,
    rankable_scores,
)
from benchbase.judging.relabelling import describe_levels, finished_models
from benchbase.judging.scales import RANKABLE
from benchbase.judging.steps import Counted, describe_training, tail_of
from benchbase.judging.weights import diagnose_weights, weight_auroc

Stored = NDArray[np.float16]
TOLERANCE = 1e-2
"""Largest difference between the two predicted probabilities of a class."""
RESERVED = frozenset(
    (
        *(f"test_{name}" for name in RANKABLE),
        "validation_noisy_balanced_accuracy",
        "validation_clean_balanced_accuracy",
        "weight_auroc",
        "labels_bought",
    )
)
"""Curves that only the judge draws; a method's note of such a name is dropped."""


@dataclass(frozen=True)
class Questions:
    """Where the answers to validation and test images are found among those of the predictor."""

    first: NDArray[np.int64]
    """For each image, where it stands."""
    again: NDArray[np.int64]
    """For each repeated image, where it stands the second time."""
    repeated: NDArray[np.int64]

    @classmethod
    def of(cls, order: NDArray[np.int64]) -> Questions:
        """Look up each image in an order in which some come up twice."""
        place = np.argsort(order, kind="stable")
        asked = order[place]
        is_again = np.diff(asked, prepend=-1) == 0
        return cls(place[~is_again], place[is_again], asked[is_again])

    def answers(self, logits: Logits) -> Logits:
        """Check what the predictor sent and bring it back into the images' own order.

        Each image's largest logit comes out as zero: predictions do not change by it, and half
        precision keeps them.

        Raises:
            ContractError: an image's prediction depends on its neighbours.
            DivergedError: a logit is not finite.
        """
        bad = int((~np.isfinite(logits)).any(axis=1).sum())
        if bad:
            raise DivergedError(
                f"the model gave NaN or infinite logits for {bad} of {len(logits)} images: lower "
                "the learning rate or guard the loss"
            )
        logits = logits - logits.max(axis=1, keepdims=True)
        once, twice = logits[self.first[self.repeated]], logits[self.again]
        if np.abs(probabilities(once) - probabilities(twice)).max() > TOLERANCE:
            raise ContractError(
                "an image's prediction changes with the other images that are asked: a model must "
                "predict each image by itself (is a batch norm left in train mode?)"
            )
        return logits[self.first]


@dataclass
class Judge:
    """One scenario at one seed, as only the parent sees it."""

    opened: Opened
    epochs: int
    """Of the recipe."""
    extra: tuple[Extra, ...] = ()
    _validation: list[Stored] = field(default_factory=list)
    _test: list[Stored] = field(default_factory=list)
    _weights: list[NDArray[np.float32] | None] = field(default_factory=list)
    _notes: list[Mapping[str, float]] = field(default_factory=list)
    _bought: list[list[int]] = field(default_factory=list)
    _counted: list[Counted] = field(default_factory=list)
    _used: list[int] = field(default_factory=list)

    def hear(
        self,
        logits: Logits,
        weights: NDArray[np.float32] | None,
        notes: Mapping[str, float],
        counted: Counted,
        bought: Collection[int] | None = None,
    ) -> None:
        """Take one checkpoint: logits of validation then test images, row weights, notes, work.

        ``bought`` are the training rows in the ledger so far; None where no labels are for sale.
        """
        count = len(self.opened.validation)
        stored = to_stored(logits)
        self._validation.append(stored[:count])
        self._test.append(stored[count:])
        self._weights.append(weights)
        self._notes.append(notes)
        self._counted.append(counted)
        if bought is not None:
            self._bought.append([*bought])

    def describe_training(self, steps_allowed: int, *, own_network: bool) -> JSON:
        """Give the block of a record that says what was trained."""
        return describe_training(self._counted, self.epochs, steps_allowed, own_network=own_network)

    @property
    def checkpoints(self) -> int:
        """Checkpoints heard so far."""
        return len(self._test)

    def conclude(self) -> dict[str, Any]:
        """Apply every rule; give the blocks of a record that are about predictions.

        These are ``metrics``, ``metric_versions``, ``selected``, ``chosen``, ``curves``,
        ``weights`` and ``relabelling``. Everything is computed from the stored form of the logits.
        """
        opened = self.opened
        scores = self._rankable()
        best = {
            name: rules.best({part: [each[name] for each in scores[part]] for part in scores})
            for name in scores["test"][0]
        }
        tail = tail_of([one.judged for one in self._counted], self.epochs)
        selected = {
            "tail": [*tail.values()],
            **rules.fixed(self.checkpoints),
            **{rule: [checkpoint] for rule, checkpoint in best.pop(rules.PRIMARY).items()},
        }
        finished = finished_models([len(rows) for rows in self._bought])
        self._used = sorted(
            {each for chosen in selected.values() for each in chosen}
            | {each for chosen in best.values() for each in chosen.values()}
            | {*finished.values()}
        )
        whole = {index: self._score(index, scores["test"][index]) for index in self._used}
        counts = np.bincount(opened.test.labels, minlength=len(opened.classes))
        metrics = {
            rule: rules.average([whole[index] for index in chosen], counts)
            for rule, chosen in selected.items()
        }
        for name, chosen in best.items():
            for rule, checkpoint in chosen.items():
                metrics[rule][name] = rules.mean([whole[checkpoint][name]])
        return {
            "metrics": metrics,
            "metric_versions": {extra.name: extra.version for extra in self.extra},
            "selected": selected,
            "chosen": best,
            "curves": self._curves(scores),
            "weights": self._diagnose_weights(),
            "relabelling": describe_levels(
                [*finished], [whole[index] for index in finished.values()]
            )
            if finished
            else None,
        }

    def _rankable(self) -> dict[str, list[dict[str, Score]]]:
        """Score every checkpoint on every part by what a board may rank by."""
        opened = self.opened
        parts = {
            "test": (self._test, opened.test.labels),
            "validation_noisy": (self._validation, opened.validation.labels),
            "validation_clean": (self._validation, opened.validation_true),
        }
        extra = [each for each in self.extra if each.name in RANKABLE]
        return {
            part: [
                {
                    **rankable_scores(each, labels, self._training_counts),
                    **{one.name: one.score(each, labels) for one in extra},
                }
                for each in logits
            ]
            for part, (logits, labels) in parts.items()
        }

    @property
    def _training_counts(self) -> list[int]:
        counts: list[int] = np.bincount(
            self.opened.train_true, minlength=len(self.opened.classes)
        ).tolist()
        return counts

    def _score(self, checkpoint: int, rankable: dict[str, Score]) -> dict[str, Score]:
        logits, labels = self._test[checkpoint], self.opened.test.labels
        extra = [each for each in self.extra if each.name not in rankable]
        return {
            **rankable,
            **further_scores(logits, labels),
            **{one.name: one.score(logits, labels) for one in extra},
        }

    def _curves(self, scores: dict[str, list[dict[str, Score]]]) -> dict[str, list[float | None]]:
        drawn = {("test", name) for name in scores["test"][0]}
        drawn |= {(part, rules.PRIMARY) for part in scores}
        curves = {
            f"{part}_{name}": [_number(each[name]) for each in scores[part]]
            for part, name in sorted(drawn)
        }
        for name in sorted({name for notes in self._notes for name in notes} - RESERVED):
            curves[name] = [notes.get(name) for notes in self._notes]
        if self._bought:
            curves["labels_bought"] = [float(len(rows)) for rows in self._bought]
        if self._weights[-1] is not None:
            curves["weight_auroc"] = [
                None
                if each is None
                else weight_auroc(each, self._labels(checkpoint) == self.opened.train_true)
                for checkpoint, each in enumerate(self._weights)
            ]
        return curves

    def _diagnose_weights(self) -> dict[str, Any] | None:
        if self._weights[-1] is None:
            return None
        reported = [each[~np.isnan(each)] for each in self._weights if each is not None]
        return {
            **diagnose_weights(
                self._weights[-1],
                self._labels(-1),
                self.opened.train_true,
                len(self.opened.classes),
            ),
            "never_left_one": all(bool((each == 1).all()) for each in reported),
        }

    def _labels(self, checkpoint: int) -> NDArray[np.int64]:
        """Give the labels that the training images had then: true ones where they were bought."""
        opened = self.opened
        if not self._bought:
            return opened.train.labels
        labels = opened.train.labels.copy()
        rows = self._bought[checkpoint]
        labels[rows] = opened.train_true[rows]
        return labels

    def predictions(self) -> dict[str, NDArray[Any]]:
        """Give the stored logits of every checkpoint that ``conclude`` used, and the labels."""
        return {
            "checkpoints": np.array(self._used),
            "test_logits": np.stack([self._test[index] for index in self._used]),
            "test_labels": self.opened.test.labels,
            "validation_logits": np.stack([self._validation[index] for index in self._used]),
            "validation_labels": self.opened.validation.labels,
            "validation_true": self.opened.validation_true,
        }


def to_stored(logits: Logits) -> Stored:
    """Give the half-precision form that is kept, and that scores are computed from."""
    largest = np.finfo(np.float16).max
    return np.clip(logits, -largest, largest).astype(np.float16)


def _number(value: Score) -> float | None:
    return value if isinstance(value, float) else None
