"""Loads weights from a file into a network, and says which tensors do not fit."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchbase.errors import DataError

MOST_NAMED = 3
"""Tensors of each kind that a message names."""


def load_weights(network: nn.Module, path: Path, anew: str) -> None:
    """Load a state_dict from a file; the part called ``anew`` keeps the weights that it has.

    Raises:
        DataError: the file is none, or its tensors are not those of the network.
    """
    found = {name: it for name, it in _read(path).items() if not name.startswith(f"{anew}.")}
    own = network.state_dict()
    expected = {name: it for name, it in own.items() if not name.startswith(f"{anew}.")}
    shared = expected.keys() & found.keys()
    faults = {
        "it lacks": expected.keys() - shared,
        "the network has no": found.keys() - shared,
        "of another shape": {
            f"{name} {tuple(found[name].shape)}, here {tuple(expected[name].shape)}"
            for name in shared
            if found[name].shape != expected[name].shape
        },
    }
    if any(faults.values()):
        told = "; ".join(_told(what, sorted(names)) for what, names in faults.items() if names)
        raise DataError(
            f"{path}: does not fit {type(network).__name__}: {told}: give the state_dict() of the "
            "same network, its tensors called as torchvision calls them"
        )
    network.load_state_dict({**own, **found})


def _read(path: Path) -> dict[str, Tensor]:
    try:
        # Plain tensors only: a pickle could run code.
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(
            f"{path}: no file of plain weights ({str(error)[:100]}): write one with "
            "torch.save(model.state_dict(), FILE)"
        ) from error
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not all(isinstance(it, Tensor) for it in found.values()):
        raise DataError(f"{path}: expected a state_dict, names and tensors, found {found!r:.60}")
    return found


def _told(what: str, names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{what} {', '.join(names[:MOST_NAMED])}{more}"
