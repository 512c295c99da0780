"""A memory of each class: the moving average of its vectors; vectors brought to norm one."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def unit(rows: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
    """Scale rows to norm one; without a norm (all zero, or not finite) they are zero vectors."""
    norms = rows.norm(dim=1, keepdim=True)
    return torch.where((norms > 1e-8) & norms.isfinite(), rows / norms, 0.0)


class ClassMeans:
    """Exponential moving averages of class means; a class enters with its first mean."""

    def __init__(
        self, num_classes: int, width: int, device: torch.device, decay: float = 0.9
    ) -> None:
        self.means: Float[Tensor, "classes width"] = torch.zeros(num_classes, width, device=device)
        self.seen = torch.zeros(num_classes, dtype=torch.bool, device=device)
        self._decay = decay

    @torch.no_grad()
    def update(self, vectors: Float[Tensor, "batch width"], labels: Int[Tensor, " batch"]) -> None:
        """Take in a batch; classes without an image in it stay as they are."""
        # Sums by a product: exact order and no wait on a GPU, unlike bincount and index_add.
        own = F.one_hot(labels, len(self.means)).to(self.means)
        counts = own.sum(0).unsqueeze(1)
        present = counts > 0
        batch_means = (own.T @ vectors.detach().to(self.means)) / counts.clamp_min(1)
        kept = torch.where(self.seen.unsqueeze(1), self._decay, 0.0)
        averages = kept * self.means + (1 - kept) * batch_means
        self.means = torch.where(present, averages, self.means)
        self.seen = self.seen | present.squeeze(1)
