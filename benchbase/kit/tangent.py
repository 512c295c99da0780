"""The derivative of a step's losses along a direction in parameter space."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from benchbase.kit.lookahead import Lookahead

CONVOLUTION = "ConvolutionBackward0"
BATCH_NORMS = {f"{library}BatchNormBackward0" for library in ("Native", "Cudnn", "Miopen")}
BATCH_NORM = inspect.signature(F.batch_norm)
MAX_POOL = inspect.signature(F.max_pool2d_with_indices)


@dataclass(frozen=True)
class Saved:
    """What a step's forward pass left in its graph."""

    maps: dict[int, Tensor]
    """What convolutions gave where batch norm in train mode follows, by the kernel's address."""
    statistics: dict[Hashable, tuple[Tensor, Tensor]]
    """Mean and inverse deviation of each channel of what was normalised."""


def directional_losses(step: Lookahead, direction: Mapping[str, Tensor]) -> Float[Tensor, " batch"]:
    """Give the slope of each loss of the batch along ``direction`` (parameter name -> tensor).

    Forward-mode AD computes the losses beside their tangents, for any model whose operators have
    forward derivatives. What the step's own forward pass left in its graph is not computed again
    where that pays: the maps of convolutions. (Forward mode does not know ``torch.no_grad``: write
    ``detach`` where a model is to stop gradients.) A model with another operator, as weight norm
    and spectral norm are, gets the same by double backward, at more time and memory.
    """
    _load_forward_rules()
    try:
        slopes, is_sure = _slopes(step, direction, saved_by(step.losses))
        if not is_sure:
            slopes, _ = _slopes(step, direction, Saved({}, {}))
    except NotImplementedError:  # what torch raises for an operator without forward derivative
        return _slopes_by_double_backward(step, direction)
    step.meter.add(forwarded=len(step.losses))  # the tangents; losses_at counted the losses
    return slopes


def _slopes_by_double_backward(step: Lookahead, direction: Mapping[str, Tensor]) -> Tensor:
    """Differentiate the slope of the weighted losses, which is linear in the weights, for these."""
    parameters = dict(step.model.named_parameters())
    weights = torch.ones_like(step.losses).requires_grad_()
    with torch.enable_grad():
        gradients = torch.autograd.grad(
            step.losses,
            [parameters[name] for name in direction],
            grad_outputs=weights,
            create_graph=True,
            materialize_grads=True,
        )
        pairs = zip(gradients, direction.values(), strict=True)
        slope = torch.stack([(gradient * move).sum() for gradient, move in pairs]).sum()
    (slopes,) = torch.autograd.grad(slope, weights, retain_graph=True)
    step.meter.add(backpropagated=2 * len(step.losses))
    return slopes


def _slopes(step: Lookahead, direction: Mapping[str, Tensor], saved: Saved) -> tuple[Tensor, bool]:
    parameters = dict(step.model.named_parameters())
    with torch.no_grad(), forward_ad.dual_level(), TangentRules(saved) as rules:
        duals = {
            name: forward_ad.make_dual(parameters[name].detach(), tangent)
            for name, tangent in direction.items()
        }
        slopes: Tensor | None = forward_ad.unpack_dual(step.losses_at(duals)).tangent
    if slopes is None:
        slopes = torch.zeros_like(step.losses)
    return slopes, not rules.repeated


class TangentRules(TorchFunctionMode):
    """Gives batch norm in train mode, convolutions and max-pooling cheaper tangents than torch's.

    The Jacobian of batch norm with respect to its input is symmetric, so the tangent is what the
    backward kernel gives for it. torch composes some twenty passes over the activations instead,
    which are also what sets the peak of memory. Running statistics are not updated.

    A convolution's value is as much work as either half of its tangent. It is not computed where
    ``saved`` has it, by the address of the kernel. That is sure only for a kernel that is used
    once: ``repeated`` tells whether one was not, and then nothing that came out is to be used.
    Nor are the statistics of what it gave computed again.

    Torch moves the maps that max-pooling chooses from to another layout and back.
    """

    def __init__(self, saved: Saved) -> None:
        super().__init__()
        self._saved = saved
        self._used: set[int] = set()
        self.repeated = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Replace the calls that have a rule; leave every other as it is."""
        if func is F.batch_norm:
            call = BATCH_NORM.bind(*args, **(kwargs or {})).arguments
            if call.get("training"):
                return self._batch_norm(
                    call["input"], call.get("weight"), call.get("bias"), call.get("eps", 1e-5)
                )
        if func is F.conv2d:
            return self._convolution(*args, **(kwargs or {}))
        if func is F.max_pool2d:
            call = MAX_POOL.bind(*args, **(kwargs or {})).arguments
            if call["input"].dim() == 4 and not call.get("return_indices"):
                return _max_pool(**call)
        return func(*args, **(kwargs or {}))

    def _convolution(
        self,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *layout: Any,
        **named_layout: Any,
    ) -> Tensor:
        kernel, kernel_tangent = forward_ad.unpack_dual(weight)
        address = kernel.data_ptr()
        value = self._saved.maps.get(address)
        if value is None or kernel_tangent is None:
            return F.conv2d(input, weight, bias, *layout, **named_layout)
        self.repeated |= address in self._used
        self._used.add(address)
        maps, maps_tangent = forward_ad.unpack_dual(input)
        _, shift_tangent = _unpacked(bias)
        tangent = F.conv2d(maps, kernel_tangent, shift_tangent, *layout, **named_layout)
        if maps_tangent is not None:
            tangent += F.conv2d(maps_tangent, kernel, None, *layout, **named_layout)
        if tangent.shape != value.shape:  # what the kernel gave at another scale
            self.repeated = True
            value = torch.zeros_like(tangent)
        dual: Tensor = forward_ad.make_dual(value, tangent)
        return dual

    def _batch_norm(
        self, maps: Tensor, scale: Tensor | None, shift: Tensor | None, epsilon: float
    ) -> Tensor:
        maps, maps_tangent = forward_ad.unpack_dual(maps)
        scale, scale_tangent = _unpacked(scale)
        shift, shift_tangent = _unpacked(shift)
        statistics = self._saved.statistics.get(_normalised(maps, epsilon))
        if statistics is None:
            result, mean, inverse_deviation = torch.native_batch_norm(
                maps, scale, shift, None, None, True, 0.0, epsilon
            )
        else:
            mean, inverse_deviation = statistics
            slope = inverse_deviation if scale is None else scale * inverse_deviation
            offset = -mean * slope if shift is None else torch.addcmul(shift, mean, slope, value=-1)
            result = torch.addcmul(_per_channel(offset, maps), maps, _per_channel(slope, maps))
        if maps_tangent is None:
            tangent = torch.zeros_like(result)
        else:
            tangent = torch.ops.aten.native_batch_norm_backward(
                maps_tangent,
                maps,
                scale,
                None,
                None,
                mean,
                inverse_deviation,
                True,
                epsilon,
                [True, False, False],
            )[0]
        if scale_tangent is not None:
            slope = scale_tangent * inverse_deviation
            tangent.addcmul_(maps, _per_channel(slope, maps))
            offset = slope * -mean
            shift_tangent = offset if shift_tangent is None else offset.add_(shift_tangent)
        if shift_tangent is not None:
            tangent.add_(_per_channel(shift_tangent, maps))
        dual: Tensor = forward_ad.make_dual(result, tangent)
        return dual


def saved_by(losses: Tensor) -> Saved:
    """Find what convolutions gave, and the statistics of batch norm, in the losses' graph.

    (Torch refuses to show what was changed in place since.)
    """
    found = Saved({}, {})
    seen, waiting = set(), [losses.grad_fn]
    while waiting:
        node: Any = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        before = [earlier for earlier, _ in node.next_functions]
        waiting += before
        if node.name() not in BATCH_NORMS or not node._saved_training:  # noqa: SLF001, torch's way
            continue
        maps = node._saved_input.detach()  # noqa: SLF001
        found.statistics[_normalised(maps, node._saved_eps)] = (  # noqa: SLF001
            node._saved_result1,  # noqa: SLF001
            node._saved_result2,  # noqa: SLF001
        )
        if before[0] and before[0].name() == CONVOLUTION:
            found.maps[before[0]._saved_weight.data_ptr()] = maps  # noqa: SLF001
    return found


def _normalised(maps: Tensor, epsilon: float) -> Hashable:
    """Tell apart what batch norm was done to; while its graph lives, so does its place."""
    return maps.data_ptr(), maps.shape, maps.stride(), epsilon


def _max_pool(input: Tensor, **window: Any) -> Tensor:
    maps, tangent = forward_ad.unpack_dual(input)
    pooled, places = F.max_pool2d(maps, **{**window, "return_indices": True})
    if tangent is None:
        return cast("Tensor", pooled)
    # Line by line in memory: places count along an image's channel.
    chosen = _places_before_channels(tangent).gather(1, _places_before_channels(places))
    height, width = pooled.shape[2:]
    dual: Tensor = forward_ad.make_dual(
        pooled, chosen.unflatten(1, (height, width)).permute(0, 3, 1, 2)
    )
    return dual


def _places_before_channels(maps: Tensor) -> Tensor:
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def _unpacked(value: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    return (None, None) if value is None else forward_ad.unpack_dual(value)


def _per_channel(values: Tensor, maps: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (maps.dim() - 2))


@functools.cache
def _load_forward_rules() -> None:
    """Make torch load its rules for forward-mode AD, which warns about torch.jit on the way."""
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore", FutureWarning)
        forward_ad.make_dual(torch.zeros(()), torch.zeros(()))
