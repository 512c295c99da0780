"""What an imbalance costs: said before a run where it throws most of the images away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from benchbase.boards.conditions import write_imbalance
from benchbase.boards.plan import Condition
from benchbase.data.cache import prepare
from benchbase.data.secret import data_seed
from benchbase.data.split import class_order, imbalanced

FEW = 0.25
"""A smaller share of the training images is worth a word."""


def thinned(conditions: Iterable[Condition]) -> Iterator[str]:
    """Say of each data set and imbalance that little is left, and which class is the reason.

    Raises:
        UsageError, DataError: as the run itself would.
    """
    seen = []
    for condition in conditions:
        parts, scenario = condition.parts, condition.scenario
        asked = parts["dataset"], parts["imbalance"]
        if scenario.imbalance == "natural" or asked in seen:
            continue
        seen.append(asked)
        prepared = prepare(parts["dataset"], parts["roots"], parts["cache"])
        data = prepared.parts
        available = np.bincount(data.train.labels, minlength=len(data.classes))
        seed = data_seed(scenario, condition.seed, prepared.fingerprint, parts["secret"])
        order = class_order(scenario, len(data.classes), seed)
        kept = imbalanced(available, parts["imbalance"], order)
        if kept.sum() < FEW * available.sum():
            scarce = int(np.argmax(kept / np.maximum(available, 1)))
            yield (
                f"imbalance {write_imbalance(scenario.imbalance, scenario.imbalance_options)} "
                f"keeps {kept.sum():,} of {available.sum():,} training images of {scenario.data}"
                f"{f' at seed {condition.seed}' * scenario.order_drawn}: "
                f"the {available[scarce]:,} of class {data.classes[scarce]!r} hold the others "
                f"down ({', '.join(map(str, kept))} of {', '.join(map(str, available))})"
            )
