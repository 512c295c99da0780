"""Which images' labels to buy next: acquisition strategies of active learning."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from benchbase.api import Classifier, Images, Task
from benchbase.kit.loops import load_batch, predict

STRATEGIES = ("random", "entropy", "least-confidence", "margin", "bald", "coreset")
PASSES = 10
"""Augmented passes of ``bald``."""
CHUNK = 250
"""Images that are looked at together."""


def entropy(probabilities: Float[Tensor, "*batch classes"]) -> Float[Tensor, "*batch"]:
    """Give the entropy in nats; zero probabilities count nothing."""
    summed: Tensor = torch.special.entr(probabilities).sum(-1)
    return summed


def doubt(probabilities: Float[Tensor, "count classes"]) -> Float[Tensor, " count"]:
    """Give one minus the largest probability."""
    return 1 - probabilities.amax(1)


def closeness(probabilities: Float[Tensor, "count classes"]) -> Float[Tensor, " count"]:
    """Give the negative margin between the two largest probabilities."""
    top = probabilities.topk(2, dim=1).values
    return top[:, 1] - top[:, 0]


def mutual_information(passes: Float[Tensor, "passes count classes"]) -> Float[Tensor, " count"]:
    """Give the entropy of the mean prediction minus the mean entropy: how much passes disagree."""
    return (entropy(passes.mean(0)) - entropy(passes).mean(0)).clamp_min(0)


OF_ONE_PASS: dict[str, Callable[[Tensor], Tensor]] = {
    "entropy": entropy,
    "least-confidence": doubt,
    "margin": closeness,
}


def acquire(
    task: Task,
    network: Classifier,
    cleaned: Bool[Tensor, " rows"],
    count: int,
    *,
    strategy: str,
    purpose: str,
) -> Int[Tensor, " bought"]:
    """Choose up to ``count`` training rows that are not yet ``cleaned``.

    Images are scored in eval mode and, but for ``bald``, as they are. ``purpose`` names the
    stream of what is drawn.
    """
    pool = (~cleaned).nonzero().squeeze(1)
    count = min(count, len(pool))
    if count == 0:
        return pool[:0]
    if strategy == "coreset":
        features, _ = predict(task, network, task.train)
        return farthest_first(features, cleaned, count)
    if strategy == "random":
        scores = torch.rand(len(pool), generator=task.rng(purpose)).to(pool.device)
    elif strategy == "bald":
        scores = mutual_information(augmented_predictions(task, network, pool, purpose))
    else:
        _, logits = predict(task, network, task.train.subset(pool))
        scores = OF_ONE_PASS[strategy](logits.softmax(1))
    return pool[scores.topk(count).indices]


@torch.no_grad()
def augmented_predictions(
    task: Task, network: Classifier, pool: Int[Tensor, " count"], purpose: str
) -> Float[Tensor, "passes count classes"]:
    """Give the probabilities of ``PASSES`` augmentations of each image, in eval mode."""
    network.eval()
    stream = task.rng(purpose)
    images: Images = task.train.subset(pool)
    places = torch.arange(len(pool), device=pool.device).split(CHUNK)
    passes = [
        torch.cat([network(load_batch(task, images, some, stream).images) for some in places])
        for _ in range(PASSES)
    ]
    task.meter.add(forwarded=PASSES * len(pool))
    return torch.stack(passes).softmax(2)


def farthest_first(
    features: Float[Tensor, "rows width"], covered: Bool[Tensor, " rows"], count: int
) -> Int[Tensor, " count"]:
    """Choose rows one by one, each the farthest from all that are covered or chosen (k-centre)."""
    if covered.any():
        centres = features[covered]
        distances = torch.cat(
            [torch.cdist(some, centres).amin(1) for some in features.split(CHUNK)]
        )
        distances[covered] = -1
    else:
        distances = features.new_full((len(features),), math.inf)
    chosen = []
    for _ in range(count):
        farthest = distances.argmax()
        chosen.append(farthest)
        distances = distances.minimum((features - features[farthest]).norm(dim=1))
        distances[farthest] = -1  # also where another image has the same features
    return torch.stack(chosen)
