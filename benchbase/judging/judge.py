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
from benchbase.judging import metrics
from benchbase.judging.metrics import Logits, Metric
from benchbase.judging.relabelling import describe_levels, finished_models
from benchbase.judging.statistics import balanced_accuracy_interval
from benchbase.judging.steps import LONGEST_TAIL, Counted, describe_training, tail_of
from benchbase.seeding import numpy_stream

REPEATED = 64
"""Images that are predicted twice, in different company."""
TOLERANCE = 1e-2
"""Largest difference between the two predicted probabilities of a class."""
RESERVED = frozenset(
    (
        "test_balanced_accuracy",
        "validation_noisy_balanced_accuracy",
        "validation_clean_balanced_accuracy",
        "weight_auroc",
        "labels_bought",
    )
)
"""Curves that only the judge draws; a method's note of such a name is dropped."""


@dataclass(frozen=True)
class Questions:
    """The secret order in which validation and test images are put to the predictor."""

    order: NDArray[np.int64]
    """Positions in validation + test; the repeated ones come up twice."""
    first: NDArray[np.int64]
    """For each image, where it stands in ``order``."""
    again: NDArray[np.int64]
    """For each repeated image, where it stands the second time."""
    repeated: NDArray[np.int64]

    @classmethod
    def draw(cls, count: int, secret: int) -> Questions:
        """Shuffle ``count`` images and a few repeats of them."""
        rng = numpy_stream(secret, "questions")
        repeated = rng.choice(count, min(REPEATED, count), replace=False)
        everything = np.concatenate([np.arange(count), repeated])
        shuffled = rng.permutation(len(everything))
        position = np.argsort(shuffled)
        return cls(everything[shuffled], position[:count], position[count:], repeated)

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
        if np.abs(_probabilities(once) - _probabilities(twice)).max() > TOLERANCE:
            raise ContractError(
                "an image's prediction changes with the other images of its batch: a model must "
                "predict each image by itself (is a batch norm left in train mode?)"
            )
        return logits[self.first]


@dataclass
class Judge:
    """One scenario at one seed, as only the parent sees it."""

    opened: Opened
    epochs: int
    """Of the recipe."""
    extra: tuple[Metric, ...] = ()
    _validation: list[Logits] = field(default_factory=list)
    _test: list[Logits] = field(default_factory=list)
    _weights: list[NDArray[np.float32] | None] = field(default_factory=list)
    _notes: list[Mapping[str, float]] = field(default_factory=list)
    _bought: list[list[int]] = field(default_factory=list)
    _counted: list[Counted] = field(default_factory=list)

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
        self._validation.append(logits[:count])
        self._test.append(logits[count:])
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

        These are ``metrics``, ``selected``, ``curves``, ``weights`` and ``relabelling``.
        """
        opened = self.opened
        curves: dict[str, list[float | None]] = {
            "test_balanced_accuracy": _curve(self._test, opened.test.labels),
            "validation_noisy_balanced_accuracy": _curve(
                self._validation, opened.validation.labels
            ),
            "validation_clean_balanced_accuracy": _curve(self._validation, opened.validation_true),
        }
        tail = tail_of([one.judged for one in self._counted], self.epochs)
        selected = select(
            [*tail.values()], **{name: np.array(curve) for name, curve in curves.items()}
        )
        for name in sorted({name for notes in self._notes for name in notes} - RESERVED):
            curves[name] = [notes.get(name) for notes in self._notes]
        if self._bought:
            curves["labels_bought"] = [float(len(rows)) for rows in self._bought]
        finished = finished_models([len(rows) for rows in self._bought])
        used = {index for chosen in selected.values() for index in chosen} | {*finished.values()}
        scores = {
            index: metrics.score(self._test[index], opened.test.labels, self.extra)
            for index in sorted(used)
        }
        counts = np.bincount(opened.test.labels, minlength=len(opened.classes))
        weights: dict[str, Any] = {}
        if self._weights[-1] is not None:
            curves["weight_auroc"] = [
                None
                if each is None
                else metrics.weight_auroc(each, self._labels(checkpoint) == opened.train_true)
                for checkpoint, each in enumerate(self._weights)
            ]
            weights = metrics.diagnose_weights(
                self._weights[-1], self._labels(-1), opened.train_true, len(opened.classes)
            )
        return {
            "metrics": {
                rule: average([scores[index] for index in chosen], counts)
                for rule, chosen in selected.items()
            },
            "selected": selected,
            "curves": curves,
            "weights": weights,
            "relabelling": describe_levels(
                [*finished], [scores[index] for index in finished.values()]
            ),
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

    def predictions(self, selected: dict[str, list[int]]) -> dict[str, NDArray[Any]]:
        """Give the half-precision logits that the rules used, and the labels."""
        used = sorted({index for chosen in selected.values() for index in chosen})
        return {
            "checkpoints": np.array(used),
            "test_logits": _half([self._test[index] for index in used]),
            "test_labels": self.opened.test.labels,
            "validation_logits": _half([self._validation[index] for index in used]),
            "validation_labels": self.opened.validation.labels,
            "validation_true": self.opened.validation_true,
        }


def _probabilities(logits: Logits) -> NDArray[np.float64]:
    odds = np.exp(logits.astype(np.float64))  # the largest logit is zero
    shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _half(logits: list[Logits]) -> NDArray[np.float16]:
    largest = np.finfo(np.float16).max
    return np.clip(np.stack(logits), -largest, largest).astype(np.float16)


def _curve(logits: list[Logits], labels: NDArray[np.int64]) -> list[float | None]:
    return [metrics.balanced_accuracy(each, labels) for each in logits]


def select(
    tail: list[int],
    test_balanced_accuracy: NDArray[np.float64],
    validation_noisy_balanced_accuracy: NDArray[np.float64],
    validation_clean_balanced_accuracy: NDArray[np.float64],
) -> dict[str, list[int]]:
    """Give the checkpoints that each rule averages; the earliest on ties.

    ``tail``, ``last``, ``last5`` and ``val_noisy`` may be ranked; ``val_clean`` and ``oracle``
    look at what nobody has in practice and are diagnostics.
    """
    count = len(test_balanced_accuracy)
    return {
        "tail": tail,
        "last": [count - 1],
        "last5": list(range(max(0, count - LONGEST_TAIL), count)),
        "val_noisy": [int(np.argmax(validation_noisy_balanced_accuracy))],
        "val_clean": [int(np.argmax(validation_clean_balanced_accuracy))],
        "oracle": [int(np.argmax(test_balanced_accuracy))],
    }


def average(scores: list[dict[str, Any]], counts: NDArray[np.int64]) -> dict[str, Any]:
    """Average the scores of several checkpoints: metric -> value and interval.

    Only balanced accuracy has an interval, the analytic one of a mean of binomial recalls.
    """
    means = {name: np.mean([score[name] for score in scores], axis=0) for name in scores[0]}
    recalls = means["recall_per_class"]
    result: dict[str, Any] = {
        name: {"value": _finite(value), "interval": None} for name, value in means.items()
    }
    present = counts > 0
    low, high = balanced_accuracy_interval(recalls[present], counts[present])
    result["balanced_accuracy"]["interval"] = [float(low), float(high)]
    return result


def _finite(value: Any) -> Any:
    """Give plain JSON numbers, None for what is not finite."""
    if np.ndim(value):
        return [_finite(each) for each in value]
    return float(value) if np.isfinite(value) else None
