"""Numbers that take a kernel a given time on this machine, whatever its speed."""

import math
from functools import cache
from time import perf_counter

from primerace import next_prime
from primerace.kernels import KERNELS

SAMPLE = 50_000_000_000_053  # a prime: some milliseconds of compiled trial division
LARGEST = 2**64 - 59  # the largest prime that the compiled kernels take


def seconds_of(kernel: str, prime: int) -> float:
    """What trial division of a prime takes: its time grows with the square root."""
    return math.sqrt(prime / SAMPLE) * _sample_seconds(kernel)


def prime_for(kernel: str, seconds: float) -> int:
    """A prime that takes this kernel about as long; never less, as long as there is one."""
    return min(LARGEST, next_prime(int(SAMPLE * (seconds / _sample_seconds(kernel)) ** 2)))


@cache
def _sample_seconds(kernel: str) -> float:
    """The shortest of a few calls."""
    return min(_timed(kernel) for _ in range(5))


def _timed(kernel: str) -> float:
    began = perf_counter()
    assert KERNELS[kernel](SAMPLE)
    return perf_counter() - began
