"""The weights that a network starts from, as a cell's key and a page name them; imports no torch.

A backbone's option ``weights`` names them: a file, or ``DEFAULT`` for those pinned here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchbase.errors import UsageError

DEFAULT = "DEFAULT"
PINNED: Mapping[str, tuple[str, str]] = {
    "resnet18": ("IMAGENET1K_V1", "f37072fd"),
    "resnet34": ("IMAGENET1K_V1", "b627a593"),
    "resnet50": ("IMAGENET1K_V2", "11ad3fa6"),
    "densenet121": ("IMAGENET1K_V1", "a639ec97"),
    "efficientnet_b0": ("IMAGENET1K_V1", "7f5810bc"),
}
"""Network -> what torchvision calls its default weights, and how their SHA-256 begins."""
_AND = " + weights "


def with_weights(source: str, name: str, options: Mapping[str, Any]) -> str:
    """Add the weights to what stands for a network's code; without any it stays as it is.

    Raises:
        UsageError: they are neither a file nor known by name.
    """
    weights = options.get("weights")
    if not weights:
        return source
    if weights == DEFAULT:
        return source + _AND + "-".join(PINNED.get(name, (DEFAULT,)))
    from benchbase.data.hashes import file_hash  # with NumPy, which is slow to import

    path = Path(weights).expanduser()
    if not path.is_file():
        raise UsageError(
            f"{name}[weights={weights}]: there is no such file; expected one that torch.save wrote "
            f"of a state_dict(), or {DEFAULT}"
        )
    return source + _AND + file_hash(path)


def parted(source: str) -> tuple[str, str]:
    """Part what ``with_weights`` gave into code and weights, which may be empty."""
    code, _, weights = source.partition(_AND)
    return code, weights
