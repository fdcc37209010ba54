"""The bound that list scheduling sets: how much faster w workers can be with these items in this order.

First come, first served: each item goes to the worker that is free first. Uneven items leave workers idle
at the end, so that even free and perfect parallelism can't give w times the speed (Graham, Bounds on
Multiprocessing Timing Anomalies, 1969).
"""

from collections.abc import Sequence
from heapq import heapreplace


def makespan(costs: Sequence[float], workers: int) -> float:
    """The time when the last worker is done.

    Args:
        costs: seconds for each item, in the order in which the items are handed out.
        workers: how many workers take items.

    >>> makespan([1, 1, 2], 2)
    3.0
    """
    busy_until = [0.0] * workers
    for cost in costs:
        heapreplace(busy_until, busy_until[0] + cost)
    return max(busy_until)


def bound(costs: Sequence[float], workers: int) -> float:
    """The speed-up over one worker that list scheduling allows.

    Args:
        costs: seconds for each item, in the order in which the items are handed out.
        workers: how many workers take items.

    Returns:
        The sum of the costs divided by their makespan; 1.0 for no costs at all.

    >>> bound([1, 1, 2], 2)
    1.3333333333333333
    """
    return sum(costs) / last if (last := makespan(costs, workers)) else 1.0
