"""A stand-in for a system call that fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NoReturn


def failing(number: int) -> Callable[..., NoReturn]:
    """Give a function that raises the OSError of that number."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail
