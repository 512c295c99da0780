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

from benchbase.api import Batch, Step
from benchbase.kit.tangent import directional_losses


def hypergradient(
    step: Step, weights: Float[Tensor, " batch"], trusted: Batch, *, normalised: bool = False
) -> Float[Tensor, " batch"]:
    """Give dM/dweights: how the trusted loss after a virtual step depends on the weights.

    The virtual step is plain SGD at ``step.lr`` on ``(weights * losses).mean()``, or with
    ``normalised`` on ``(weights / weights.sum() * losses).sum()``, whose derivative includes the
    sum's (it must not be zero). It shares ``step``'s forward pass, whose graph is kept for the
    real step; the result is detached. The trusted batch is normalised by its own batch
    statistics, and nothing of the model changes.
    """
    weights = weights.detach()
    scale = step.lr / (weights.sum() if normalised else len(weights))
    direction = _trusted_gradient(step, weights * scale, trusted)
    slopes = directional_losses(step, direction)
    if normalised:
        slopes = slopes - (weights * slopes).sum() / weights.sum()
    return -scale * slopes


def _trusted_gradient(
    step: Step, pulls: Float[Tensor, " batch"], trusted: Batch
) -> dict[str, Tensor]:
    """Give the gradient of the trusted loss after the step ``-grad (pulls * losses).sum()``."""
    parameters = {
        name: value for name, value in step.model.named_parameters() if value.requires_grad
    }
    moves = list(
        torch.autograd.grad(
            step.losses,
            list(parameters.values()),
            grad_outputs=pulls,
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
