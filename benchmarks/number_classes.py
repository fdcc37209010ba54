"""The classes of numbers that primality tests are measured on, drawn from a fixed seed."""

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


def numbers_of(name: str, count: int) -> Words:
    """Draw so many numbers of a class; the book's numbers are repeated."""
    generator = np.random.default_rng(ord(name))
    match name:
        case "a":
            return odd(generator, 0, 2**32, count)
        case "b":
            return generator.integers(0, 2**64, count, np.uint64)
        case "c":
            return odd(generator, 0, 2**64, count)
        case "d":
            return primes(generator, 2**63, 2**64, count)
        case "e":
            return primes(generator, 2**49, 2**50, count)
        case "f":
            return primes(generator, 2**31, 2**32, count) * primes(generator, 2**31, 2**32, count)
        case "g":
            return np.resize(np.array(list(BOOK), np.uint64), count)
    raise ValueError(f"there is no class {name!r}; the classes are {', '.join(CLASSES)}")


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
