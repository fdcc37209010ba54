"""A for loop: the baseline."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from primerace.racers.base import Crew, Function, Outcome, Racer, perform


class Sequential(Racer):
    """One item after the other, in the caller's own thread."""

    name = "sequential"
    summary = "a for loop"
    single = True

    def start(self, workers: int) -> Crew:
        return SequentialCrew(self.name)


class SequentialCrew(Crew):
    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        epoch = perf_counter()
        for index, item in enumerate(items):
            yield self.checked(perform(function, index, item, 0, epoch, interruptible=True), items)

    def close(self) -> None:
        """There is nobody to end."""
