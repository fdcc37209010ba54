"""A job alone in this thread, one item after the other: before a race, to know the function.

Later laps meet the same items. So a function that changes them in place, or gives one object as its answer
again and again, is found out here, where each item and answer is compared with what it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from primerace.checking import Unrepeatable
from primerace.frozen import Frozen
from primerace.plain import shown
from primerace.racers import Outcome
from primerace.racers.base import Function, perform
from primerace.racers.sequential import Sequential


def run_alone(
    name: str, function: Function, items: Sequence[Any], indices: Sequence[int] | None = None
) -> Iterator[Outcome]:
    """Yield the outcome of each item, with a copy of the answer.

    Args:
        name: what an error calls the function.
        function: what to call.
        items: its arguments.
        indices: of the items that run, in this order; None is all of them.

    Raises:
        FunctionError: the function raised.
        Unrepeatable: it changed its item, or its answer to the item before.

    >>> [outcome.answer for outcome in run_alone("abs", abs, [-1, 2])]
    [1, 2]
    """
    crew, epoch = Sequential().start(1), perf_counter()
    answer = Frozen(None)
    for index in range(len(items)) if indices is None else indices:
        item = Frozen(items[index])
        outcome = crew.checked(perform(function, index, item.value, 0, epoch, interruptible=True), items)
        if item.has_changed():
            raise _changes(name, f"its item {index} in place", item.value, "let it change a copy")
        if answer.has_changed():
            what = f"its last answer when called with item {index}"
            raise _changes(name, what, answer.value, "let it give a new object each time")
        answer = Frozen(outcome.answer)
        yield replace(outcome, answer=answer.copy())


def _changes(name: str, what: str, now: Any, advice: str) -> Unrepeatable:
    return Unrepeatable(f"{name} is not repeatable: it changes {what}, which is {shown(now)} now; {advice}")
