"""What the parent writes for its children and how they read it: npy and JSON, no truth in it.

The trainer's folder holds training images with their observed labels and what the weighter's
needs grant. The predictor's holds validation and test images in a secret order, without labels.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchbase.cell import Invariances, Recipe, Scenario
from benchbase.errors import no_fault_of_the_method
from benchbase.seeding import stream_seed

if TYPE_CHECKING:
    import torch

    from benchbase.api import Backbone, Need, Task
    from benchbase.data.opening import Opened


def write_task(
    folder: Path, opened: Opened, scenario: Scenario, seed: int, needs: frozenset[str]
) -> dict[str, str]:
    """Write the trainer's folder; return what was granted for each declared need."""
    arrays: dict[str, np.ndarray] = {
        "train_pixels": opened.train.pixels,
        "train_labels": opened.train.labels,
    }
    granted: dict[str, str] = {}
    facts: dict[str, Any] = {
        "classes": opened.classes,
        "invariances": vars(opened.invariances),
        "mean": opened.mean,
        "std": opened.std,
        "recipe": vars(scenario.recipe),
        "withheld": 0 if opened.unlabelled is None else len(opened.unlabelled),
        # Not the run's own seed, but no secret either (README: what is protected).
        "seed": stream_seed(seed, "trainer"),
    }
    if "trusted" in needs:
        arrays["trusted_pixels"] = opened.trusted.pixels
        arrays["trusted_labels"] = opened.trusted.labels
        granted["trusted"] = opened.trusted_labels
    if "unlabelled" in needs:
        pixels, labels = opened.train.pixels[:0], opened.train.labels[:0]
        if opened.unlabelled is not None and opened.unlabelled_true is not None:
            pixels, labels = opened.unlabelled.pixels, opened.unlabelled.labels
            if "truth" in needs:
                labels = opened.unlabelled_true
        arrays["unlabelled_pixels"], arrays["unlabelled_labels"] = pixels, labels
        granted["unlabelled"] = "images" if len(pixels) else "empty"
    if "oracle" in needs:
        facts["label_budget"] = scenario.label_budget or 0
        granted["oracle"] = f"{facts['label_budget']} labels"
    if "noise rate" in needs:
        facts["noise_rate"] = opened.noise_rate
        granted["noise rate"] = "unknown" if opened.noise_rate is None else "realised rate"
    if "truth" in needs:
        arrays["truth"] = opened.train_true
        granted["truth"] = "all labels"
    if "own network" in needs:
        granted["own network"] = "declared"
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array))
    (folder / "task.json").write_text(json.dumps(facts))
    return granted


def load_task(
    folder: Path,
    backbone: Backbone,
    needs: frozenset[Need],
    device: torch.device,
    ask: Callable[[list[int]], list[int]],
) -> Task:
    """Read the trainer's folder; ``ask`` buys true labels from the parent."""
    import torch

    from benchbase.api import Grants, Images, ImageShape, Need, Oracle, Task
    from benchbase.backbones.building import build_network
    from benchbase.data.augment import make_augment, make_normalise
    from benchbase.data.strong_augment import make_strong_augment
    from benchbase.seeding import seeded

    facts = json.loads((folder / "task.json").read_text())

    def load(name: str) -> torch.Tensor:
        return torch.from_numpy(np.load(folder / f"{name}.npy", allow_pickle=False)).to(device)

    def images(name: str) -> Images:
        pixels = load(f"{name}_pixels")
        rows = torch.arange(len(pixels), device=device)
        return Images(pixels, load(f"{name}_labels"), rows)

    train = images("train")
    shape = ImageShape(*train.pixels.shape[1:])
    num_classes = len(facts["classes"])
    built = 0

    def build_model() -> Any:
        nonlocal built
        with no_fault_of_the_method(), seeded(facts["seed"], "initialisation", str(built)):
            model = build_network(backbone, shape, num_classes)
        built += 1
        return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    recipe = Recipe(**facts["recipe"])
    invariances = Invariances(**facts["invariances"])
    return Task(
        train=train,
        num_classes=num_classes,
        class_names=tuple(facts["classes"]),
        recipe=recipe,
        device=device,
        build_model=build_model,
        augment=make_augment(invariances, recipe.shift),
        augment_strongly=make_strong_augment(invariances),
        normalise=make_normalise(facts["mean"], facts["std"], device),
        seed=facts["seed"],
        withheld=facts["withheld"],
        needs=needs,
        grants=Grants(
            trusted=images("trusted") if Need.TRUSTED in needs else None,
            unlabelled=images("unlabelled") if Need.UNLABELLED in needs else None,
            oracle=Oracle(ask, facts["label_budget"], len(train)) if Need.ORACLE in needs else None,
            noise_rate=facts.get("noise_rate"),
            truth=load("truth") if Need.TRUTH in needs else None,
        ),
    )


def write_questions(folder: Path, opened: Opened, order: np.ndarray) -> None:
    """Write the predictor's folder: validation then test images, rearranged by ``order``."""
    pixels = np.concatenate([opened.validation.pixels, opened.test.pixels])
    folder.mkdir(parents=True)
    np.save(folder / "pixels.npy", pixels[order])
    facts = {"mean": opened.mean, "std": opened.std}
    (folder / "questions.json").write_text(json.dumps(facts))
