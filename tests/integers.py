"""What is an integer and what is none, and arrays of integers: what the tests of is_prime give to it."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np

NUMBERS = np.arange(-3, 12)
PRIMES = [n in (2, 3, 5, 7, 11) for n in NUMBERS.tolist()]
MANY = np.random.default_rng(3).integers(-(2**63), 2**63, (40, 5000))


class Index:
    """An integer by its index alone."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __index__(self) -> int:
        return self.n


class IndexWithLength(Index):
    """An integer to `operator.index`, whatever else it is."""

    def __len__(self) -> int:
        return 1


class StrangeInt(int):
    """An int that compares as it likes."""

    def __lt__(self, other: int) -> bool:
        return True

    __le__ = __lt__


INTEGERS = [
    (7, True),
    (-7, False),
    (-(2**63), False),
    (-(2**64), False),
    (0, False),
    (True, False),
    (False, False),
    (Index(97), True),
    (Index(-2), False),
    (IndexWithLength(97), True),
    (StrangeInt(97), True),
    *[(getattr(np, f"{sign}int{bits}")(97), True) for sign in ("", "u") for bits in (8, 16, 32, 64)],
    (np.int8(-97), False),
    (2**31 - 1, True),
    (2**32 + 1, False),
]

NOT_INTEGERS = [
    (7.0, "float"),
    (float("nan"), "float"),
    ("7", "str"),
    (b"7", "bytes"),
    (None, "NoneType"),
    (7j, "complex"),
    (Decimal(7), "Decimal"),
    (Fraction(7), "Fraction"),
    (datetime.date(2027, 1, 1), "date"),
    (datetime.datetime(2027, 1, 1), "datetime"),
    (np.float64(7), "float64"),
    (np.datetime64(7, "ns"), "datetime64"),
    (object(), "object"),
    ({7}, "set"),
    ({7: 7}, "dict"),
    (iter([7]), "list_iterator"),
]
