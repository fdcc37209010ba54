"""The classes of numbers that primality tests are measured on, drawn from a fixed seed."""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

import primerace
from primerace.job import BOOK

Words = NDArray[np.uint64]

CLASSES = {
    "a": "random odd, 32 bits",
    "b": "random, 64 bits",
    "c": "random odd, 64 bits",
    "d": "primes, 64 bits",
    "e": "primes, 50 bits",
    "f": "products of two 32-bit primes",
    "g": "the book's 20 numbers",
}


def numbers_of(name: str, count: int, part: int = 1) -> Words:
    """Draw so many numbers of a class; the book's numbers are repeated.

    Args:
        name: one of CLASSES.
        count: how many.
        part: 2 for numbers of half the bits: trial division takes up to the root of n in steps.
    """
    generator = np.random.default_rng(ord(name))
    short, long, fifty = 32 // part, 64 // part, 50 // part
    match name:
        case "a":
            return odd(generator, 0, 1 << short, count)
        case "b":
            return generator.integers(0, 1 << long, count, np.uint64)
        case "c":
            return odd(generator, 0, 1 << long, count)
        case "d":
            return primes(generator, 1 << (long - 1), 1 << long, count)
        case "e":
            return primes(generator, 1 << (fifty - 1), 1 << fifty, count)
        case "f":
            low, high = 1 << (short - 1), 1 << short
            return primes(generator, low, high, count) * primes(generator, low, high, count)
        case "g":
            return np.resize(np.array(list(BOOK) if part == 1 else roots_of_book(), np.uint64), count)
    raise ValueError(f"there is no class {name!r}; the classes are {', '.join(CLASSES)}")


def roots_of_book() -> list[int]:
    """Numbers near the roots of the book's; where that one is a prime, a prime."""
    return [primerace.next_prime(isqrt(n)) if prime else isqrt(n) for n, prime in BOOK.items()]


def odd(generator: np.random.Generator, low: int, high: int, count: int) -> Words:
    """Draw odd numbers in [low, high), both even."""
    return generator.integers(low, high, count, np.uint64) | np.uint64(1)


def primes(generator: np.random.Generator, low: int, high: int, count: int) -> Words:
    """Draw primes in [low, high): more than one odd number in 25 is one, below 2**64."""
    found = np.empty(0, np.uint64)
    while len(found) < count:
        drawn = odd(generator, low, high, 25 * count)
        found = np.concatenate([found, drawn[primerace.is_prime(drawn)]])
    return found[:count]
