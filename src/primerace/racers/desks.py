"""The desks of worker processes, in shared memory: each notes which item it has in hand.

So the items in flight are known when a worker dies.
"""

from collections.abc import Sequence
from typing import Any

from primerace.racers.base import NumberedItem

NOTHING = -1  # on a desk: no item in hand


def in_flight(desks: Sequence[int], items: Sequence[Any]) -> list[NumberedItem]:
    """The items that these desks say are in hand."""
    return [(index, items[index]) for index in desks if index != NOTHING]
