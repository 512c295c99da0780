"""The exact bilevel gradient of sample weights, by one tangent pass instead of double backward.

One virtual step of plain SGD with the weights ``v`` leads from the parameters ``w`` to
``w - lr * grad_w (1/n) sum_i v_i l_i(w)``, where the trusted loss ``M`` has the gradient ``g``.
Since the virtual step is affine in ``v``, the chain rule gives without second-order graph

    dM/dv_i = -(lr / n) * G_i,    G_i = <g, grad_w l_i(w)>,

and ``G`` is one Jacobian-vector product: the tangent of the vector of losses in direction ``g``.
It is also right with batch norm in train mode, which couples the losses of a batch.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from benchbase.api import Batch
from benchbase.kit.lookahead import Lookahead
from benchbase.kit.tangent import directional_losses

LEAST_SUM = 1e-8
"""Weights that add up to less are divided by this when they are normalised."""


def hypergradient(
    step: Lookahead,
    weights: Float[Tensor, " batch"],
    trusted: Batch,
    *,
    normalised: bool = False,
    beside: Float[Tensor, ""] | None = None,
) -> Float[Tensor, " batch"]:
    """Give dM/dweights: how the trusted loss after a virtual step depends on the weights.

    The virtual step is plain SGD at ``step.lr`` on ``(weights * losses).mean()``, or with
    ``normalised`` on ``(weights / weights.sum() * losses).sum()``, whose derivative includes the
    sum's; ``beside`` is a loss without weights that is added to it (its images are the caller's to
    count). It shares ``step``'s forward
    pass, whose graph is kept for the real step; the result is detached. The trusted batch is
    normalised by its own batch statistics, and nothing of the model changes.
    """
    weights = weights.detach()
    total = weights.sum().clamp_min(LEAST_SUM) if normalised else len(weights)
    scale = step.lr / total
    direction = _trusted_gradient(step, weights * scale, trusted, beside)
    slopes = directional_losses(step, direction)
    if normalised:
        slopes = slopes - (weights * slopes).sum() / total
    return -scale * slopes


def _trusted_gradient(
    step: Lookahead, pulls: Float[Tensor, " batch"], trusted: Batch, beside: Tensor | None
) -> dict[str, Tensor]:
    """Give the gradient of the trusted loss after a step on ``(pulls * losses).sum()``.

    ``pulls`` hold the learning rate; ``beside`` is multiplied by it here.
    """
    parameters = {
        name: value for name, value in step.model.named_parameters() if value.requires_grad
    }
    outputs, gradients = [step.losses], [pulls]
    if beside is not None:
        outputs.append(beside)
        gradients.append(torch.full_like(beside, step.lr))
    moves = list(
        torch.autograd.grad(
            outputs,
            list(parameters.values()),
            grad_outputs=gradients,
            retain_graph=True,
            materialize_grads=True,
        )
    )
    step.meter.add(backpropagated=len(step.losses))
    virtual: dict[str, Tensor] = {}
    for name in reversed(parameters):
        # Popped, so that moves and virtual parameters never fill memory twice over.
        virtual[name] = (parameters[name].detach() - moves.pop()).requires_grad_()
    with torch.enable_grad():
        loss = step.trusted_loss_at(virtual, trusted)
    gradient = torch.autograd.grad(loss, list(virtual.values()), materialize_grads=True)
    step.meter.add(backpropagated=len(trusted.labels))
    return dict(zip(virtual, gradient, strict=True))
