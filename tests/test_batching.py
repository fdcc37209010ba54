"""Batches of items: how many messages they take, how evenly they end, and who is to blame for a death."""

import heapq
from itertools import count

import pytest

from primerace.racers.batching import HEAVY, TARGET, Batches

LATENCY = 0.01  # seconds from an answer to the next batch


def simulated(costs, workers, ahead=True):
    """Work off items of these costs: how long it takes, how many batches, and which items came."""
    batches = Batches(costs, workers, ahead)
    flying, free = [], [(0.0, worker) for worker in range(workers)]
    number, now, messages, answers = count(), 0.0, 0, []

    def hand_out():
        nonlocal messages
        while jobs := batches.take(len(flying)):
            messages += 1
            begin, worker = heapq.heappop(free)
            end = max(begin, now + LATENCY)
            done = 0
            for _, cost in jobs:
                end, done = end + cost, done + 1
                if end > max(begin, now + LATENCY) + TARGET:
                    break
            heapq.heappush(free, (end, worker))
            heapq.heappush(flying, (end, next(number), jobs, done))

    hand_out()
    while flying:
        now, _, jobs, done = heapq.heappop(flying)
        answers += [index for index, _ in jobs[:done]]
        batches.learn(done, sum(cost for _, cost in jobs[:done]), 100 * len(jobs))
        batches.give_back(jobs[done:])
        hand_out()
    assert sorted(answers) == list(range(len(costs)))
    return now, messages


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize(
    ("costs", "most"),
    [
        ([1e-6] * 100_000, 4),
        ([1e-3] * 10_000, 1.3),
        ([0.03] * 200, 1.6),
        ([0.5] * 40, 1),
        ([1e-5] * 5000 + [0.5] * 16, 1.1),
        ([0.5] * 16 + [1e-5] * 5000, 1.1),
        ([1e-4, 0.2] * 40, 1.3),
    ],
    ids=["tiny", "short", "medium", "long", "long-last", "long-first", "mixed"],
)
def test_time_is_near_the_least_possible(costs, most, workers, ahead):
    """What all workers need at least, a few messages, and what nobody foresees: twice the longest item."""
    seconds, messages = simulated(costs, workers, ahead)
    least = max(sum(costs) / workers, max(costs))
    assert seconds < most * least + 2 * max(costs) + 10 * LATENCY
    assert messages <= len(costs)


def test_tiny_items_take_few_messages():
    _, messages = simulated([1e-6] * 100_000, 2)
    assert messages < 60


def test_nothing_to_do():
    assert Batches([], 2).take(0) == []


def test_long_items_are_not_handed_out_ahead():
    """One that waits behind another could be in the hands of a free worker."""
    batches = Batches(range(10), 2)
    assert batches.take(0) == [(0, 0)]
    batches.learn(1, 5 * TARGET, 100)
    assert batches.take(1) == [(1, 1)]
    assert batches.take(2) == []


def test_heavy_items_go_in_small_batches():
    batches = Batches(range(1000), 1)
    batches.take(0)
    batches.learn(1, 1e-6, HEAVY // 3)
    assert len(batches.take(0)) == 3


class TestDeaths:
    def test_one_death_is_nobodys_fault(self):
        batches = Batches("abc", 1)
        assert not batches.died(batches.take(0), 1)
        assert [batches.take(0) for _ in range(3)] == [[(0, "a")], [(1, "b")], [(2, "c")]]

    def test_who_was_there_twice_is_tried_alone(self):
        batches = Batches("abc", 3)
        a, b = batches.take(0), batches.take(1)
        for _ in range(2):
            assert not batches.died(a, 1)
            assert not batches.died(b, 1)
            if batches.left()[0] == (1, "b"):
                b, a = batches.take(0), batches.take(1)
        assert batches.take(1) == []
        assert batches.take(0) == [(0, "a")]  # and it comes back: innocent
        assert batches.take(1) == []
        assert batches.take(0) == [(1, "b")]
        assert batches.died([(1, "b")], 1)
        assert batches.left() == [(2, "c")]

    def test_deaths_that_the_cluster_has_counted(self):
        """A running cluster tries an item four times before it says so."""
        batches = Batches("ab", 1)
        assert not batches.died(batches.take(0), 4)
        assert batches.died(batches.take(0), 4)
