"""The bound that list scheduling sets: how much faster w workers can be with these items in this order.

First come, first served: each item goes to the worker that is free first. Uneven items leave workers idle
at the end, so that even free and perfect parallelism can't give w times the speed (Graham, Bounds on
Multiprocessing Timing Anomalies, 1969).
"""

from collections.abc import Sequence
from heapq import heapreplace


def bound(costs: Sequence[float], workers: int) -> float:
    """The speed-up over one worker that list scheduling allows.

    Args:
        costs: seconds for each item, in the order in which the items are handed out.
        workers: how many workers take items.

    Returns:
        The sum of the costs divided by the time when the last worker is done; 1.0 for no costs at all.

    >>> bound([1, 1, 2], 2)
    1.3333333333333333
    """
    busy_until = [0.0] * workers
    for cost in costs:
        heapreplace(busy_until, busy_until[0] + cost)
    last = max(busy_until)
    return sum(costs) / last if last else 1.0
