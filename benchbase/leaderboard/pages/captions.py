"""Short names of scenarios: what differs between them, and nothing that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath

from benchbase.boards.conditions import write_imbalance, write_noise
from benchbase.cell import CORRECTED, Scenario


def noise_labels(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Write ``labels as given``, ``real noise``, ``symmetric 0.4`` or ``matrix FILE.csv``.

    Where labels as given are noise, and others count as true, no noise is ``true labels``.
    """
    with_truth = {s.data for s in scenarios if s.noise == "real" or s.dataset_options.get("truth")}
    return tuple(_labels_text(s, truth_apart=s.data in with_truth) for s in scenarios)


def _labels_text(scenario: Scenario, *, truth_apart: bool) -> str:
    """Name the noise, and that labels were corrected."""
    text = _noise_label(scenario, truth_apart=truth_apart)
    if CORRECTED not in scenario.dataset_options:
        return text
    return "labels as corrected" if text == "labels as given" else f"{text}, as corrected"


def _noise_label(scenario: Scenario, *, truth_apart: bool) -> str:
    if scenario.noise == "none":
        return "true labels" if truth_apart else "labels as given"
    if scenario.noise == "real":
        return "real noise"
    options = {
        name: PurePath(value).name if name == "file" else value
        for name, value in scenario.noise_options.items()
    }
    return write_noise(scenario.noise, options).replace(":", " ", 1)


def imbalance_label(scenario: Scenario) -> str:
    """Write ``natural``, ``1:10`` (exponential), ``step:20``, or ``1:10 (order drawn)``."""
    if not scenario.order_drawn:
        return write_imbalance(scenario.imbalance, scenario.imbalance_options)
    options = {name: it for name, it in scenario.imbalance_options.items() if name != "order"}
    return f"{write_imbalance(scenario.imbalance, options)} (order drawn)"


def _fraction_label(scenario: Scenario) -> str:
    """Write ``5 % labelled``, or ``all labelled``."""
    if scenario.label_fraction is None:
        return "all labelled"
    return f"{100 * scenario.label_fraction:g} % labelled"


def _budget_label(scenario: Scenario) -> str:
    """Write ``100 labels to buy``, or ``no labels to buy``."""
    return f"{scenario.label_budget or 'no'} labels to buy"


_FURTHER: tuple[Callable[[Scenario], str], ...] = (
    lambda scenario: scenario.data,
    lambda scenario: "all images" if scenario.train_size is None else f"{scenario.train_size:,}",
    _fraction_label,
    _budget_label,
    lambda scenario: scenario.track,
    lambda scenario: scenario.backbone,
    lambda scenario: f"{scenario.recipe.epochs} epochs",
)


def scenario_labels(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Name each scenario by noise and imbalance, and by what else differs among them."""
    telling = [part for part in _FURTHER if len({part(scenario) for scenario in scenarios}) > 1]
    labels = [
        ", ".join([*(part(s) for part in telling), noise, imbalance_label(s)])
        for s, noise in zip(scenarios, noise_labels(scenarios), strict=True)
    ]
    return tuple(
        label if labels.count(label) == 1 else f"{label} (#{index + 1})"
        for index, label in enumerate(labels)
    )
