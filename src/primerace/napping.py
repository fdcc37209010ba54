"""The reference algorithm as a coroutine that naps, so that an event loop stays responsive.

Each nap, `await asyncio.sleep(0)`, lets the loop run everything else that is ready. That costs time: the
loop goes round once for each nap. Answers and exceptions are those of `trial.is_prime`.
"""

import asyncio
from math import isqrt
from operator import index
from typing import SupportsIndex

DIVISIONS = 50_000  # between two naps: some milliseconds, as long as the interpreter's own switch interval


async def is_prime(n: SupportsIndex, /) -> bool:
    """Tell whether n is prime by trial division, with a nap every 50,000 divisions.

    Args:
        n: an integer of any size, as `operator.index` accepts it; negative numbers are not prime.

    Returns:
        True where n is prime.

    Raises:
        TypeError: n is not an integer; the message names its type.

    >>> asyncio.run(is_prime(97))
    True
    """
    n = index(n)
    if n < 2:
        return False
    if n % 2 == 0:
        return n == 2
    last = isqrt(n)
    for first in range(3, last + 1, 2 * DIVISIONS):
        for divisor in range(first, min(first + 2 * DIVISIONS, last + 1), 2):
            if n % divisor == 0:
                return False
        await asyncio.sleep(0)
    return True
