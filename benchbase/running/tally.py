"""What is remembered of one parameter and of one network while their updates are counted."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor, nn


@dataclasses.dataclass(eq=False)
class Network:
    """One network that ``build_model`` gave."""

    parameters: list[nn.Parameter]
    """Kept alive, so that what starts from their values is found."""
    updates: int = 0
    passes: int = 0
    """Forward passes with gradient."""
    counted: int = 0
    """The last of them that an update came after."""


@dataclasses.dataclass(eq=False)
class Tally:
    """What was done to one parameter."""

    version: int
    """Torch's count of writes in place, when last seen."""
    network: Network | None = None
    """Where it comes from; None for a parameter that is of no ``build_model``."""
    position: int = -1
    """In the network."""
    source: Tally | None = None
    """Of the parameter that this one is a copy of."""
    ends_head: bool = False
    """Whether it is the last parameter of a head."""
    updates: int = 0
    trained: bool = False
    """Whether it was itself updated, and not just copied or averaged."""
    passed: bool = False
    """Whether a forward pass with gradient saw it since its last update."""
    last_pass: int = 0
    """The number of that pass, of its network."""
    event: int = 0
    """The counter's when it was last updated."""
    mark: Tensor | None = None
    """Its norm at the last forward pass with gradient, where that is to be checked."""
    norm: float = 0.0
    """When it was made, or at the last checkpoint; with its version and updates then."""
    then: tuple[int, int] = (0, 0)


def updates_behind(parameter: Tensor, tally: Tally) -> int:
    """Give the updates behind a copy: its past where it is untouched, an average's source's."""
    norm = norm_of(parameter).item()
    untouched = version_of(parameter) == tally.then[0] and same_norm(norm, tally.norm)
    while tally.source is not None and not tally.trained and not untouched:
        tally = tally.source
    return tally.updates


def version_of(parameter: Tensor) -> int:
    """Give torch's count of writes in place."""
    return parameter._version  # noqa: SLF001


def norm_of(parameter: Tensor) -> Tensor:
    """Sum up a parameter's values, without waiting for the device."""
    norm: Tensor = torch.linalg.vector_norm(parameter.detach().abs().double())
    return norm


def same_norm(norm: float, other: float) -> bool:
    """Tell whether two norms are of the same values, in whatever order these were added up."""
    return math.isclose(norm, other, rel_tol=1e-12) or (math.isnan(norm) and math.isnan(other))
