"""Paired ratios and their intervals: exact where they can be, and honest about coverage."""

import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace.stats import FEWEST_ROUNDS, Ratio, paired_ratio

SECONDS = st.lists(st.floats(1e-6, 1e3), min_size=FEWEST_ROUNDS, max_size=20)


@pytest.mark.parametrize("rounds", range(1, FEWEST_ROUNDS))
def test_no_interval_of_few_rounds(rounds):
    ratio = paired_ratio([2.0] * rounds, [1.0] * rounds)
    assert ratio == Ratio(2.0)
    assert not ratio.shows_gain
    assert not ratio.shows_loss


def test_pairs_cancel_what_slows_a_round():
    """A round ten times slower changes nothing, since both laps met it."""
    ratio = paired_ratio([2, 20, 2, 4, 2, 2], [1, 10, 1, 2, 1, 1])
    assert ratio == Ratio(2.0, 2.0, 2.0)
    assert ratio.shows_gain


@given(SECONDS)
def test_against_itself(seconds):
    ratio = paired_ratio(seconds, seconds)
    assert ratio == Ratio(1.0, 1.0, 1.0)
    assert not ratio.shows_gain
    assert not ratio.shows_loss


@given(SECONDS, SECONDS, st.integers(0, 2**32))
def test_interval_holds_the_median_and_is_repeatable(numerators, denominators, seed):
    rounds = min(len(numerators), len(denominators))
    numerators, denominators = numerators[:rounds], denominators[:rounds]
    ratios = [above / below for above, below in zip(numerators, denominators, strict=True)]
    ratio = paired_ratio(numerators, denominators, seed)
    assert ratio.value == median(ratios)
    assert min(ratios) <= ratio.low <= ratio.value * (1 + 1e-12)
    assert ratio.value * (1 - 1e-12) <= ratio.high <= max(ratios) * (1 + 1e-12)
    assert ratio == paired_ratio(numerators, denominators, seed)


def test_gain_and_loss_are_claimed_only_outside_the_interval():
    gain = paired_ratio([3.0, 3.1, 2.9, 3.0, 3.2, 3.0], [1.0] * 6)
    loss = paired_ratio([1.0] * 6, [3.0, 3.1, 2.9, 3.0, 3.2, 3.0])
    neither = paired_ratio([1.0, 1.2, 0.8, 1.1, 0.9, 1.0], [1.0] * 6)
    assert (gain.shows_gain, gain.shows_loss) == (True, False)
    assert (loss.shows_gain, loss.shows_loss) == (False, True)
    assert (neither.shows_gain, neither.shows_loss) == (False, False)


def test_unpaired_series_are_an_error():
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([1.0] * 6, [1.0] * 7)


@pytest.mark.parametrize("rounds", [6, 10])
def test_intervals_cover_the_truth(rounds):
    """Of 200 simulated races at least nine in ten intervals hold the true ratio (95% are promised)."""
    generator = random.Random(rounds)
    truth = 1.8
    hits = 0
    for race in range(200):
        weather = [generator.uniform(1, 2) for _ in range(rounds)]
        base = [slow * truth * generator.lognormvariate(0, 0.05) for slow in weather]
        contestant = [slow * generator.lognormvariate(0, 0.05) for slow in weather]
        ratio = paired_ratio(base, contestant, race)
        hits += ratio.low <= truth <= ratio.high
    assert hits >= 180
