"""The words for a condition, both ways: ``symmetric:0.4``, ``step:20``, ``0,3,7``, ``T10``.

The command line, the board files and what is printed share these grammars. Which kinds exist is
not known here: the catalogue looks them up.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchbase.boards.selectors import Selector, parse_selectors
from benchbase.cell import CORRECTED, Scenario, format_label
from benchbase.errors import UsageError
from benchbase.options import read_value, split_unquoted, write_value


def parse_noise(text: str) -> tuple[Selector, ...]:
    """Read comma-separated kinds of noise.

    ``kind:0.4`` abbreviates ``kind[rate=0.4]``, and ``matrix:FILE.csv`` ``matrix[file=FILE.csv]``;
    a kind without options, such as ``none``, is its name.

    Raises:
        UsageError: an item is not of that form.
    """
    items = _items(text, "noise", "symmetric:0.4,pair:0.2")
    return tuple(dict.fromkeys(one for item in items for one in _noises(item)))


def write_noise(kind: str, options: Mapping[str, Any]) -> str:
    """Write one noise so that ``parse_noise`` reads it again."""
    return _abbreviated(kind, options, "file" if kind == "matrix" else "rate")


def _noises(item: str) -> tuple[Selector, ...]:
    kind, colon, argument = _parts(item)
    if not colon:
        return parse_selectors([item])
    value = read_value(argument)
    if kind == "matrix" and argument:
        return (Selector(kind, (("file", value),)),)
    if not kind or not _is_number(value):
        raise UsageError(
            f"noise {item!r}: expected kind:rate, such as symmetric:0.4, or matrix:FILE.csv, "
            "or none"
        )
    return (Selector(kind, (("rate", value),)),)


def parse_imbalance(text: str) -> tuple[Selector, ...]:
    """Read comma-separated kinds of imbalance.

    ``kind:10`` abbreviates ``kind[ratio=10]``; a bare ratio or ``1:ratio`` is exponential.

    Raises:
        UsageError: an item is not of that form.
    """
    items = _items(text, "imbalance", "1,10,step:20")
    return tuple(dict.fromkeys(one for item in items for one in _imbalances(item)))


def write_imbalance(kind: str, options: Mapping[str, Any]) -> str:
    """Write one imbalance so that ``parse_imbalance`` reads it again; exponential as ``1:10``."""
    text = _abbreviated(kind, options, "ratio")
    return text.replace("exponential:", "1:", 1) if text.startswith("exponential:") else text


def _imbalances(item: str) -> tuple[Selector, ...]:
    kind, colon, argument = _parts(item)
    if not colon and _is_number(read_value(kind)):
        kind, argument = "exponential", kind
    elif not colon:
        return parse_selectors(["natural" if item == "none" else item])
    ratio = read_value(argument)
    if not kind or not _is_number(ratio):
        raise UsageError(
            f"imbalance {item!r}: expected kind:ratio, such as exponential:10 or step:20, a bare "
            "ratio (exponential), or natural to leave class counts as they are"
        )
    # The tables write 10 as 1:10.
    return (Selector("exponential" if kind == "1" else kind, (("ratio", ratio),)),)


def scenario_text(scenario: Scenario) -> str:
    """Word what a scenario puts its data under: ``symmetric:0.4 1:10 budget 100``."""
    parts = [
        write_noise(scenario.noise, scenario.noise_options),
        write_imbalance(scenario.imbalance, scenario.imbalance_options),
    ]
    if CORRECTED in scenario.dataset_options:
        parts.append("labels as corrected")
    if scenario.label_fraction is not None:
        parts.append(f"labels {100 * scenario.label_fraction:g} %")
    if scenario.label_budget is not None:
        parts.append(f"budget {scenario.label_budget}")
    return " ".join(parts)


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
    """Read ``T0`` (no trusted images), ``T5``, ``T10``, ... (that many a class), ``TM`` or ``TV``.

    Raises:
        UsageError: it is none of these.
    """
    track = text.strip().upper()
    if not re.fullmatch(r"T(M|V|0|[1-9][0-9]*)", track):
        raise UsageError(
            f"track {text!r}: expected T0 (no trusted images), T5 or T10 (that many for each "
            "class), TM (the balanced meta set of 1,000), or TV (those that somebody verified)"
        )
    return track


def grid(
    base: Scenario, noises: Sequence[Selector] = (), imbalances: Sequence[Selector] = ()
) -> tuple[Scenario, ...]:
    """Give ``base`` under every noise and every imbalance; without any, under its own."""
    own_noise = Selector(base.noise, tuple(base.noise_options.items()))
    own_imbalance = Selector(base.imbalance, tuple(base.imbalance_options.items()))
    return tuple(
        dataclasses.replace(
            base,
            noise=noise.target,
            noise_options=dict(noise.options),
            imbalance=imbalance.target,
            imbalance_options=dict(imbalance.options),
        )
        for noise in noises or [own_noise]
        for imbalance in imbalances or [own_imbalance]
    )


def _items(text: str, what: str, example: str) -> list[str]:
    items = [item.strip() for item in split_unquoted(text)]
    if not all(items):
        raise UsageError(f"{what} {text!r}: an item is empty; write it like {example}")
    return items


def _parts(item: str) -> tuple[str, str, str]:
    """Split an abbreviation at its colon; one with brackets is none."""
    if item.endswith("]"):
        return item, "", ""
    kind, colon, argument = item.partition(":")
    return kind.strip(), colon, argument.strip()


def _abbreviated(kind: str, options: Mapping[str, Any], name: str) -> str:
    if [*options] == [name] and ":" not in kind:
        value = options[name]
        if _is_number(value) or (name == "file" and isinstance(value, str)):
            return f"{kind}:{write_value(value)}"
    return format_label(kind, options)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
