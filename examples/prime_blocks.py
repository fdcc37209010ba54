"""Counting primes among random 64-bit integers, a block of a million at a time: an item is only a seed.

    primerace race --function ./examples/prime_blocks.py:count --workers 2 --rounds 12 \\
        --items-from ./examples/prime_blocks.py:seeds --racers sequential,threads,processes,dask,celery,rq

Each worker draws its numbers itself, so that a message is a few bytes for 30 ms of work.
"""

from collections.abc import Iterator

import numpy as np

import primerace

BLOCKS = 32
NUMBERS = 1_000_000  # in a block


def count(seed: int) -> int:
    """How many of the block's numbers are prime."""
    numbers = np.random.default_rng(seed).integers(2**64, size=NUMBERS, dtype=np.uint64)
    return int(np.count_nonzero(primerace.is_prime(numbers)))


def seeds() -> Iterator[int]:
    """One seed for each block."""
    yield from range(BLOCKS)
