"""What the parent gives to its children, no truth in it, and what they make of it.

The trainer is given training images with their observed labels and what the weighter's needs
grant. The predictor is given validation and test images in a secret order, without labels.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchbase.cell import Scenario
from benchbase.data.contract import Labels
from benchbase.data.maps import ImageMap
from benchbase.errors import no_fault_of_the_method
from benchbase.kit import devices
from benchbase.running.messages import Asked, Given, Shape
from benchbase.seeding import stream_seed

if TYPE_CHECKING:
    import torch

    from benchbase.api import Backbone, Need, Task
    from benchbase.data.opening import Opened


LARGEST_SHARE = 0.5
"""Of a device's free memory that images may take; more of them stay on the host."""


@dataclass(frozen=True)
class Gift:
    """What a trainer is given."""

    message: Given
    labels: Mapping[str, Labels]
    """Of each role; true ones as ``truth``."""
    maps: tuple[ImageMap, ...]
    """Of the message's roles, in its order."""
    granted: Mapping[str, str]
    """What was granted for each declared need."""

    @property
    def packed_labels(self) -> bytes:
        """The labels as npz."""
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **self.labels)
        return content.getvalue()


def give(opened: Opened, scenario: Scenario, seed: int, needs: frozenset[str]) -> Gift:
    """Gather what a method with these needs is given."""
    labels = {"train": opened.train.labels}
    granted: dict[str, str] = {}
    label_budget, noise_rate = 0, None
    if "trusted" in needs:
        labels["trusted"] = opened.trusted.labels
        granted["trusted"] = opened.trusted_labels
    if "unlabelled" in needs:
        labels["unlabelled"] = opened.train.labels[:0]
        if opened.unlabelled is not None and opened.unlabelled_true is not None:
            knows = "truth" in needs
            labels["unlabelled"] = opened.unlabelled_true if knows else opened.unlabelled.labels
        granted["unlabelled"] = "images" if len(labels["unlabelled"]) else "empty"
    roles = {role: opened.maps[role] for role in labels}
    if "oracle" in needs:
        label_budget = scenario.label_budget or 0
        granted["oracle"] = f"{label_budget} labels"
    if "noise rate" in needs:
        noise_rate = opened.noise_rate
        granted["noise rate"] = "unknown" if noise_rate is None else "realised rate"
    if "truth" in needs:
        labels["truth"] = opened.train_true
        granted["truth"] = "all labels"
    if "own network" in needs:
        granted["own network"] = "declared"
    message = Given(
        images={role: images.pixels.shape for role, images in roles.items()},
        classes=[*opened.classes],
        invariances=opened.invariances,
        mean=[*opened.mean],
        std=[*opened.std],
        recipe=scenario.recipe,
        withheld=0 if opened.unlabelled is None else len(opened.unlabelled),
        seed=stream_seed(seed, "trainer"),
        label_budget=label_budget,
        noise_rate=noise_rate,
    )
    return Gift(message, labels, tuple(roles.values()), granted)


def pose(opened: Opened) -> tuple[Asked, ImageMap]:
    """Gather what the predictor is given."""
    judged = opened.maps["judged"]
    return Asked(images=judged.pixels.shape, mean=[*opened.mean], std=[*opened.std]), judged


def read_images(descriptor: int, shape: Shape) -> torch.Tensor:
    """Give the images of a map, and close its descriptor.

    They stay where they are; of what is written to them, this process alone gets a copy.
    """
    import torch

    try:
        if not math.prod(shape):
            return torch.empty(shape, dtype=torch.uint8)
        path = f"/dev/fd/{descriptor}"
        return torch.from_file(path, size=math.prod(shape), dtype=torch.uint8).view(shape)
    finally:
        os.close(descriptor)


def fit(device: torch.device, *pixels: torch.Tensor) -> bool:
    """Tell whether images leave a device's memory room for training; on a CPU, they stay."""
    return sum(each.nbytes for each in pixels) <= devices.free_memory(device) * LARGEST_SHARE


def unpack_labels(packed: bytes) -> dict[str, Labels]:
    """Read what ``Gift.packed_labels`` gives."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as content:
        return dict(content)


def make_task(
    given: Given,
    labels: Mapping[str, Labels],
    pixels: Mapping[str, torch.Tensor],
    *,
    backbone: Backbone,
    needs: frozenset[Need],
    device: torch.device,
    ask: Callable[[list[int]], list[int]],
) -> Task:
    """Make the task of what was given; ``ask`` buys true labels from the parent."""
    import torch

    from benchbase.api import Grants, Images, ImageShape, Need, Oracle, Task
    from benchbase.backbones.building import build_network
    from benchbase.data.augment import make_augment, make_normalise
    from benchbase.data.strong_augment import make_strong_augment
    from benchbase.seeding import seeded

    def images(role: str) -> Images:
        known = torch.from_numpy(labels[role]).to(device)
        place = device if fits else torch.device("cpu")
        rows = torch.arange(len(known), device=place)
        return Images(pixels[role].to(place), known, rows)

    fits = fit(device, *pixels.values())
    train = images("train")
    shape = ImageShape(*train.pixels.shape[1:])
    num_classes = len(given.classes)
    built = 0

    def build_model() -> Any:
        nonlocal built
        with no_fault_of_the_method(), seeded(given.seed, "initialisation", str(built)):
            model = build_network(backbone, shape, num_classes)
        built += 1
        return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    return Task(
        train=train,
        num_classes=num_classes,
        class_names=tuple(given.classes),
        recipe=given.recipe,
        device=device,
        build_model=build_model,
        augment=make_augment(given.invariances, given.recipe.shift),
        augment_strongly=make_strong_augment(given.invariances),
        normalise=make_normalise(given.mean, given.std, device),
        seed=given.seed,
        withheld=given.withheld,
        needs=needs,
        grants=Grants(
            trusted=images("trusted") if Need.TRUSTED in needs else None,
            unlabelled=images("unlabelled") if Need.UNLABELLED in needs else None,
            oracle=Oracle(ask, given.label_budget, len(train)) if Need.ORACLE in needs else None,
            noise_rate=given.noise_rate,
            truth=torch.from_numpy(labels["truth"]).to(device) if Need.TRUTH in needs else None,
        ),
    )
