"""From an order to what is searched: the images with their labels, and what networks train by."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbase.boards.order import Order
from benchbase.boards.plan import Condition, conditions
from benchbase.boards.request import read_request
from benchbase.data import cache
from benchbase.data.contract import DataSet
from benchbase.data.own.description import describe
from benchbase.data.own.images import OwnImages
from benchbase.plugins import Entry
from benchbase.records.home import Home
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.local import LocalExecutor
from benchbase.running.scouting import find_gpus, read_catalogue
from benchbase.running.workers import choose_devices
from benchbase.suspects.labelled import Labelled, all_images
from benchbase.suspects.training import School


@dataclass(frozen=True)
class Room:
    """All that a search needs."""

    name: str
    """What the data set is called."""
    dataset: DataSet
    images: Labelled
    school: School
    methods: tuple[Entry, ...]
    """The installed methods."""
    workers: int
    folder: Path
    """Where what is found is written."""
    place: Condition
    """The data set as a cell would open it."""
    told: str
    """What was read of images of one's own."""


def prepare(order: Order, deadline: float) -> Room:
    """Read the data set that an order names, and the plugins.

    Raises:
        UsageError: a name or an option means nothing.
        DataError: the data cannot be read.
    """
    home = Home.at(order.home)
    server = ForkServer()
    try:
        catalogue = read_catalogue(server, home)
        request = read_request(order, catalogue)
        [place, *_] = conditions(request.board, catalogue, order.roots, home.cache)
        gpus = find_gpus(server) if order.device != "cpu" else ()
    finally:
        server.close()
    devices = choose_devices(order.device, order.jobs, gpus, LocalExecutor())
    scenario, dataset = place.scenario, place.parts["dataset"]
    where = (dataset, order.roots, home.cache)
    images = _read(dataset, order.roots, home.cache)
    return Room(
        name=scenario.data,
        dataset=dataset,
        images=images,
        school=School(
            images=images.map,
            classes=images.classes,
            invariances=dataset.invariances,
            backbone=place.backbone,
            backbone_options=scenario.backbone_options,
            recipe=scenario.recipe,
            deadline=deadline,
            device=devices[0],
        ),
        methods=tuple(catalogue.of("weighters")),
        workers=len(devices),
        folder=home.suspects(request.board.name),
        place=place,
        told=describe(scenario.data, *where) if isinstance(dataset, OwnImages) else "",
    )


def _read(dataset: DataSet, roots: Sequence[Path], folder: Path) -> Labelled:
    """Read all images, also those of test that do not judge because others are verified."""
    if not isinstance(dataset, OwnImages):
        return all_images(cache.prepare(dataset, roots, folder))
    verified = dataset.verified_names()
    images = all_images(cache.prepare(dataset.without_verified(), roots, folder))
    if not verified:
        return images
    mask = np.array([name in verified for name in images.names])
    return dataclasses.replace(images, verified=mask)
