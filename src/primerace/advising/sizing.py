"""How much of a job fits into the time that there is, and in which portions it is handed out.

Tiny items are handed out in chunks, as the code that is advised does: one by one they would cost more to
hand out than to compute, in every model.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from primerace.job import Job
from primerace.laps import Lap, item_costs
from primerace.racers import Outcome, RacerError
from primerace.racers.base import Failure, perform
from primerace.solo import run_alone
from primerace.stats import FEWEST_ROUNDS

TINY = 0.001  # seconds of an item below which items go in chunks
PORTION = 0.002  # seconds of a chunk
CHUNKS_EACH = 4  # chunks for each worker at least, so that none is left idle for long at the end
SEARCH = 4  # laps' time to spend on finding the sample
GROWTH = 8  # times as many items at most in the next try


@dataclass(frozen=True)
class Batched:
    """The function for a chunk of items: the list of its answers."""

    function: Any

    def __call__(self, chunk: Sequence[Any]) -> list[Any]:
        return [self.function(item) for item in chunk]


@dataclass(frozen=True)
class Sample:
    """The part of a job that races.

    Args:
        whole: all of the job.
        indices: where the items of the part are in the whole.
        outcomes: of some of them, called one by one.
        mean_seconds: what an item takes; of tiny ones without the clock that was read around each.
        chunk: how many items are handed out at once.
    """

    whole: Job
    indices: Sequence[int]
    outcomes: Sequence[Outcome]
    mean_seconds: float
    chunk: int

    @property
    def scale(self) -> float:
        """How many times as much the whole is."""
        return len(self.whole.items) / len(self.indices)

    @property
    def seconds(self) -> list[float]:
        """What the items took that were called one by one."""
        return [outcome.seconds for outcome in self.outcomes]

    def raced(self, laps: Sequence[Lap]) -> "Sample":
        """The same with the seconds that a for loop took in these laps of the race, where there are any."""
        if not laps:
            return self
        total = median(sum(outcome.seconds for outcome in lap.outcomes) for lap in laps)
        raced = replace(self, mean_seconds=total / len(self.indices))
        if self.chunk > 1:
            return raced
        costs = item_costs(laps, range(len(self.indices)))
        seconds = dict(zip(self.indices, costs, strict=True))
        return replace(raced, outcomes=[replace(each, seconds=seconds[each.index]) for each in self.outcomes])

    def job(self) -> Job:
        """What races: the items of the part, or chunks of them."""
        whole, indices = self.whole, self.indices
        items = [whole.items[index] for index in indices]
        expected = None if whole.expected is None else [whole.expected[index] for index in indices]
        if self.chunk == 1:
            labels = [f"item {index}" for index in indices]
            return Job(whole.name, items, expected, whole.function, whole.approx, labels)
        labels = [f"the chunk from item {index} on" for index in indices[:: self.chunk]]
        name = f"{whole.name} in chunks of {self.chunk}"
        answers = expected and _cut(expected, self.chunk)
        return Job(name, _cut(items, self.chunk), answers, Batched(whole.function), whole.approx, labels)


def _cut(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[first : first + size] for first in range(0, len(values), size)]


def take_sample(job: Job, seconds: float, contestants: int, workers: int) -> Sample:
    """Call the function with more and more items, drawn at random, until a lap takes what the time allows.

    Args:
        job: all of it.
        seconds: for the race of the sample.
        contestants: how many race.
        workers: how many workers each of them has.

    Raises:
        RacerError: the function raised, or changes its items.
    """
    a_lap = seconds / (SEARCH + 2 + FEWEST_ROUNDS * contestants)  # two laps warm up
    drawn = random.Random(0).sample(range(len(job.items)), len(job.items))
    count, begun, outcomes = min(len(drawn), workers), perf_counter(), list[Outcome]()
    while True:
        outcomes += _call(job, drawn[len(outcomes) : count])
        if _total(outcomes) < a_lap:  # what was met for the first time took longer
            outcomes = _call(job, drawn[:count])
        lap = _total(outcomes)
        fitting = min(len(drawn), int(count * min(GROWTH, a_lap / lap)))
        if fitting <= count or lap > a_lap / 2 or perf_counter() - begun > SEARCH * a_lap:
            break
        count = fitting
    each = lap / count
    if each < TINY:
        each = _mean_in_a_row(job, outcomes)
        count = max(count, min(len(drawn), int(a_lap / max(each, 1e-9))))
        _call(job, drawn[len(outcomes) : count])  # what raises in a chunk would be told by the chunk
    return Sample(job, sorted(drawn[:count]), outcomes, each, chunk_size(each, count, workers))


def _call(job: Job, indices: Sequence[int]) -> list[Outcome]:
    """The outcomes of these items, by their index in the job."""
    assert job.function is not None
    return list(run_alone(job.name, job.function, job.items, indices))


def _total(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.seconds for outcome in outcomes)


def _mean_in_a_row(job: Job, outcomes: Sequence[Outcome]) -> float:
    """What an item takes where nothing is done between the calls."""
    items = [job.items[outcome.index] for outcome in outcomes]
    row = perform(Batched(job.function), 0, items, 0, 0.0, interruptible=True)
    if isinstance(row, Failure):
        raise RacerError(f"{job.name} raised {row.error}")
    return row.seconds / len(items)


def chunk_size(seconds: float, count: int, workers: int) -> int:
    """How many items to hand out at once.

    Args:
        seconds: what an item takes.
        count: how many items there are.
        workers: among how many they are shared.

    >>> chunk_size(0.01, 100, 2), chunk_size(1e-5, 10_000, 2), chunk_size(1e-5, 80, 2)
    (1, 200, 10)
    """
    if seconds >= TINY:
        return 1
    wanted = ceil(round(PORTION / max(seconds, 1e-9), 6))
    return max(1, min(wanted, count // (CHUNKS_EACH * workers)))


def middle(seconds: Sequence[float]) -> tuple[float, float]:
    """The bounds between which 8 of 10 values lie.

    >>> middle([1.0] * 5)
    (1.0, 1.0)
    """
    if len(seconds) < 2:
        return seconds[0], seconds[0]
    tenths = quantiles(seconds, n=10, method="inclusive")
    return tenths[0], tenths[-1]
