"""How similar each row of a batch is to the rows of its own class and of the others."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from benchbase.kit.memory import ClassMeans


def similarities(
    rows: Float[Tensor, "batch width"],
    labels: Int[Tensor, " batch"],
    means: Float[Tensor, "classes width"],
    pseudo_counts: Float[Tensor, " classes"],
) -> tuple[Float[Tensor, "batch classes"], Float[Tensor, "batch classes"]]:
    """Add up each row's similarities to the other rows of each class; give sums and counts.

    A similarity is an inner product. A class's remembered mean counts as ``pseudo_counts`` more
    rows of it, so that the quotient is a mean over the batch and the memory.
    """
    own = F.one_hot(labels, len(means)).to(rows)
    totals = own.T @ rows + pseudo_counts.unsqueeze(1) * means
    sums = rows @ totals.T - own * rows.square().sum(1, keepdim=True)
    return sums, own.sum(0) - own + pseudo_counts


def correlations(
    rows: Float[Tensor, "batch width"],
    labels: Int[Tensor, " batch"],
    means: Float[Tensor, "classes width"],
    pseudo_counts: Float[Tensor, " classes"],
    other: str = "nearest",
) -> tuple[Float[Tensor, "batch 2"], Bool[Tensor, "batch 2"]]:
    """Give each row's intra- and inter-class correlation, and which of them are known.

    The first is its mean similarity to its own class, the second to the nearest other class or,
    with ``pooled``, to all others. One is unknown, and its value arbitrary, where there is
    nothing to compare with.
    """
    sums, counts = similarities(rows, labels, means, pseudo_counts)
    known = counts > 0
    others = known.scatter(1, labels.unsqueeze(1), False)
    means_of_classes = sums / counts
    intra = means_of_classes.gather(1, labels.unsqueeze(1)).squeeze(1)
    if other == "nearest":
        inter = means_of_classes.masked_fill(~others, -torch.inf).amax(1)
    else:
        inter = (sums * others).sum(1) / (counts * others).sum(1)
    is_known = known.gather(1, labels.unsqueeze(1)).squeeze(1), others.any(1)
    return torch.stack((intra, inter), 1), torch.stack(is_known, 1)


def fill_in(columns: int, device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
    """Give what puts a column's running mean, with this batch's, in place of what is unknown."""
    # A column is a class of the memory; the one more takes what is unknown.
    means = ClassMeans(columns + 1, 1, device)
    names = torch.arange(columns, device=device)

    def fill(
        values: Float[Tensor, "batch columns"], known: Bool[Tensor, "batch columns"]
    ) -> Float[Tensor, "batch columns"]:
        values = torch.where(known, values, 0.0)
        means.update(values.reshape(-1, 1), torch.where(known, names, columns).flatten())
        return torch.where(known, values, means.means[:-1, 0])

    return fill
