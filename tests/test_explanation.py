"""The factors that a speed-up is taken apart into."""

import pytest
from laps import lap

from primerace.explanation import explain
from primerace.job import Job
from primerace.lineup import line_up
from primerace.racing import Race

ALONE = (1.0, 1.0, 2.0)  # on two workers the last item starts at 1 and ends at 3


def test_nothing_is_lost_in_an_ideal_lap():
    base = [lap(seconds=4.0, walls=ALONE)]
    ideal = [lap(racer="threads", workers=2, seconds=3.0, walls=ALONE)]
    found = explain(base, ideal, [0, 1, 2])
    assert found.speedup == pytest.approx(4 / 3)
    assert found.schedule == pytest.approx(4 / 3)
    factors = (found.hardware, found.waiting, found.overhead, found.unexplained)
    assert factors == pytest.approx((1, 1, 1, 1))


def test_the_gil_shows_as_waiting():
    """Two threads that take turns: twice the wall time while both are busy, the same processor time."""
    base = [lap(seconds=4.0, walls=ALONE)]
    held = [lap(racer="threads", workers=2, seconds=4.0, walls=(2.0, 2.0, 2.0), cpus=ALONE)]
    found = explain(base, held, [0, 1, 2])
    assert found.speedup == 1
    assert found.waiting == pytest.approx(3 / 4)
    assert found.hardware == 1
    assert found.unexplained == pytest.approx(1)


def test_slower_processors_show_as_hardware():
    base = [lap(seconds=4.0, walls=ALONE)]
    slow = [lap(racer="processes", workers=2, seconds=6.0, walls=tuple(2 * wall for wall in ALONE))]
    found = explain(base, slow, [0, 1, 2])
    assert found.hardware == pytest.approx(0.5)
    assert found.waiting == found.overhead == found.unexplained == pytest.approx(1)


def test_dispatch_shows_as_overhead():
    base = [lap(seconds=4.0, walls=ALONE)]
    busy = [lap(racer="processes", workers=2, seconds=4.0, walls=ALONE, dispatch=1.0)]
    found = explain(base, busy, [0, 1, 2])
    assert found.overhead == pytest.approx(0.75)
    assert found.unexplained == pytest.approx(1)


def test_the_order_of_the_items_counts():
    base = [lap(seconds=4.0, walls=ALONE)]
    laps = [lap(racer="threads", workers=2, seconds=2.0, walls=ALONE)]
    assert explain(base, laps, [2, 0, 1]).schedule == pytest.approx(2)


def test_rounds_without_a_baseline_are_left_out():
    base = [lap(number=1, seconds=4.0, walls=ALONE)]
    laps = [lap(number, "threads", workers=2, seconds=3.0, walls=ALONE) for number in range(3)]
    assert explain(base, laps, [0, 1, 2]).unexplained == pytest.approx(1)
    assert explain([], laps, [0, 1, 2]) is None


def test_items_that_are_too_short_for_the_clock_are_not_explained():
    base = [lap(seconds=1e-6, walls=(1e-7,), cpus=(0.0,))]
    laps = [lap(racer="threads", workers=2, seconds=1e-5, walls=(1e-7,), cpus=(0.0,), dispatch=2e-5)]
    assert explain(base, laps, [0]) is None


def test_held_threads_wait_for_each_other_in_a_real_race():
    """Whatever else the machine does: of two threads that hold the GIL, one computes and one waits.

    The items take many switch intervals: shorter ones change hands between the items, not inside.
    """
    job = Job("alike", [9999999999999917] * 4, [True] * 4)
    contest = Race(job, line_up(job, ["threads"], ["held"], 2), seed=1)
    contest.warm_up()
    outcomes = [outcome for each in contest.run(rounds=3) for outcome in each.outcomes]
    cpu_seconds = sum(outcome.cpu_seconds for outcome in outcomes)
    assert cpu_seconds / sum(outcome.seconds for outcome in outcomes) < 0.75
