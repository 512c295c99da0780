"""What the exact bilevel step needs to know of a training step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from benchbase.api import Batch, Meter


@runtime_checkable
class Lookahead(Protocol):
    """What a virtual step needs to know; a ``Step`` is one."""

    @property
    def model(self) -> nn.Module:
        """Whose parameters move."""

    @property
    def losses(self) -> Float[Tensor, " batch"]:
        """The loss of each image that is weighted, attached to the graph."""

    @property
    def lr(self) -> float:
        """Learning rate of the virtual step."""

    @property
    def meter(self) -> Meter:
        """Where the work is counted."""

    @property
    def losses_at(self) -> Callable[[Mapping[str, Tensor]], Tensor]:
        """The same losses under other parameters."""

    @property
    def trusted_loss_at(self) -> Callable[[Mapping[str, Tensor], Batch], Tensor]:
        """The mean loss of a trusted batch under other parameters."""
