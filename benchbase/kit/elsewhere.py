"""A model's losses under other parameters, without a trace left on the model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from benchbase.api import Batch, Classifier, Meter


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
        self._device = batch.images.device
        self._state = _random_state(self._device)

    def losses_at(self, parameters: Mapping[str, Tensor]) -> Float[Tensor, " batch"]:
        """Give the losses of the step's batch, with the dropout masks of its forward pass."""
        with _random_streams_kept(self._device):
            _set_random_state(self._device, self._state)
            logits = self._logits(parameters, self._batch)
        return F.cross_entropy(logits, self._batch.labels, reduction="none")

    def trusted_loss_at(self, parameters: Mapping[str, Tensor], batch: Batch) -> Float[Tensor, ""]:
        """Give the mean loss of another batch."""
        with _random_streams_kept(self._device):
            logits = self._logits(parameters, batch)
        return F.cross_entropy(logits, batch.labels)

    def _logits(self, parameters: Mapping[str, Tensor], batch: Batch) -> Tensor:
        self._meter.add(forwarded=len(batch.labels))
        # Running statistics are updated on copies, which are then forgotten.
        buffers = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        logits: Tensor = functional_call(self._model, (dict(parameters), buffers), batch.images)
        return logits


@contextlib.contextmanager
def _random_streams_kept(device: torch.device) -> Iterator[None]:
    state = _random_state(device)
    try:
        yield
    finally:
        _set_random_state(device, state)


def _random_state(device: torch.device) -> tuple[Tensor, ...]:
    """Give the state of torch's global generators: the CPU's, and the GPU's where it is used."""
    if device.type == "cuda":
        return torch.get_rng_state(), torch.cuda.get_rng_state(device)
    return (torch.get_rng_state(),)


def _set_random_state(device: torch.device, state: tuple[Tensor, ...]) -> None:
    torch.set_rng_state(state[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[1], device)
