"""Laws of scaling, COST and the smallest job that pays."""

from dataclasses import replace
from math import inf

import pytest
from laps import lap, result

from primerace.job import Job
from primerace.scaling import amdahl, break_even, cost, fit, usl
from primerace.schedule import bound

# Seconds of the textbook's sweep for 1 to 12 processes on 6 cores.
CHAPTER = (40.81, 22.79, 15.88, 13.21, 12.29, 10.39, 10.80, 11.40, 11.71, 12.51, 11.24, 11.09)


def divisions(n, prime):
    """How many odd numbers trial division tries, for the items of the book sample."""
    if n % 2 == 0:
        return 0
    if prime:
        return round(n**0.5) // 2
    divisor = 3
    while n % divisor:
        divisor += 2
    return divisor // 2


@pytest.fixture(scope="module")
def book_costs():
    job = Job.sample("book")
    slow = {3333335652092209: 57735041, 4444444488888889: 66666667, 5555553133149889: 74535583}
    slow |= {6666667141414921: 81649661, 7777777536340681: 88191709}
    return [
        slow[n] // 2 if n in slow else divisions(n, prime)
        for n, prime in zip(job.items, job.expected, strict=True)
    ]


def test_the_schedule_bound_reproduces_the_chapter(book_costs):
    bounds = {workers: round(bound(book_costs, workers), 2) for workers in (2, 6, 9, 10, 11, 13, 20)}
    assert bounds == {2: 1.80, 6: 4.65, 9: 5.50, 10: 5.50, 11: 7.39, 13: 8.67, 20: 8.67}


def test_the_bound_explains_why_two_to_five_workers_were_not_faster(book_costs):
    """The sweep of the chapter never beats the bound, and reaches over 90% of it up to five workers."""
    for workers, seconds in enumerate(CHAPTER[:6], 1):
        share = CHAPTER[0] / seconds / bound(book_costs, workers)
        assert 0.8 < share < 1.01, workers


def test_the_chapter_does_not_follow_the_universal_scalability_law():
    """Its hump is the order of the items, which no smooth law knows."""
    found = fit("Universal Scalability Law", range(1, 13), [CHAPTER[0] / seconds for seconds in CHAPTER])
    assert found.residual > 0.04
    peak = ((1 - found.parameters["contention"]) / found.parameters["coherency"]) ** 0.5
    assert peak > 7  # the measured lowest point is at 6


@pytest.mark.parametrize("serial", [0.0, 0.05, 0.5, 1.0])
def test_amdahl_is_found_again(serial):
    workers = [1, 2, 3, 4, 8, 16]
    found = fit("Amdahl", workers, [amdahl(count, serial) for count in workers])
    assert found.parameters["serial"] == pytest.approx(serial, abs=1e-3)
    assert found.fits


def test_usl_is_found_again():
    workers = [1, 2, 3, 4, 8, 16]
    found = fit("Universal Scalability Law", workers, [usl(count, 0.1, 0.01) for count in workers])
    assert found.parameters == pytest.approx({"contention": 0.1, "coherency": 0.01}, abs=1e-3)
    assert found.fits


def test_a_law_that_does_not_fit_says_so():
    assert not fit("Amdahl", [1, 2, 3, 4], [1.0, 0.5, 3.0, 0.7]).fits


COSTS = [1.0] * 4


def entry_of(racer, workers, seconds, walls=(1.0,) * 4, dispatch=0.0, costs=COSTS):
    """What a racer made of items of these costs; they took these wall seconds side by side."""
    base = lap(seconds=sum(costs), walls=costs)
    mine = lap(racer=racer, workers=workers, seconds=seconds, walls=walls, cpus=costs, dispatch=dispatch)
    made = result([base, mine], items=len(costs))
    return next(entry for entry in made.entries if entry.racer == racer)


def test_cost_counts_the_workers_that_beat_one_thread():
    entry = entry_of("processes", 2, 2.0)
    assert cost(entry, COSTS, 4.5, cores=2).workers == 1
    assert cost(entry, COSTS, 2.5, cores=2).workers == 2
    beyond = cost(entry, COSTS, 1.5, cores=2)
    assert (beyond.workers, beyond.extrapolated) == (4, True)


def test_a_lucky_lap_does_not_make_one_worker_faster_than_a_loop():
    assert cost(entry_of("threads", 2, 1.9), COSTS, 4.0, cores=2).workers == 2


def test_cost_is_never_where_the_longest_item_takes_longer():
    found = cost(entry_of("processes", 2, 2.0), COSTS, 0.9, cores=2)
    assert (found.workers, found.reason) == (None, "longest item")


@pytest.mark.parametrize(
    ("costs", "walls", "seconds"),
    [
        (COSTS, (2.0,) * 4, 4.0),
        ([1.0, 1.0, 2.0], (2.0, 2.0, 2.0), 4.0),  # both busy for the first two, then one alone
    ],
)
def test_cost_is_never_where_workers_take_turns(costs, walls, seconds):
    found = cost(entry_of("threads", 2, seconds, walls, costs=costs), costs, 3.9, cores=2)
    assert (found.workers, found.reason) == (None, "takes turns")


def test_workers_without_a_core_of_their_own_do_not_take_turns():
    """Four processes on two cores: each item takes twice as long, and the job half of its sequential time."""
    found = cost(entry_of("processes", 4, 2.0, (2.0,) * 4), COSTS, 2.5, cores=2)
    assert (found.workers, found.extrapolated) == (2, False)


def test_dispatch_does_not_shrink_with_more_workers():
    entry = entry_of("processes", 2, 5.0, dispatch=3.0)
    assert cost(entry, COSTS, 3.9, cores=2).reason == "longest item"
    assert cost(entry, COSTS, 4.1, cores=2).workers == 4


def test_items_that_are_too_short_to_explain_have_a_cost():
    entry = replace(entry_of("processes", 2, 2.0), explanation=None)
    assert cost(entry, COSTS, 100.0, cores=2).workers == 1


def test_one_worker_alone_tells_nothing_of_more():
    found = cost(entry_of("threads", 1, 4.0), COSTS, 3.0, cores=2)
    assert (found.workers, found.reason) == (None, "raced with one worker")


def test_break_even():
    entry = entry_of("processes", 2, 2.0)
    assert break_even(replace(entry, startup_seconds=1.0), 4.0) == 2.0
    dispatched = replace(entry, startup_seconds=1.0, dispatch_seconds=1.0)
    assert break_even(dispatched, 4.0) == 4.0  # the schedule bound of 2 halves a job at best
    assert break_even(entry, 2.0) == inf
