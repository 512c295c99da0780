"""The words in which a condition is asked for: ``symmetric:0.4``, ``step:20``, ``0,3,7``, ``T10``.

The command line and the board files share these grammars. Which kinds exist is not known here:
the registry looks them up.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchbase.cell import Scenario
from benchbase.errors import UsageError
from benchbase.options import read_value, split_unquoted


@dataclass(frozen=True)
class NoiseChoice:
    """One kind of label noise at one rate."""

    kind: str
    rate: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ImbalanceChoice:
    """One kind of class imbalance at one ratio; ``exponential`` at ratio 1 equalises."""

    kind: str
    ratio: float = 1.0


def parse_noise(text: str) -> tuple[NoiseChoice, ...]:
    """Read ``kind:rate`` items, comma-separated; ``none``; ``matrix:FILE.csv``.

    A file whose name holds a comma is written ``matrix:"a,b.csv"``.

    Raises:
        UsageError: an item is not of that form, or its rate is outside [0, 1].
    """
    return tuple(_noise_item(item) for item in _items(text, "noise", "symmetric:0.4,pair:0.2"))


def _noise_item(item: str) -> NoiseChoice:
    kind, colon, argument = (part.strip() for part in item.partition(":"))
    if kind == "none" and not colon:
        return NoiseChoice("none")
    if not kind or not argument:
        raise UsageError(
            f"noise {item!r}: expected kind:rate, such as symmetric:0.4, or matrix:FILE.csv, "
            "or none"
        )
    if kind == "matrix":
        return NoiseChoice("matrix", options={"file": read_value(argument)})
    rate = _number(argument)
    if rate is None or not 0 <= rate <= 1:
        raise UsageError(
            f"noise {item!r}: expected a rate from 0 to 1, got {argument}: write {kind}:0.4 to "
            "make 40 % of the labels wrong"
        )
    return NoiseChoice(kind, rate)


def parse_imbalance(text: str) -> tuple[ImbalanceChoice, ...]:
    """Read ``kind:ratio`` items, comma-separated; a bare ratio or ``1:ratio`` is exponential.

    Raises:
        UsageError: an item is not of that form, or its ratio is below 1.
    """
    return tuple(_imbalance_item(item) for item in _items(text, "imbalance", "1,10,step:20"))


def _imbalance_item(item: str) -> ImbalanceChoice:
    kind, colon, argument = (part.strip() for part in item.partition(":"))
    if not colon and kind in ("natural", "none"):
        return ImbalanceChoice("natural")
    if not colon or kind == "1":  # the tables write 10 as 1:10
        kind, argument = "exponential", argument if colon else kind
    ratio = _number(argument)
    if ratio is None or not kind:
        raise UsageError(
            f"imbalance {item!r}: expected kind:ratio, such as exponential:10 or step:20, a bare "
            "ratio (exponential), or natural to leave class counts as they are"
        )
    if ratio < 1:
        raise UsageError(
            f"imbalance {item!r}: expected a ratio of at least 1 (largest class : smallest "
            f"class), got {argument}; 1 gives all classes the same count"
        )
    return ImbalanceChoice(kind, ratio)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read ``5`` as the seeds 0 to 4, ``0,3,7`` as these three, ``3,`` as seed 3 alone.

    Raises:
        UsageError: not whole numbers of at least 0, none at all, or one of them twice.
    """
    wanted = "expected how many (5 gives 0 to 4) or a list such as 0,3,7"
    items = [item.strip() for item in text.split(",")]
    if len(items) > 1 and not items[-1]:
        items.pop()
    if not all(re.fullmatch(r"[0-9]+", item) for item in items):
        raise UsageError(f"seeds {text!r}: {wanted}")
    numbers = tuple(int(item) for item in items)
    if "," in text:
        if len(set(numbers)) < len(numbers):
            raise UsageError(f"seeds {text!r}: a seed stands there twice; {wanted}")
        return numbers
    if numbers[0] == 0:
        raise UsageError(f"seeds {text!r}: at least one is needed (write 0, for seed 0 alone)")
    return tuple(range(numbers[0]))


def parse_track(text: str) -> str:
    """Read ``T0`` (no trusted images), ``T5``, ``T10``, ... (that many a class) or ``TM``.

    Raises:
        UsageError: it is none of these.
    """
    track = text.strip().upper()
    if not re.fullmatch(r"T(M|0|[1-9][0-9]*)", track):
        raise UsageError(
            f"track {text!r}: expected T0 (no trusted images), T5 or T10 (that many for each "
            "class), or TM (the balanced meta set of 1,000)"
        )
    return track


def grid(
    base: Scenario, noises: Sequence[NoiseChoice], imbalances: Sequence[ImbalanceChoice]
) -> tuple[Scenario, ...]:
    """Give ``base`` under every noise and every imbalance, each condition once."""
    scenarios: list[Scenario] = []
    for noise in noises:
        for imbalance in imbalances:
            scenario = dataclasses.replace(
                base,
                noise=noise.kind,
                noise_rate=noise.rate,
                noise_options=noise.options,
                imbalance=imbalance.kind,
                imbalance_ratio=imbalance.ratio,
            )
            if scenario not in scenarios:
                scenarios.append(scenario)
    return tuple(scenarios)


def _items(text: str, what: str, example: str) -> list[str]:
    items = [item.strip() for item in split_unquoted(text)]
    if not all(items):
        raise UsageError(f"{what} {text!r}: an item is empty; write it like {example}")
    return items


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
