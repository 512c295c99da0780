"""A model's outputs under other parameters, without a trace left on the model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from benchbase.api import Batch, Classifier, Meter
from benchbase.kit import devices


class Elsewhere:
    """What ``Step.losses_at`` and ``Step.trusted_loss_at`` do; made before a forward pass.

    Making it costs a copy of the state of the random generator, so that only a weighter that
    asks pays more. Batch norm in train mode takes the statistics of the batch at hand, also of a
    trusted batch (as the official code of MW-Net does); in eval mode it takes its buffers. The
    model's parameters, buffers, ``.grad``, mode and the random streams stay as they are.
    """

    def __init__(self, model: Classifier, batch: Batch, meter: Meter) -> None:
        self._model = model
        self._batch = batch
        self._meter = meter
        self._streams = RandomStreams(batch.images.device)

    def losses_at(self, parameters: Mapping[str, Tensor]) -> Float[Tensor, " batch"]:
        """Give the losses of the step's batch, with the dropout masks of its forward pass."""
        with self._streams.replayed():
            logits = self._logits(parameters, self._batch)
        return F.cross_entropy(logits, self._batch.labels, reduction="none")

    def trusted_loss_at(self, parameters: Mapping[str, Tensor], batch: Batch) -> Float[Tensor, ""]:
        """Give the mean loss of another batch."""
        return F.cross_entropy(self._logits(parameters, batch), batch.labels)

    def _logits(self, parameters: Mapping[str, Tensor], batch: Batch) -> Tensor:
        self._meter.add(forwarded=len(batch.labels))
        logits: Tensor = call_at(self._model, parameters, batch.images)
        return logits


def call_at(model: nn.Module, parameters: Mapping[str, Tensor], images: Tensor) -> Any:
    """Call ``model`` on ``images`` as if it had ``parameters`` (name -> tensor).

    Its own parameters, its buffers and torch's random streams stay as they are.
    """
    # Running statistics are updated on copies, which are then forgotten.
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with RandomStreams(images.device).kept():
        return functional_call(model, (dict(parameters), buffers), images)


class RandomStreams:
    """The state that torch's global generators had when this was made: CPU, and GPU if used."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._state = self._read()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Run a block that leaves the generators as they are now."""
        now = self._read()
        try:
            yield
        finally:
            self._write(now)

    @contextlib.contextmanager
    def replayed(self) -> Iterator[None]:
        """Run a block from the remembered state; the generators stay as they are now."""
        with self.kept():
            self._write(self._state)
            yield

    def _read(self) -> tuple[Tensor, Tensor | None]:
        return torch.get_rng_state(), devices.random_state(self._device)

    def _write(self, state: tuple[Tensor, Tensor | None]) -> None:
        torch.set_rng_state(state[0])
        devices.put_back_random_state(self._device, state[1])
