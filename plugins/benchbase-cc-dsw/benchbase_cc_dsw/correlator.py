"""The signals of a run, and its memory of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from benchbase.api import Step, Task
from benchbase.kit.loops import predict
from benchbase.kit.memory import ClassMeans
from benchbase_cc_dsw.correlations import correlations

if TYPE_CHECKING:
    from benchbase_cc_dsw import CCDSW

QUEUE_LENGTH = 50


class Queue:
    """A memory of each class: the mean of the last vectors of it."""

    def __init__(self, num_classes: int, width: int, device: torch.device) -> None:
        # The extra place takes what a batch has too much of one class: a GPU writes what is meant
        # for one place in any order.
        self._places = torch.zeros(num_classes, QUEUE_LENGTH + 1, width, device=device)
        self._counts = torch.zeros(num_classes, dtype=torch.long, device=device)

    @property
    def seen(self) -> Bool[Tensor, " classes"]:
        """Which classes there is a vector of."""
        return self._counts > 0

    @property
    def means(self) -> Float[Tensor, "classes width"]:
        """Mean of each class's vectors; zero for a class never seen."""
        held = self._counts.clamp(1, QUEUE_LENGTH).unsqueeze(1)
        return self._places[:, :-1].sum(1) / held

    def update(self, vectors: Float[Tensor, "batch width"], labels: Int[Tensor, " batch"]) -> None:
        """Take in a batch, in its order."""
        own = F.one_hot(labels, len(self._counts))
        ranks = own.cumsum(0).gather(1, labels.unsqueeze(1)).squeeze(1) - 1
        totals = own.sum(0)
        places = (self._counts[labels] + ranks) % QUEUE_LENGTH
        is_late = ranks >= totals[labels] - QUEUE_LENGTH
        self._places[labels, torch.where(is_late, places, QUEUE_LENGTH)] = vectors
        self._counts = self._counts + totals


class Correlator:
    """The state of a run: gives each step's signals and keeps the memory of the classes."""

    def __init__(self, settings: CCDSW, task: Task) -> None:
        self._settings = settings
        self._task = task
        self._epoch = -1
        self.memories: list[ClassMeans | Queue] = []
        """One for each space; with ``source=batch`` they stay empty."""
        signals = 2 * (1 + (settings.spaces == "both"))
        self._columns = torch.arange(signals, device=task.device)
        # Running means of the signals; the extra one takes what is unknown.
        self._neutral = ClassMeans(signals + 1, 1, task.device)

    @torch.no_grad()
    def __call__(self, step: Step) -> Float[Tensor, "batch signals"]:
        """Describe the batch by the memory as it was before, then remember the batch."""
        settings, labels = self._settings, step.batch.labels
        spaces = settings.rows(step.features.detach(), step.logits.detach())
        self._make_memories(step, spaces)
        pairs = [
            correlations(
                rows, labels, memory.means, settings.kappa * memory.seen.to(rows), settings.other
            )
            for rows, memory in zip(spaces, self.memories, strict=True)
        ]
        if settings.source in ("ema", "queue"):
            for rows, memory in zip(spaces, self.memories, strict=True):
                memory.update(rows, labels)
        signals = self._fill(*(torch.cat(part, dim=1) for part in zip(*pairs, strict=True)))
        if settings.class_input:
            observed = F.one_hot(labels, self._task.num_classes).to(signals)
            signals = torch.cat((signals, observed), dim=1)
        return signals

    def _make_memories(self, step: Step, spaces: list[Tensor]) -> None:
        task, is_meta = self._task, self._settings.source == "meta"
        if self.memories and not (is_meta and step.epoch > self._epoch):
            return
        self._epoch = step.epoch
        kind = Queue if self._settings.source == "queue" else ClassMeans
        self.memories = [kind(task.num_classes, rows.shape[1], task.device) for rows in spaces]
        if is_meta:
            trusted = self._settings.rows(*predict(task, step.model, task.trusted))
            for rows, memory in zip(trusted, self.memories, strict=True):
                memory.update(rows, task.trusted.labels)

    def _fill(
        self, values: Float[Tensor, "batch signals"], known: Bool[Tensor, "batch signals"]
    ) -> Float[Tensor, "batch signals"]:
        """Put running means, with this batch's, in place of what is unknown."""
        values = torch.where(known, values, 0.0)
        columns = torch.where(known, self._columns, len(self._columns))
        self._neutral.update(values.reshape(-1, 1), columns.flatten())
        return torch.where(known, values, self._neutral.means[:-1, 0])
