"""Networks that judge labels: out of fold, while they train, and by the weights of a method."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from benchbase.api import Grants, Images, ImageShape, Need, Recipe, Step, Task, Weighter
from benchbase.backbones.building import build_network
from benchbase.cell import Invariances
from benchbase.data.augment import make_augment, make_normalise
from benchbase.data.contract import Labels
from benchbase.data.maps import ImageMap
from benchbase.data.opening import channel_statistics
from benchbase.data.strong_augment import make_strong_augment
from benchbase.errors import blamed_on
from benchbase.kit import devices
from benchbase.kit.loops import predict, supervised
from benchbase.options import construct
from benchbase.plugins import Entry
from benchbase.running.given import fit, read_images
from benchbase.seeding import seed_everything, seeded, stream_seed

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class School:
    """What networks are trained on, and how; the labels are said each time."""

    images: ImageMap
    classes: tuple[str, ...]
    invariances: Invariances
    backbone: Entry
    backbone_options: Mapping[str, Any]
    recipe: Recipe
    deadline: float
    """By ``time.time``: a training that an epoch's end finds beyond it gives None."""
    device: str = "cpu"

    @property
    def snapshots(self) -> int:
        """Epochs after which a network is asked out of fold: those of the second half."""
        return self.recipe.epochs - self.recipe.epochs // 2

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.time() > self.deadline

    def task(
        self,
        labels: Labels,
        rows: Labels,
        *,
        needs: frozenset[Need] = frozenset(),
        noise_rate: float | None = None,
    ) -> Task:
        """Make a task of some rows; the same arguments give the same one."""
        device = devices.prepare(self.device)
        pixels = read_images(os.dup(self.images.descriptor), self.images.pixels.shape)
        place = device if fit(device, pixels) else torch.device("cpu")
        seed = stream_seed(0, "suspects")
        seed_everything(seed, "global")
        backbone = construct(self.backbone.load(), self.backbone_options)
        shape, built = ImageShape(*pixels.shape[1:]), 0
        mean, std = channel_statistics(self.images.pixels, rows)

        def build_model() -> Any:
            nonlocal built
            with seeded(seed, "initialisation", str(built)):
                model = build_network(backbone, shape, len(self.classes))
            built += 1
            return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

        return Task(
            train=_images(pixels.to(place), labels, rows, device),
            num_classes=len(self.classes),
            class_names=self.classes,
            recipe=self.recipe,
            device=device,
            build_model=build_model,
            augment=make_augment(self.invariances, self.recipe.shift),
            augment_strongly=make_strong_augment(self.invariances),
            normalise=make_normalise(mean, std, device),
            seed=seed,
            needs=needs,
            grants=Grants(noise_rate=noise_rate),
        )


def predict_held(school: School, labels: Labels, train: Labels, held: Labels) -> Scores | None:
    """Train on some rows; give the probabilities of others, shape (snapshots, held, classes)."""
    task = school.task(labels, train)
    model = task.build_model()
    asked = _images(task.train.pixels, labels, held, task.device)
    found = []
    for epoch, _ in enumerate(supervised(task, model, _uniform)):
        if school.is_late:
            return None
        if epoch >= task.recipe.epochs - school.snapshots:
            found.append(predict(task, model, asked)[1].softmax(1).double().cpu().numpy())
    return np.stack(found)


@dataclass(frozen=True)
class Watched:
    """What was seen of each image while a network trained on all of them."""

    loss: Scores
    """Mean over the epochs."""
    variance: Scores
    """Of the gradient for the last layer: the mean of its coordinates' deviations over epochs."""


def watch(school: School, labels: Labels) -> Watched | None:
    """Train one network on all images and watch each of them."""
    task = school.task(labels, np.arange(len(labels)))
    model = task.build_model()
    losses = torch.zeros(len(labels), device=task.device)
    seen = torch.zeros(len(labels), 1, device=task.device)
    sums: list[Tensor] = []

    def look(step: Step) -> Tensor:
        rows = step.batch.rows
        # The gradient for the last layer's row of the given class: (p - 1) times its input.
        miss = -torch.expm1(-step.losses.detach())
        gradients = -miss.unsqueeze(1) * F.pad(step.features.detach(), (1, 0), value=1.0)
        if not sums:
            shape = (len(labels), gradients.shape[1])
            sums.extend(torch.zeros(shape, device=task.device) for _ in range(2))
        losses[rows] += step.losses.detach()
        seen[rows] += 1
        for total, value in zip(sums, (gradients, gradients.square()), strict=True):
            total[rows] += value
        return _uniform(step)

    for _ in supervised(task, model, look):
        if school.is_late:
            return None
    often = seen.clamp_min(1)
    # In place: these are the largest of what a worker keeps, a row for each image.
    first, second = (total.div_(often) for total in sums)
    deviations = second.sub_(first.square_()).clamp_min_(0).sqrt_().mean(1)
    return Watched(
        (losses / often.squeeze(1)).double().cpu().numpy(), deviations.double().cpu().numpy()
    )


def weigh(school: School, labels: Labels, entry: Entry, noise_rate: float) -> Scores | None:
    """Train a method; give each image's mean weight over the second half, NaN where it has none."""
    weighter: Weighter = construct(entry.load(), {})
    task = school.task(
        labels, np.arange(len(labels)), needs=type(weighter).needs, noise_rate=noise_rate
    )
    found = []
    with blamed_on("weighter", weighter):
        for checkpoint in weighter.fit(task):
            if school.is_late:
                return None
            if checkpoint.weights is not None:
                found.append(checkpoint.weights.detach().double().cpu().numpy())
    if not found:
        return np.full(len(labels), np.nan)
    late = np.stack(found[len(found) // 2 :])
    counted = np.isfinite(late)
    sums = np.where(counted, late, 0).sum(0)
    return np.where(counted.any(0), sums / np.maximum(1, counted.sum(0)), np.nan)


def _uniform(step: Step) -> Tensor:
    return torch.ones_like(step.losses)


def _images(pixels: Tensor, labels: Labels, rows: Labels, device: torch.device) -> Images:
    """Give a view of some rows."""
    given = torch.from_numpy(labels[rows]).to(device)
    return Images(pixels, given, torch.from_numpy(rows).to(pixels.device))
