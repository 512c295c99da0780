"""One check of a contract: a plain function of a plugin's class that raises if it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchbase.api import Need

Run = Callable[..., None]


@dataclass(frozen=True)
class Check:
    """One check; call it with a class, and a data set's with the folders of its files as well."""

    run: Run
    need: Need | None = None
    """Only weighters with this need have to pass it."""
    first: bool = False
    """Whether the checks behind it say nothing new where it fails."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.run.__name__

    @property
    def title(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ")

    def __call__(self, plugin: type[Any], *given: Any) -> None:
        """Run the check on the class with its default options."""
        self.run(plugin, *given)


def enter(
    checks: list[Check], need: Need | None = None, *, first: bool = False
) -> Callable[[Run], Run]:
    """Make a decorator that enters a function among ``checks``."""

    def entered(run: Run) -> Run:
        checks.append(Check(run, need, first))
        return run

    return entered
