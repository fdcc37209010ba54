"""Batches of items for an engine whose every message costs milliseconds.

Guided self-scheduling: a batch is as many items as a worker does in a tenth of a second, by the latest batch
that came back, and at most a fair share of what is left, so that all workers end together; but none is so
small that its message costs more than its work. Sizes begin with one item and grow eightfold at most, for
nobody knows what the next items take; a worker that finds a batch longer than expected gives the rest back.

Guided self-scheduling: Polychronopoulos and Kuck, IEEE Transactions on Computers C-36 (1987).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from primerace.racers.base import TRIES, NumberedItem

TARGET = 0.1  # seconds of work in a batch
LEAST = 0.01  # seconds of work that are worth a message
HEAVY = 1 << 23  # bytes of a message that is not made any longer
GROWTH = 8.0  # of a batch against the one before


class Batches:
    """The items of a run that nobody has in hand, and in which portions they are handed out.

    Args:
        items: in the order in which they are handed out.
        workers: how many there are.
        ahead: whether short items are handed out ahead, a second batch for each worker, so that none waits.

    >>> batches = Batches("abcdefghijklmnop", workers=1)
    >>> batches.take(flying=0), batches.take(flying=1)
    ([(0, 'a')], [])
    >>> batches.learn(done=1, seconds=0.02, size=100)
    >>> [[item for _, item in batches.take(flying)] for flying in range(2)]
    [['b', 'c', 'd', 'e', 'f'], ['g', 'h', 'i', 'j', 'k']]
    """

    def __init__(self, items: Iterable[Any], workers: int, ahead: bool = True) -> None:
        self._pending: deque[NumberedItem] = deque(enumerate(items))
        self._suspects: deque[NumberedItem] = deque()
        self._deaths: dict[int, int] = {}
        self._workers = workers
        self._ahead = ahead
        self._size = 1.0  # in items; so is the next
        self._least = 1.0

    def take(self, flying: int) -> list[NumberedItem]:
        """The next batch; none where enough are in flight, or nothing is left.

        An item that was there when workers died goes out when nothing else is in flight.

        Args:
            flying: how many batches are in flight.
        """
        if self._suspects:
            return [] if flying else [self._suspects.popleft()]
        if flying >= self._workers * (2 if self._ahead and self._size > 1 else 1):
            return []
        share = max(self._least, len(self._pending) / (2 * self._workers))
        size = min(max(1, int(min(self._size, share))), len(self._pending))
        return [self._pending.popleft() for _ in range(size)]

    def learn(self, done: int, seconds: float, size: int) -> None:
        """Take note of a batch that came back.

        Args:
            done: how many of its items were done.
            seconds: the worker's time for them.
            size: bytes of its messages.
        """
        each = max(seconds / done, 1e-9)
        self._size = max(1.0, min(TARGET / each, HEAVY * done / size, self._size * GROWTH))
        self._least = LEAST / each

    def give_back(self, jobs: Sequence[NumberedItem]) -> None:
        """Have these items handed out next."""
        self._pending.extendleft(reversed(jobs))

    def died(self, jobs: Sequence[NumberedItem], times: int) -> bool:
        """Take note that so many workers died with this batch in hand, and have it tried again.

        Returns:
            Whether its one item is to blame: it was alone when it was tried for the last time.
        """
        self._size = self._least = 1.0
        innocent = []
        for index, item in jobs:
            before = self._deaths.get(index, 0)
            if before >= TRIES - 1:
                return True
            self._deaths[index] = before + times
            if before + times >= TRIES - 1:
                self._suspects.append((index, item))
            else:
                innocent.append((index, item))
        self.give_back(innocent)
        return False

    def left(self) -> list[NumberedItem]:
        """What nobody has in hand."""
        return [*self._suspects, *self._pending]
