"""The heartbeat: does a program freeze while it computes?

Something beats at a steady pace beside the work: a spinner draws a frame, a thread notes the time. Where
the work lets it, the gaps between the beats are as long as the pace; where the program is frozen, one gap
is as long as the freeze. The gaps from the start to the first beat and from the last beat to the end count
too, so that a heart that never beat has one gap: the whole call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import Self

PACE = 0.01  # seconds between the beats of the thread: 100 a second
EARLY = 0.1  # of an interval: a beat that early is on time, one that near to the end is not seen any more


def gaps(stamps: Sequence[float], begin: float, end: float) -> list[float]:
    """The times without a beat, from the beginning to the end.

    Args:
        stamps: when it beat, in seconds, in ascending order; beats before `begin` or after `end` don't count.
        begin: when the time of interest begins, on the same clock.
        end: when it ends.

    Returns:
        Seconds between one beat and the next, and at both ends; their sum is `end - begin`.

    >>> gaps([1.0, 2.0, 4.0], 0.5, 4.5)
    [0.5, 1.0, 2.0, 0.5]
    >>> gaps([], 0.0, 3.0)
    [3.0]
    """
    inside = [begin, *(stamp for stamp in stamps if begin <= stamp <= end), end]
    return [after - before for before, after in zip(inside, inside[1:], strict=False)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed (nearest rank).

    Args:
        values: one value at least, in any order.
        share: above 0 and up to 1; 0.99 is the 99th percentile, 1 the largest value.

    Raises:
        ValueError: there is no value, or the share is out of range.

    >>> percentile([3.0, 1.0, 2.0], 0.5), percentile([3.0, 1.0, 2.0], 0.99)
    (2.0, 3.0)
    """
    if not values:
        raise ValueError("a percentile needs at least one value")
    if not 0 < share <= 1:
        raise ValueError(f"the share is above 0 and up to 1, such as 0.99, not {share}")
    rank = ceil(round(share * len(values), 9))  # 0.07 * 100 is 7.000000000000001
    return sorted(values)[max(rank, 1) - 1]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How regularly it beat.

    Args:
        beats: how many beats there were.
        due: how many there would have been at a steady pace.
        median_gap_seconds: of all gaps, those at both ends included.
        p99_gap_seconds: no more than 1% of the gaps are longer; of less than 100 gaps it is the longest.
        longest_gap_seconds: the longest freeze.
    """

    beats: int
    due: int
    median_gap_seconds: float
    p99_gap_seconds: float
    longest_gap_seconds: float

    @classmethod
    def of(cls, stamps: Sequence[float], begin: float, end: float, interval: float) -> "Rhythm":
        """The rhythm of these beats.

        Args:
            stamps: when it beat, in seconds, in ascending order.
            begin: when the first beat was due, on the same clock.
            end: when the work was done; what comes in the last tenth of an interval before it counts
                neither as due nor as a beat, since it may as well come after it.
            interval: seconds from one beat to the next at a steady pace.

        >>> Rhythm.of([0.0, 1.0, 3.0], 0.0, 3.5, interval=1.0)
        Rhythm(beats=3, due=4, median_gap_seconds=0.75, p99_gap_seconds=2.0, longest_gap_seconds=2.0)
        """
        between = gaps(stamps, begin, end)
        last = end - EARLY * interval
        return cls(
            beats=sum(begin <= stamp <= last for stamp in stamps),
            due=max(1, 1 + floor((last - begin) / interval)),
            median_gap_seconds=median(between),
            p99_gap_seconds=percentile(between, 0.99),
            longest_gap_seconds=max(between),
        )


def until_next(first: float, now: float, interval: float) -> float:
    """Seconds until the next beat is due: delays don't add up, and missed beats are not made up for.

    Args:
        first: when the first beat was.
        now: the time on the same clock.
        interval: seconds from one beat to the next.

    >>> until_next(10.0, 10.25, 1.0), until_next(10.0, 13.5, 1.0), until_next(10.0, 11.0, 1.0)
    (0.75, 0.5, 1.0)
    """
    return first + interval * (1 + floor((now - first) / interval + EARLY)) - now


def beat(done: Event, stamps: list[float], interval: float) -> None:
    """Note the time at every beat until it is done."""
    while True:
        stamps.append(perf_counter())
        if done.wait(until_next(stamps[0], stamps[-1], interval)):
            return


class Heartbeat:
    """A thread that beats while a block of code runs.

    Args:
        interval: seconds from one beat to the next.

    It needs the GIL to beat, as every thread of Python does: what keeps the GIL keeps it from beating.

    >>> with Heartbeat() as heart:
    ...     sum(range(1000))
    499500
    >>> heart.rhythm().longest_gap_seconds > 0
    True
    """

    def __init__(self, interval: float = PACE) -> None:
        self.interval = interval
        self._stamps: list[float] = []
        self._done = Event()
        self._begin = self._end = 0.0

    def __enter__(self) -> Self:
        arguments = (self._done, self._stamps, self.interval)
        self._thread = Thread(target=beat, args=arguments, name="heartbeat", daemon=True)
        self._begin = perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end = perf_counter()
        self._done.set()
        self._thread.join()

    def rhythm(self) -> Rhythm:
        """How regularly it beat, once the block has been left."""
        return Rhythm.of(self._stamps, self._begin, self._end, self.interval)
