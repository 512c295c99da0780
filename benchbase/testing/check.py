"""One check of the contract: a plain function of a weighter class that raises if it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchbase.api import Need, Weighter

Run = Callable[[type[Weighter]], None]


@dataclass(frozen=True)
class Check:
    """One check; call it with a weighter class."""

    run: Run
    need: Need | None
    """Only weighters with this need have to pass it."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.run.__name__

    @property
    def title(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ")

    def __call__(self, weighter: type[Weighter]) -> None:
        """Run the check on the class with its default options."""
        self.run(weighter)


def enter(checks: list[Check], need: Need | None = None) -> Callable[[Run], Run]:
    """Make a decorator that enters a function among ``checks``."""

    def entered(run: Run) -> Run:
        checks.append(Check(run, need))
        return run

    return entered
