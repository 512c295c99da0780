"""Who enters: a board's selectors become contestants, told apart into ranked and controls."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchbase.boards.board import Board
from benchbase.boards.plan import Contestant, contestants, is_named
from benchbase.boards.request import Request
from benchbase.boards.selectors import Selector
from benchbase.errors import UsageError
from benchbase.plugins import Catalogue, Entry, Source


@dataclass(frozen=True)
class Entrants:
    """The rows of the table to be."""

    ranked: tuple[Contestant, ...]
    controls: tuple[Contestant, ...]
    board: Board
    """The board with its rows named as the records will be."""

    @property
    def planned(self) -> tuple[tuple[Contestant, tuple[int, ...]], ...]:
        """Give everyone with the seeds at which they run."""
        controls = zip(self.controls, map(self.board.seeds_of, self.board.controls), strict=True)
        return (*((each, self.board.seeds) for each in self.ranked), *controls)


def selectors_of(board: Board) -> tuple[Selector, ...]:
    """Give the selectors of whoever is to be ranked, the reference first."""
    return tuple(dict.fromkeys((board.reference, *board.weighters)))


def resolve(
    request: Request, catalogue: Catalogue, plugins: Mapping[Source, tuple[Entry, ...]]
) -> Entrants:
    """Find who is meant; ``plugins`` holds what the files and modules among them bring.

    Raises:
        UsageError: somebody is not there, an option does not fit, the reference means several, or
            a control is to be ranked as well.
    """
    ranked, controls = _told_apart(request, catalogue, plugins)
    board = request.board
    reference = _one(board, "reference", board.reference, catalogue, plugins)
    yardsticks = {
        kind: _as_recorded(_one(board, f"yardstick {kind}", selector, catalogue, plugins))
        for kind, selector in board.yardsticks.items()
    }
    board = dataclasses.replace(board, yardsticks=yardsticks)
    return Entrants(ranked, controls, _with_labels(board, reference, ranked, controls))


def _told_apart(
    request: Request, catalogue: Catalogue, plugins: Mapping[Source, tuple[Entry, ...]]
) -> tuple[tuple[Contestant, ...], tuple[Contestant, ...]]:
    """Give who is to be ranked, and the controls.

    Where --plugin took the place of all, whom the board's file names as a control stays one.
    """
    entered = contestants(selectors_of(request.board), catalogue, plugins)
    if request.board.controls:
        return entered, contestants(request.board.controls, catalogue, plugins)
    controls = tuple(each for each in entered if is_named(each, request.written.controls))
    return tuple(each for each in entered if each not in controls), controls


def _one(
    board: Board,
    role: str,
    selector: Selector,
    catalogue: Catalogue,
    plugins: Mapping[Source, tuple[Entry, ...]],
) -> Contestant:
    """Give the one contestant that plays a role, which several could not."""
    found = contestants([selector], catalogue, plugins)
    if len(found) > 1:
        labels = ", ".join(contestant.spec.label for contestant in found)
        raise UsageError(
            f"the {role} {selector.label!r} of the board {board.name} means {labels}: name one"
        )
    return found[0]


def _with_labels(
    board: Board,
    reference: Contestant,
    entered: Sequence[Contestant],
    controls: Sequence[Contestant],
) -> Board:
    """Name the rows as the records will: a file's path becomes its weighters' names.

    Raises:
        UsageError: one of the controls is to be ranked as well.
    """
    ranked, of_controls = (tuple(map(_as_recorded, each)) for each in (entered, controls))
    for control in of_controls:
        if control in ranked:
            raise UsageError(
                f"{control.label!r} is a control of the board {board.name} and one of its "
                "weighters: name it in one place only"
            )
    return dataclasses.replace(
        board, weighters=ranked, controls=of_controls, reference=_as_recorded(reference)
    )


def _as_recorded(contestant: Contestant) -> Selector:
    return Selector(contestant.spec.name, tuple(sorted(contestant.spec.options.items())))
