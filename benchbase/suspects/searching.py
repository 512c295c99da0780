"""Ranks the labels of a data set in the time that there is, and measures how far each ranking goes.

The measure: labels are corrupted once more, with the noise that the first look suggests, the
classes that it suggests standing for the truth, and each ranking is asked to find what was done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from benchbase.api import Need
from benchbase.data.contract import Labels
from benchbase.errors import BenchbaseError, UsageError
from benchbase.plugins import Entry
from benchbase.suspects.folds import TOO_LATE, folds_of, out_of_fold, processes
from benchbase.suspects.labelled import Labelled
from benchbase.suspects.noise import Noise, inject, suggest_noise
from benchbase.suspects.rankings import LOSS, VARIANCE, Scores, by_predictions, precision
from benchbase.suspects.training import School, watch, weigh

T = TypeVar("T")

PLACES = (100, 500, 1000)
"""Labels looked at, for which precision is measured."""
METHOD = 3
"""A method's training is taken for so many times that of one network, until it is known."""
HARMLESS = {Need.OWN_NETWORK.value, Need.NOISE_RATE.value}
"""What a method may need that anybody's labels grant; the noise rate is the estimated one."""
NO_TIME = "there was no time"


@dataclass
class Findings:
    """The rankings of a data set's labels."""

    images: Labelled
    suggested: Noise
    scores: dict[str, Scores] = field(default_factory=dict)
    """Ranking -> a score for each image, the higher the more doubtful."""
    measured: dict[str, list[float]] = field(default_factory=dict)
    """Ranking -> share of wrong labels among the first ``places``, where noise was injected."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Ranking -> why."""
    chance: float = 0.0
    """Share of the labels that the injected noise made wrong."""

    def add(self, name: str, scores: Scores) -> None:
        """Add a ranking; labels that somebody verified have no place in it."""
        self.scores[name] = self.images.undoubted_last(scores)

    @property
    def places(self) -> tuple[int, ...]:
        """The numbers of labels looked at that mean something here."""
        count = self.images.doubtful
        return tuple(k for k in PLACES if 2 * k <= count) or (max(1, count // 10),)

    @property
    def best(self) -> str:
        """The ranking that found most of the injected noise; the first one where none was."""
        return max(self.scores, key=lambda name: sum(self.measured.get(name, [0])))


class Search:
    """Fills findings, one kind of ranking after the other, while there is time."""

    def __init__(
        self, school: School, images: Labelled, *, workers: int, say: Callable[[str], None]
    ) -> None:
        self._school = school
        self._images = images
        self._workers = workers
        self._say = say
        self._injected: Labels | None = None
        self._seconds = 0.0  # that a worker needs to train one network on all images

    def run(self, methods: Sequence[Entry]) -> Findings:
        """Rank by everything that fits the time.

        Raises:
            UsageError: not even the networks out of fold fit it.
            DataError: a class cannot be learned out of fold.
        """
        with processes(self._workers) as pool:
            findings = self._out_of_fold(pool)
            self._watched(pool, findings)
            for entry in methods:
                if not entry.is_control:
                    self._weighed(pool, findings, entry)
        return findings

    def _out_of_fold(self, pool: Executor) -> Findings:
        images, started = self._images, time.time()
        folds = folds_of(images)
        self._say(f"networks out of fold ({folds.max() + 1}), each on the other folds")
        snapshots = out_of_fold(pool, self._school, images.labels, folds)
        if snapshots is None:
            raise UsageError(f"{TOO_LATE}: give more --budget, or fewer --epochs")
        spent = time.time() - started
        last = int(folds.max())
        self._seconds = spent * min(self._workers, last + 1) / last
        suggested = suggest_noise(images.labels, snapshots.mean(axis=0), images.verified)
        findings = Findings(images, suggested)
        for name, scores in by_predictions(images.labels, snapshots, suggested).items():
            findings.add(name, scores)
        injected = inject(suggested, images.verified)
        if started + 2 * spent < self._school.deadline:
            self._say("the same with injected noise, to measure the rankings")
            snapshots = out_of_fold(pool, self._school, injected, folds)
            if snapshots is not None:
                self._injected = injected
                findings.chance = float((injected != suggested.classes).mean())
                again = suggest_noise(injected, snapshots.mean(axis=0), images.verified)
                for name, scores in by_predictions(injected, snapshots, again).items():
                    self._measure(findings, name, scores)
        return findings

    def _watched(self, pool: Executor, findings: Findings) -> None:
        if not self._fits(1):
            findings.left_out |= dict.fromkeys((LOSS, VARIANCE), NO_TIME)
            return
        self._say("one network on all labels, watched while it trains")
        seen = [each.result() for each in self._submit(pool, watch)]
        if seen[0] is None:
            findings.left_out |= dict.fromkeys((LOSS, VARIANCE), NO_TIME)
            return
        findings.add(LOSS, seen[0].loss)
        findings.add(VARIANCE, seen[0].variance)
        if seen[-1] is not None:
            self._measure(findings, LOSS, seen[-1].loss)
            self._measure(findings, VARIANCE, seen[-1].variance)

    def _weighed(self, pool: Executor, findings: Findings, entry: Entry) -> None:
        name = f"weights of {entry.name}"
        if lacking := sorted({*entry.needs} - HARMLESS):
            findings.left_out[name] = f"only run grants what it needs: {', '.join(lacking)}"
            return
        if not self._fits(METHOD):
            findings.left_out[name] = NO_TIME
            return
        self._say(name)
        rate = findings.suggested.rate
        try:
            found = [each.result() for each in self._submit(pool, weigh, entry, rate)]
        except BenchbaseError as error:
            findings.left_out[name] = f"it failed ({error})"
            return
        if found[0] is None:
            findings.left_out[name] = NO_TIME
        elif np.isnan(found[0]).all():
            findings.left_out[name] = "it gives no weights"
        elif not np.nanstd(found[0]) > 0:
            findings.left_out[name] = "weights are the same for all images"
        else:
            findings.add(name, -found[0])
            if found[-1] is not None:
                self._measure(findings, name, -found[-1])

    def _submit(
        self, pool: Executor, function: Callable[..., T], *arguments: Any
    ) -> list[Future[T]]:
        """Ask for the same on the labels as given and as injected, where they are."""
        every = [self._images.labels, self._injected]
        return [
            pool.submit(function, self._school, labels, *arguments)
            for labels in every
            if labels is not None
        ]

    def _fits(self, networks: int) -> bool:
        """Tell whether there is time for so many trainings on each of the labels."""
        rounds = 1 if self._injected is None or self._workers > 1 else 2
        return time.time() + rounds * networks * self._seconds < self._school.deadline

    def _measure(self, findings: Findings, name: str, scores: Scores) -> None:
        if self._injected is not None:
            wrong = self._injected != findings.suggested.classes
            open_scores = self._images.undoubted_last(scores)
            findings.measured[name] = precision(open_scores, wrong, findings.places)
