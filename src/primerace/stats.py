"""Medians, and bootstrap intervals of paired ratios.

A ratio is taken within a round, where both laps met the same machine: what slows a whole round down falls
out. The percentile bootstrap resamples rounds (Efron and Tibshirani, An Introduction to the Bootstrap,
1993, chapter 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

FEWEST_ROUNDS = 6  # of fewer medians a bootstrap interval misses the truth far too often
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median of paired ratios with its 95% interval; the interval is None below six rounds."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def shows_gain(self) -> bool:
        """The interval lies above 1."""
        return self.low is not None and self.low > 1

    @property
    def shows_loss(self) -> bool:
        """The interval lies below 1."""
        return self.high is not None and self.high < 1


def paired_ratio(numerators: Sequence[float], denominators: Sequence[float], seed: int = 0) -> Ratio:
    """The median of the ratios of two equally long series, with its bootstrap 95% interval.

    Args:
        numerators: for a speed-up the baseline's seconds, one for each round.
        denominators: the contestant's seconds in the same rounds.
        seed: makes the interval repeatable.

    Returns:
        The ratio; without an interval where there are fewer than six rounds.

    >>> paired_ratio([2.0, 2.2, 1.8], [1.0, 1.1, 0.9])
    Ratio(value=2.0, low=None, high=None)
    """
    ratios = [above / below for above, below in zip(numerators, denominators, strict=True)]
    if len(ratios) < FEWEST_ROUNDS:
        return Ratio(median(ratios))
    import numpy as np

    generator = np.random.default_rng(seed)
    resampled = generator.choice(np.asarray(ratios), size=(RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(resampled, axis=1), [2.5, 97.5])
    return Ratio(median(ratios), float(low), float(high))
