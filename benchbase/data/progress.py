"""How far a long preparation is, for whoever wants to hear it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Hear = Callable[[str, int, int], None]
"""Takes what is done, how many are done, and of how many."""


def _nobody(what: str, done: int, total: int) -> None:
    """Hear nothing."""


_hearer: ContextVar[Hear] = ContextVar("hearer", default=_nobody)


@contextmanager
def heard_by(hear: Hear) -> Iterator[None]:
    """Let ``hear`` know of what is prepared meanwhile, in this thread."""
    token = _hearer.set(hear)
    try:
        yield
    finally:
        _hearer.reset(token)


def tell(what: str, done: int, total: int) -> None:
    """Say how far something is; the first time nothing of it is done, the last time all."""
    _hearer.get()(what, done, total)
