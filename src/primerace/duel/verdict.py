"""The rule: from a ratio with its 99% interval to one of four verdicts."""

from primerace.stats import Ratio

CONFIDENCE = 0.99
THRESHOLD = 0.02

FASTER, SLOWER = "faster", "slower"
SAME, NOISY = "no difference shown", "too noisy"


def judge(ratio: Ratio, threshold: float = THRESHOLD) -> str:
    """What the ratio of B's time to A's shows.

    The interval lies above 1 or below 1: B is slower, or faster. It contains 1 and reaches at most the
    threshold away from its median: no difference is shown. It reaches further: a difference that matters
    could hide in it, and the trials were too noisy.

    >>> judge(Ratio(1.03, 1.02, 1.04)), judge(Ratio(1.0, 0.99, 1.01)), judge(Ratio(1.0, 0.9, 1.1))
    ('slower', 'no difference shown', 'too noisy')
    """
    if ratio.shows_gain:
        return SLOWER
    if ratio.shows_loss:
        return FASTER
    return SAME if ratio.reach <= threshold else NOISY


def is_alarm(ratio: Ratio, threshold: float = THRESHOLD) -> bool:
    """Whether B is slower, and by more than the threshold.

    >>> is_alarm(Ratio(1.03, 1.02, 1.04)), is_alarm(Ratio(1.01, 1.005, 1.015))
    (True, False)
    """
    return ratio.shows_gain and ratio.value > 1 + threshold
