"""The items of one run as Celery's tasks: which wait, which are out, which are answered.

Only so many are out at a time: a long job does not fill the memory of Redis. They are sent in batches of
half as many at least.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any

from primerace.racers.base import Function
from primerace.racers.messages import function_text, item_text

WINDOW = 256  # tasks that are out, at most

Task = tuple[str, tuple[Any, ...]]  # its name, and the arguments


class Run:
    """All items of one run.

    Args:
        racer: whose errors these are.
        prefix: with which the names of the tasks begin; the item's index follows.
        function: what is called.
        items: with what.

    Raises:
        RacerError: the function or an item can't travel.
    """

    def __init__(self, racer: str, prefix: str, function: Function, items: Sequence[Any]) -> None:
        self.items, self._prefix = items, prefix
        self._function = function_text(racer, function)
        self._texts = [item_text(racer, index, item) for index, item in enumerate(items)]
        self.undone = set(range(len(items)))
        self.out: set[int] = set()
        self._waiting = deque(range(len(items)))
        self._missed: dict[int, float] = {}  # item -> since when
        self.epoch = perf_counter()

    def batch(self) -> list[Task]:
        """The tasks to send next, if it is time for that."""
        room = WINDOW - len(self.out)
        if room < WINDOW // 2:
            return []
        indices = [self._waiting[place] for place in range(min(room, len(self._waiting)))]
        return [(self._name(index), self._arguments(index)) for index in indices]

    def sent(self, tasks: Sequence[Task]) -> None:
        """That batch is out."""
        self.out.update(self._waiting.popleft() for _ in tasks)

    def _name(self, index: int) -> str:
        return f"{self._prefix}{index}"

    def _arguments(self, index: int) -> tuple[Any, ...]:
        return self._function, index, self._texts[index], self.epoch

    def names(self, indices: Iterable[int]) -> list[str]:
        """The names of the tasks of these items."""
        return [self._name(index) for index in indices]

    def has(self, name: str) -> bool:
        """Whether a task is of this run."""
        return name.startswith(self._prefix)

    def index_of(self, name: str) -> int:
        """The item of a task; -1 where it is of an earlier run."""
        return int(name.removeprefix(self._prefix)) if self.has(name) else -1

    def done(self, index: int) -> None:
        """An item is answered."""
        self.undone.discard(index)
        self._missed.pop(index, None)
        if index in self.out:
            self.out.remove(index)
        else:  # it was to be sent again
            self._waiting.remove(index)

    def miss(self, indices: Iterable[int], patience: float) -> None:
        """These items are out, and nobody has them: those missed before, for longer, are sent again."""
        now = perf_counter()
        self._missed = {index: self._missed.get(index, now) for index in indices}
        again = [index for index, since in self._missed.items() if now - since > patience]
        self.send_again(again)
        for index in again:
            del self._missed[index]

    def send_again(self, indices: Iterable[int]) -> None:
        """Send these items again."""
        again = sorted(indices)
        self.out.difference_update(again)
        self._waiting.extendleft(reversed(again))
