"""The board of an advice: a data set as it is, with injected noise, and with right labels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from benchbase.advising.injected import Injected
from benchbase.boards.order import Order
from benchbase.boards.plan import Condition
from benchbase.boards.request import Request, read_request
from benchbase.boards.selectors import Selector
from benchbase.cell import Recipe, Scenario
from benchbase.data.cache import Prepared
from benchbase.data.corruption import NOISY_TRUSTED
from benchbase.data.split import split
from benchbase.plugins import Catalogue, Entry
from benchbase.suspects.searching import HARMLESS

LEAST_STEPS = 1000
"""Of a training that is compared: in fewer, weights that are learned hardly move."""
LEAST_EPOCHS, MOST_EPOCHS = 10, 40
"""Each epoch's end is judged, which takes time, and the schedule falls by epochs."""
SEEDS = 5
GIVEN, INJECTED, RIGHT = "as given", "injected noise", "right labels"


def recipe_of(recipe: Recipe, images: int) -> Recipe:
    """Give a recipe that is long enough for so many training images."""
    steps = dataclasses.replace(recipe, steps_per_epoch=None).steps_of_an_epoch(images)
    epochs = max(LEAST_EPOCHS, math.ceil(LEAST_STEPS / steps))
    if epochs <= MOST_EPOCHS:
        return dataclasses.replace(recipe, epochs=epochs, steps_per_epoch=None)
    steps = math.ceil(LEAST_STEPS / MOST_EPOCHS)
    return dataclasses.replace(recipe, epochs=MOST_EPOCHS, steps_per_epoch=steps)


def training_images(prepared: Prepared, place: Condition) -> int:
    """Count the images that a cell trains on, or a few less."""
    drawn = split(prepared.parts, place.scenario, place.parts["imbalance"], place.seed)
    return max(1, len(drawn.train) - NOISY_TRUSTED * len(prepared.parts.classes))


def scenarios_of(given: Scenario, injected: Injected | None) -> dict[str, Scenario]:
    """Give what methods are compared in, by what it shows; without an estimate, as given alone."""
    if injected is None:
        return {GIVEN: given}
    noisy = dataclasses.replace(
        given,
        dataset="npz",
        dataset_options=injected.dataset_options,
        noise="matrix",
        noise_options={"file": injected.noise_file},
    )
    right = dataclasses.replace(noisy, noise="none", noise_options={})
    return {GIVEN: given, INJECTED: noisy, RIGHT: right}


def usable(entries: Sequence[Entry], granted: frozenset[str]) -> list[Entry]:
    """Choose the methods that need no more than is granted, those that need least first."""
    found = [
        entry
        for entry in entries
        if (HARMLESS | granted).issuperset(entry.needs) and not entry.is_control
    ]
    return sorted(found, key=lambda entry: (len(entry.needs), entry.name))


def request_of(
    order: Order, catalogue: Catalogue, recipe: Recipe, injected: Injected | None
) -> tuple[Request, dict[str, Scenario]]:
    """Read the order's data set and make the board: all usable methods beside the reference."""
    request = read_request(order, catalogue)
    [first, *_] = request.board.scenarios
    scenarios = scenarios_of(dataclasses.replace(first, recipe=recipe), injected)
    granted = frozenset({"trusted"}) if first.track == "TV" else frozenset[str]()
    methods = [Selector(entry.name) for entry in usable(catalogue.of("weighters"), granted)]
    board = dataclasses.replace(
        request.board,
        title=f"{first.data}: which method to use",
        scenarios=tuple(scenarios.values()),
        seeds=tuple(range(SEEDS)),
        weighters=tuple(methods),
        controls=(),
        yardsticks={},
        description="",
    )
    return dataclasses.replace(request, board=board, folder=None), scenarios
