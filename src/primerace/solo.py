"""A job alone in this thread, one item after the other: before a race, to know the function."""

from collections.abc import Iterator, Sequence
from typing import Any

from primerace.racers import Outcome, RacerError
from primerace.racers.base import Function
from primerace.racers.sequential import Sequential


def run_alone(name: str, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
    """Yield the outcome of each item.

    Args:
        name: what an error calls the function.
        function: what to call.
        items: its arguments.

    Raises:
        RacerError: the function raised, or tried to end the program.

    >>> [outcome.answer for outcome in run_alone("abs", abs, [-1, 2])]
    [1, 2]
    """
    try:
        yield from Sequential().start(1).run(function, items)
    except SystemExit as leave:
        if type(leave) is not SystemExit:  # whoever ends this program does so with a kind of its own
            raise
        raise RacerError(f"{name} called sys.exit({leave.code!r})") from leave
