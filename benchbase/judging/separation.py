"""Which of many methods are told apart, at 95 % for the whole table (Tukey).

Scores are a layout of methods and blocks (seeds, or data sets): what a block does to all methods
cancels, and the spread that remains is pooled over the methods.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from benchbase.judging.statistics import CONFIDENCE

MOST_BLOCKS = 1000


def spread(scores: NDArray[np.float64]) -> float:
    """Give the standard deviation of a score once its method and its block are known.

    Args:
        scores: shape (methods, blocks), at least two of both, nothing missing.
    """
    methods, blocks = scores.shape
    rest = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    return float(np.sqrt((rest**2).sum() / ((methods - 1) * (blocks - 1))))


def least_difference(spread: float, methods: int, blocks: int, tables: int = 1) -> float:
    """Give the difference of two means above which they are told apart.

    The studentised range of ``methods`` means bounds all their differences at once; in each of
    several ``tables`` it does so at a confidence that makes 95 % for all of them (Bonferroni).
    """
    quantile = _range_quantile(methods, (methods - 1) * (blocks - 1), tables)
    return float(quantile * spread / blocks**0.5)


@functools.cache
def _range_quantile(methods: int, degrees: int, tables: int) -> float:
    from scipy.stats import studentized_range  # takes two seconds

    return float(studentized_range.ppf(1 - (1 - CONFIDENCE) / tables, methods, degrees))


def surely_ahead(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which method's mean is ahead of which by more than ``least_difference``.

    Args:
        scores: higher is better, shape (methods, blocks), at least two blocks, nothing missing.

    Returns:
        Shape (methods, methods): entry [a, b] says that a is surely ahead of b.
    """
    methods, blocks = scores.shape
    if methods < 2:
        return np.zeros((methods, methods), dtype=np.bool_)
    means = scores.mean(axis=1)
    least = least_difference(spread(scores), methods, blocks)
    return np.asarray(means[:, None] - means[None, :] > max(least, 1e-12))


def rank_ranges(ahead: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give each method's best and worst rank that ``ahead`` (see ``surely_ahead``) leaves open.

    Best: one more than are surely ahead of it. Worst: all but those that it is surely ahead of.
    """
    methods = len(ahead)
    return [(1 + int(ahead[:, m].sum()), methods - int(ahead[m].sum())) for m in range(methods)]


def blocks_needed(difference: float, spread: float, methods: int) -> int | None:
    """Give how many blocks would tell two means apart at this difference and this spread.

    None where ``MOST_BLOCKS`` would not.
    """
    blocks = MOST_BLOCKS
    if least_difference(spread, methods, blocks) >= difference:
        return None
    # The quantile falls as blocks are added: what it asks for at more than are needed is never
    # too few, and stays the same only where it is right.
    while (fewer := _blocks_at(blocks, difference, spread, methods)) < blocks:
        blocks = fewer
    return blocks


def _blocks_at(blocks: int, difference: float, spread: float, methods: int) -> int:
    """Give the blocks that would do if the quantile were that at ``blocks``."""
    return max(2, int(blocks * (least_difference(spread, methods, blocks) / difference) ** 2) + 1)
