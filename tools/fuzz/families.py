"""Families of 64-bit numbers on which a primality test may fail, drawn at random.

Each family is a function of a generator, and returns as many numbers as its construction happens to yield,
about SIZE of them. Where a construction needs primes, they are chosen by is_prime itself: a wrong answer
there changes which numbers are drawn, and every one that is drawn is checked.
"""

from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import NDArray

import primerace

SIZE = 1 << 16
BORDERS = (2**7, 2**14, 2**31, 2**32, 2**49, 2**50, 2**51, 2**52, 2**53, 2**63, 2**64 - 1)
"""Where the code takes another path, or a type ends."""

Words = NDArray[np.uint64]
Generator = np.random.Generator

ONE, TWO = np.uint64(1), np.uint64(2)
SMALL = np.uint64(prod((2, 3, 5, 7, 11, 13)))
COPRIME = np.flatnonzero(np.gcd(np.arange(int(SMALL)), int(SMALL)) == 1).astype(np.uint64)


def uniform(draw: Generator) -> Words:
    """Any 64-bit number."""
    return words(draw)


def every_length(draw: Generator) -> Words:
    """Numbers of 1 to 64 bits, each length as often as any other."""
    return of_every_length(draw, SIZE)


def consecutive_odd(draw: Generator) -> Words:
    """Neighbours, as in a search."""
    start = of_every_length(draw, 1) | ONE
    return start + TWO * np.arange(SIZE, dtype=np.uint64)


def near_borders(draw: Generator) -> Words:
    """Most are a few away from a border, some far."""
    return draw.choice(np.array(BORDERS, np.uint64), SIZE) + distances(draw)


def near_powers_of_two(draw: Generator) -> Words:
    """Most are a few away from a power of two, some far."""
    return (ONE << draw.integers(0, 64, SIZE, np.uint64)) + distances(draw)


def few_bits(draw: Generator) -> Words:
    """Sums and differences of four powers of two: long runs of equal bits."""
    bits = ONE << draw.integers(0, 64, (4, SIZE), np.uint64)
    return bits[0] + bits[1] - bits[2] + np.where(draw.random(SIZE) < 0.5, ONE, bits[3])


def beside_multiples_of_powers(draw: Generator) -> Words:
    """odd * 2**s + 1 and - 1: the tests square on for s steps."""
    odd = of_every_length(draw, SIZE) | ONE
    step = draw.choice(np.array([1, 2**64 - 1], np.uint64), SIZE)
    return (odd << draw.integers(1, 60, SIZE, np.uint64)) + step


def rough(draw: Generator) -> Words:
    """Numbers without a factor up to 13; below 2**64 more than one in nine is prime."""
    return of_every_length(draw, SIZE) // SMALL * SMALL + draw.choice(COPRIME, SIZE)


def primes(draw: Generator) -> Words:
    """Primes alone, which take every stage."""
    return only_primes(np.concatenate([rough(draw) for _ in range(8)]))


def products(draw: Generator) -> Words:
    """Products of two primes of any sizes."""
    p = neighbouring_primes(draw)
    return p * draw.permutation(p)


def products_of_neighbours(draw: Generator) -> Words:
    """Products of two primes next to each other, or nearly so."""
    p = neighbouring_primes(draw)
    return p[:-1] * p[1:]


def squares_and_cubes(draw: Generator) -> Words:
    """No Lucas parameter exists for the squares."""
    p = neighbouring_primes(draw)
    short = p[p < 1 << 21]
    return np.concatenate([p * p, short * short * short])


def strong_pseudoprimes(draw: Generator) -> Words:
    """(k + 1)(r k + 1), both prime: most large strong pseudoprimes to base 2 are of this form."""
    p = neighbouring_primes(draw)
    return np.concatenate([times_prime(p, r * (p - ONE) + ONE) for r in np.arange(2, 9, dtype=np.uint64)])


def lucas_pseudoprimes(draw: Generator) -> Words:
    """(k - 1)(r k + 1), both prime: the same for the extra strong Lucas test."""
    p = neighbouring_primes(draw)
    return np.concatenate([times_prime(p, r * (p + ONE) + ONE) for r in np.arange(2, 9, 2, dtype=np.uint64)])


def carmichael_forms(draw: Generator) -> Words:
    """Products of three primes k (p - 1) + 1, as Chernick's and Arnault's numbers are."""
    p = neighbouring_primes(draw)
    found = []
    for _ in range(6):
        k, m = draw.choice(np.arange(2, 16, dtype=np.uint64), 2, replace=False)
        first = p[p < int((2**64 / int(k * m)) ** (1 / 3))]
        second, third = k * (first - ONE) + ONE, m * (first - ONE) + ONE
        both = primerace.is_prime(second) & primerace.is_prime(third)
        found.append((first * second * third)[both])
    return np.concatenate(found)


def large_parameters(draw: Generator) -> Words:
    """Squares modulo 8 and each odd prime up to 23: the search for the Lucas parameter takes long."""
    modulus = np.uint64(8 * prod((3, 5, 7, 11, 13, 17, 19, 23)))
    root = words(draw) >> np.uint64(32) | ONE
    return of_every_length(draw, SIZE) // modulus * modulus + root * root % modulus


FAMILIES: tuple[Callable[[Generator], Words], ...] = (
    uniform,
    every_length,
    consecutive_odd,
    near_borders,
    near_powers_of_two,
    few_bits,
    beside_multiples_of_powers,
    rough,
    primes,
    products,
    products_of_neighbours,
    squares_and_cubes,
    strong_pseudoprimes,
    lucas_pseudoprimes,
    carmichael_forms,
    large_parameters,
)


def words(draw: Generator, count: int = SIZE) -> Words:
    """Draw 64-bit numbers."""
    return draw.integers(0, 2**64, count, np.uint64)


def of_every_length(draw: Generator, count: int) -> Words:
    """Draw numbers of 1 to 64 bits."""
    return words(draw, count) >> draw.integers(0, 64, count, np.uint64)


def distances(draw: Generator) -> Words:
    """Draw what is added to go a little up or down: modulo 2**64 the one is as good as the other."""
    far = words(draw) >> draw.integers(40, 64, SIZE, np.uint64)
    return np.where(draw.random(SIZE) < 0.5, far, 0 - far)


def only_primes(numbers: Words) -> Words:
    """Leave the primes."""
    return numbers[primerace.is_prime(numbers)]


def neighbouring_primes(draw: Generator) -> Words:
    """Draw primes of 3 to 32 bits in runs, within which none is left out."""
    starts = (words(draw, 400) >> draw.integers(32, 62, 400, np.uint64)) | ONE
    runs = starts[:, None] + TWO * np.arange(2000, dtype=np.uint64)
    return only_primes(runs[runs < 1 << 32])


def times_prime(p: Words, q: Words) -> Words:
    """Multiply where q is prime and the product a word."""
    fitting = q < np.uint64(2**64 - 1) // p
    p, q = p[fitting], q[fitting]
    return (p * q)[primerace.is_prime(q)]
