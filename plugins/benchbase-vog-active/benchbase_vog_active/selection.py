"""How many images of a batch are kept and which; the variance of gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

ROUNDING = 1e-9
"""Added before a product is rounded down: in floating point (1 - 0.8) * 5 is less than 1."""
CHUNK = 4096
"""Images whose gradients are stacked at once."""


@dataclass(frozen=True)
class ForgetSchedule:
    """How much of a batch is left out in each epoch, the same share for every class."""

    rate: float
    ramp: int
    """Epochs in which the share grows, from none in the first."""

    def share(self, epoch: int) -> float:
        """Give the share that is left out."""
        if epoch >= self.ramp:
            return self.rate
        return self.rate * epoch / max(1, self.ramp - 1)

    def kept(self, epoch: int, batch_size: int) -> int:
        """Count the images of a batch that are kept."""
        return math.floor((1 - self.share(epoch)) * batch_size + ROUNDING)


def last_layer_gradients(
    logits: Float[Tensor, "batch classes"],
    features: Float[Tensor, "batch width"],
    labels: Int[Tensor, " batch"],
) -> Float[Tensor, "batch coordinates"]:
    """Give each image's gradient of its cross-entropy for the last, linear layer.

    With u = (1, features): (p_y - 1) u, the bias and row of the given class.
    """
    inputs = F.pad(features, (1, 0), value=1.0)
    return (logits.softmax(1).gather(1, labels.unsqueeze(1)) - 1) * inputs


class GradientWindow:
    """The gradients of ``count`` images in the last ``length`` epochs that were recorded."""

    def __init__(self, length: int, count: int) -> None:
        self._length = length
        self._count = count
        self._epochs: dict[int, Tensor] = {}

    @property
    def epochs(self) -> list[int]:
        """The epochs that are held, oldest first."""
        return list(self._epochs)

    def record(
        self, epoch: int, rows: Int[Tensor, " batch"], gradients: Float[Tensor, "batch coordinates"]
    ) -> None:
        """Keep the gradients of a batch; an image that an epoch leaves out keeps its last one."""
        if epoch not in self._epochs:
            if len(self._epochs) == self._length:
                del self._epochs[self.epochs[0]]
            if self._epochs:
                self._epochs[epoch] = self._epochs[self.epochs[-1]].clone()
            else:
                self._epochs[epoch] = gradients.new_zeros(self._count, gradients.shape[1])
        self._epochs[epoch][rows] = gradients

    def variance(self) -> Float[Tensor, " count"]:
        """Give each image's VoG: the mean over coordinates of the deviation over the epochs.

        It is the population's standard deviation, in spite of the name.
        """
        chunks = zip(*(held.split(CHUNK) for held in self._epochs.values()), strict=True)
        return torch.cat([torch.stack(chunk).std(0, correction=0).mean(1) for chunk in chunks])


def smallest(scores: Float[Tensor, " batch"], count: int) -> Bool[Tensor, " batch"]:
    """Mark the ``count`` smallest scores."""
    marked = torch.zeros_like(scores, dtype=torch.bool)
    return marked.index_fill_(0, scores.topk(count, largest=False, sorted=False).indices, True)


def mixed(
    losses: Float[Tensor, " batch"], second: Float[Tensor, " batch"], count: int, mix: float
) -> Bool[Tensor, " batch"]:
    """Mark ``count`` images: a share ``mix`` by the smallest ``second``, the rest, first, by loss.

    The share is rounded down.
    """
    by_second = math.floor(count * mix + ROUNDING)
    by_loss = smallest(losses, count - by_second)
    return by_loss | smallest(second.masked_fill(by_loss, math.inf), by_second)
