"""What a network consists of: whether a judged model is one of ``build_model``, and which."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_HOOKS = ("_forward_hooks", "_forward_pre_hooks")


def anatomy(model: nn.Module) -> list[tuple[str, str]]:
    """List the parts of a model: names, classes, shapes, and what was hung onto them."""
    parts = []
    for name, module in model.named_modules():
        extras = [hook for hook in _HOOKS if getattr(module, hook)]
        extras += sorted(own for own, value in vars(module).items() if callable(value))
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        parts.append((name, " with ".join([kind, *extras])))
    parts += [(name, str(tuple(value.shape))) for name, value in model.state_dict().items()]
    return parts


def difference_of(expected: list[tuple[str, str]], model: nn.Module) -> str | None:
    """Name the first part in which a model differs from an anatomy; None where it does not."""
    got = anatomy(model)
    if expected == got:
        return None
    theirs, ours = dict(got), dict(expected)
    for name in dict.fromkeys((*ours, *theirs)):
        if ours.get(name) != theirs.get(name):
            return (
                f"{name or 'the model'}: expected {ours.get(name, 'nothing')}, "
                f"got {theirs.get(name, 'nothing')}"
            )
    return "its parts stand in another order"


def digest_of(tensors: Sequence[Tensor]) -> str:
    """Hash the bytes of tensors."""
    digest = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()
