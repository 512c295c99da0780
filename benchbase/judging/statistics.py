"""Intervals, paired comparisons and rank ranges, on NumPy and scipy.special.

scipy.stats is not imported: it takes two seconds.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from benchbase.seeding import numpy_stream

CONFIDENCE = 0.95
LEAST_BLOCKS = 3
"""Blocks that an interval needs: that of two is 12.7 times as wide as they are apart."""
NO_MATTER = 0.003
"""Scores that are nearer than this count as the same: no seeds are spent on telling them apart."""
_EXACT_UP_TO = 16
_DRAWS = 20_000


@dataclass(frozen=True)
class Estimate:
    """A mean over blocks (seeds, or data sets) with its 95 % t interval."""

    mean: float
    low: float | None
    """None where too few blocks give no interval."""
    high: float | None
    blocks: int
    values: tuple[float, ...] = ()
    """The blocks themselves, where they are too few for an interval."""

    @property
    def verdict(self) -> Literal["better", "tied", "worse"]:
        """Tell what a difference says, higher being better."""
        if self.covers_zero:
            return "tied"
        return "better" if self.mean > 0 else "worse"

    @property
    def covers_zero(self) -> bool:
        """Tell whether zero is inside the interval; an absent interval covers everything."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def estimate(values: Sequence[float] | NDArray[np.float64]) -> Estimate | None:
    """Give the mean of independent blocks with its 95 % t interval; None for no blocks."""
    blocks = len(values)
    if blocks == 0:
        return None
    values = np.asarray(values, np.float64)
    mean = float(values.mean())
    if blocks < LEAST_BLOCKS:
        return Estimate(mean, None, None, blocks, tuple(sorted(values.tolist())))
    deviation = math.sqrt(np.square(values - mean).sum() / (blocks - 1))
    half = _t_quantile(blocks - 1) * deviation / blocks**0.5
    return Estimate(mean, mean - half, mean + half, blocks)


@functools.cache
def _t_quantile(degrees: int) -> float:
    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


def least_of_another(
    values: Sequence[float] | NDArray[np.float64], spread: float, degrees: int, risk: float
) -> float:
    """Give what another block like these stays above, but with probability ``risk``.

    ``spread`` is the deviation between blocks, estimated with so many degrees of freedom.
    """
    deviation = spread * float(np.sqrt(1 + 1 / len(values)))
    return float(np.mean(values)) + float(stdtrit(degrees, risk)) * deviation


def sign_flip_p(differences: Sequence[float] | NDArray[np.float64]) -> float:
    """Two-sided p of paired differences under random signs: exact up to 16 blocks, else drawn.

    Under "no difference" each block's difference is as likely to have the other sign.
    """
    values = np.asarray(differences, dtype=np.float64)
    blocks = len(values)
    if blocks <= _EXACT_UP_TO:
        patterns = np.arange(2**blocks)[:, None] >> np.arange(blocks) & 1
    else:
        patterns = numpy_stream(0, "sign flip").integers(0, 2, size=(_DRAWS, blocks))
        patterns[0] = 0  # the observed signs are one of the draws, so that p is never zero
    sums = np.abs((1 - 2 * patterns) @ values)
    tolerance = 1e-12 * np.abs(values).sum()
    return float(np.mean(sums >= abs(values.sum()) - tolerance))


def smallest_sign_flip_p(blocks: int) -> float:
    """Give the smallest two-sided p that ``sign_flip_p`` can reach with so many blocks."""
    return 2 / 2**blocks if 1 <= blocks <= _EXACT_UP_TO else (1.0 if blocks < 1 else 1 / _DRAWS)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for having made all these comparisons (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    for position, index in enumerate(order):
        highest = max(highest, (len(p_values) - position) * p_values[index])
        adjusted[index] = min(1.0, highest)
    return adjusted


def ratio(
    numerators: Sequence[float] | NDArray[np.float64],
    denominators: Sequence[float] | NDArray[np.float64],
) -> Estimate | None:
    """Give the ratio of two means over the same blocks with its 95 % interval (Fieller 1954).

    None where the interval of the denominators' mean holds zero, or has too few blocks: then
    every ratio is possible.
    """
    top, bottom = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    blocks = len(top)
    below = estimate(bottom)
    if below is None or below.covers_zero:
        return None
    covariance = np.cov(top, bottom) * _t_quantile(blocks - 1) ** 2 / blocks
    # The ratios r for which the mean of top - r * bottom is not told apart from zero.
    square = below.mean**2 - covariance[1, 1]
    middle = float(top.mean()) * below.mean - covariance[0, 1]
    constant = float(top.mean()) ** 2 - covariance[0, 0]
    half = float(np.sqrt(max(0.0, middle**2 - square * constant)))
    return Estimate(
        float(top.mean()) / below.mean,
        float(middle - half) / float(square),
        float(middle + half) / float(square),
        blocks,
    )


def balanced_accuracy_interval(recalls: ArrayLike, counts: ArrayLike) -> tuple[float, float]:
    """Give a 95 % interval of balanced accuracy from one test set.

    Args:
        recalls: recall of each class, shape (classes,).
        counts: test images of each class; a class without images is left out.

    Wilson's limits of a proportion of the same mean and variance: its effective sample size is
    mean * (1 - mean) / variance. Each class counts two images more at the mean recall in the
    variance, so that a small class without an error does not pass for certain.

    Raises:
        ValueError: no class has images.
    """
    count = np.asarray(counts, dtype=np.float64)
    present = count > 0
    if not present.any():
        raise ValueError("balanced accuracy needs test images of at least one class")
    recall, count = np.asarray(recalls, dtype=np.float64)[present], count[present]
    mean, classes = float(recall.mean()), len(recall)
    near = (recall * count + 2 * mean) / (count + 2)
    variance = float(np.sum(near * (1 - near) / count)) / classes**2
    all_alike = classes**2 / float(np.sum(1 / count))
    size = mean * (1 - mean) / variance if variance > 0 else all_alike
    z = float(ndtri(0.5 + CONFIDENCE / 2))
    centre = (mean + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(mean * (1 - mean) / size + z**2 / (4 * size**2))
    return max(0.0, min(mean, float(centre - half))), min(1.0, max(mean, float(centre + half)))
