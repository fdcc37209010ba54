"""A job alone in this thread, one item after the other: before a race, to know the function."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from primerace.racers import Outcome
from primerace.racers.base import Function, perform
from primerace.racers.sequential import Sequential


def run_alone(
    name: str, function: Function, items: Sequence[Any], indices: Sequence[int] | None = None
) -> Iterator[Outcome]:
    """Yield the outcome of each item.

    Args:
        name: what an error calls the function.
        function: what to call.
        items: its arguments.
        indices: of the items that run, in this order; None is all of them.

    Raises:
        FunctionError: the function raised.

    >>> [outcome.answer for outcome in run_alone("abs", abs, [-1, 2])]
    [1, 2]
    """
    crew, epoch = Sequential().start(1), perf_counter()
    for index in range(len(items)) if indices is None else indices:
        yield crew.checked(perform(function, index, items[index], 0, epoch, interruptible=True), items)
