"""The reference algorithm: trial division in pure Python, the definition of correct.

It is slow on purpose. This is the CPU-bound work whose scheduling primerace studies, and the twin
against which the compiled kernels are tested.
"""

from math import isqrt
from operator import index

TYPE_CHECKING = False  # as type checkers know it; see primerace/__init__.py
if TYPE_CHECKING:
    from typing import SupportsIndex


def is_prime(n: "SupportsIndex", /) -> bool:
    """Tell whether n is prime by dividing by 2 and every odd number up to its integer square root.

    Args:
        n: an integer of any size, as `operator.index` accepts it; negative numbers are not prime.

    Returns:
        True where n is prime.

    Raises:
        TypeError: n is not an integer; the message names its type.

    >>> is_prime(97), is_prime(91)
    (True, False)
    """
    n = index(n)
    if n < 2:
        return False
    if n % 2 == 0:
        return n == 2
    for divisor in range(3, isqrt(n) + 1, 2):
        if n % divisor == 0:
            return False
    return True


def no_divisor(n: "SupportsIndex", first: "SupportsIndex", last: "SupportsIndex", /) -> bool:
    """A part of `is_prime`: tell whether none of first, first + 2, ... up to last divides n.

    Args:
        n: the dividend.
        first: an odd number.
        last: where to end, at the latest at the integer square root of n.

    Returns:
        True where none does.

    Raises:
        TypeError: one of them is not an integer.
        ValueError: first is not a positive odd number.

    >>> no_divisor(91, 3, 5), no_divisor(91, 3, 7)
    (True, False)
    """
    n, first, last = index(n), index(first), index(last)
    if first < 1 or first % 2 == 0:
        raise ValueError(f"the first divisor is a positive odd number, not {first}")
    for divisor in range(first, min(last, isqrt(max(n, 0))) + 1, 2):
        if n % divisor == 0:
            return False
    return True
