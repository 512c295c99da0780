"""Named random streams: the only file that may seed anything.

Every random decision has a name ("split", "noise", "initialisation", "order"), and each name has a
stream of its own, derived from the seed by SHA-256. Two weighters at one seed therefore see the
same decisions, and one more draw in one place moves nothing elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int | str, *names: str) -> int:
    """Derive the 63-bit seed of the stream called ``names`` under ``seed``."""
    text = "|".join((str(seed), *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_stream(seed: int | str, *names: str) -> np.random.Generator:
    """Open the named stream as a NumPy generator (data-side decisions)."""
    return np.random.Generator(np.random.PCG64(stream_seed(seed, *names)))


def torch_stream(seed: int | str, *names: str) -> torch.Generator:
    """Open the named stream as a CPU torch generator, so that all devices draw alike."""
    import torch

    return torch.Generator().manual_seed(stream_seed(seed, *names))


def seed_everything(seed: int | str, *names: str) -> None:
    """Seed the global generators of a fresh process from the named stream."""
    import torch

    value = stream_seed(seed, *names)
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)


def global_streams() -> tuple[Any, ...]:
    """Give the states of a process's global generators, those of the CPU."""
    import torch

    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def put_back_global_streams(states: tuple[Any, ...]) -> None:
    """Put the global generators where ``global_streams`` found them."""
    import torch

    plain, numpy, on_cpu = states
    random.setstate(plain)
    np.random.set_state(numpy)
    torch.set_rng_state(on_cpu)


@contextlib.contextmanager
def seeded(seed: int | str, *names: str) -> Iterator[None]:
    """Run a block under the named stream and put torch's global generators back afterwards."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(stream_seed(seed, *names))
        yield
