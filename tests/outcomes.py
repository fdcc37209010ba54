"""What came of a run, as most tests look at it."""

from collections.abc import Iterable
from typing import Any

from primerace.racers import Outcome


def answers(outcomes: Iterable[Outcome]) -> list[Any]:
    """The answers in the order of the items; an item lost or answered twice is an error."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.index)
    assert [outcome.index for outcome in ordered] == list(range(len(ordered)))
    return [outcome.answer for outcome in ordered]
