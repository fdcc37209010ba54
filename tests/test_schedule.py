"""The bound of list scheduling, against the textbook's numbers and a simulation."""

from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace.job import BOOK, QUICK
from primerace.schedule import bound

COSTS = st.lists(st.integers(0, 1000), max_size=30)
WORKERS = st.integers(1, 12)


def costs(sample):
    """Roots for primes and for composites with no factor below a million, else next to nothing."""
    small = range(3, 1_000_000, 2)
    return [isqrt(n) if prime or n % 2 and all(n % d for d in small) else 1 for n, prime in sample.items()]


@pytest.fixture(scope="module", params=[BOOK, QUICK], ids=["book", "quick"])
def sample_costs(request):
    return costs(request.param)


@pytest.mark.parametrize(
    ("workers", "speedup"),
    [(1, 1.0), (2, 1.803), (6, 4.65), (9, 5.50), (10, 5.50), (11, 7.39), (13, 8.67), (20, 8.67), (99, 8.67)],
)
def test_textbook_bounds(sample_costs, workers, speedup):
    assert bound(sample_costs, workers) == pytest.approx(speedup, abs=0.006)


def simulate(durations, workers):
    """Tick by tick: every idle worker takes the next item, every busy one works off one unit."""
    queue = [cost for cost in durations if cost]
    left = [0] * workers
    ticks = 0
    while queue or any(left):
        for worker in range(workers):
            if not left[worker] and queue:
                left[worker] = queue.pop(0)
        left = [max(0, rest - 1) for rest in left]
        ticks += 1
    return ticks


@given(COSTS, WORKERS)
def test_simulation_agrees(durations, workers):
    ticks = simulate(durations, workers)
    assert bound(durations, workers) == (sum(durations) / ticks if ticks else 1.0)


@given(COSTS, WORKERS)
def test_between_one_and_workers(durations, workers):
    assert 1.0 <= bound(durations, workers) <= max(1, min(workers, len(durations)))


@given(COSTS.filter(any), WORKERS)
def test_no_order_is_worse_than_graham_allows(durations, workers):
    """Graham 1969: whatever the order, at most the mean load and (1 - 1/w) of the longest item."""
    last = sum(durations) / bound(durations, workers)
    assert last <= (sum(durations) / workers + (1 - 1 / workers) * max(durations)) * (1 + 1e-12)


def test_nothing_to_do():
    assert bound([], 3) == 1.0
    assert bound([0.0, 0.0], 3) == 1.0
