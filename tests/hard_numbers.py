"""Numbers that are hard for a primality test: composites that pass half of it, and numbers at every border.

All are generated, here and in `strong_pseudoprimes` (the complete list to base 2); the few facts taken from
elsewhere name their source. What passes which test is decided by the slow tests of `definitions`.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, count, islice
from math import gcd, isqrt, prod

from definitions import (
    is_almost_extra_strong_lucas_probable_prime,
    is_extra_strong_lucas_probable_prime,
    is_prime,
    is_strong_lucas_probable_prime,
    is_strong_probable_prime,
    jacobi,
    primes_below,
)
from strong_pseudoprimes import strong_pseudoprimes

__all__ = [
    "LARGE_PRIMES",
    "MERSENNE_EXPONENTS",
    "PSI",
    "almost_extra_strong_lucas_pseudoprimes",
    "arnault_composite",
    "around_powers_of_two",
    "carmichael_numbers",
    "chernick_numbers",
    "extra_strong_lucas_pseudoprimes",
    "extra_strong_lucas_semiprimes",
    "fermat_numbers",
    "mersenne_numbers",
    "prime_powers",
    "primes_around",
    "primes_below",
    "strong_lucas_pseudoprimes",
    "strong_pseudoprimes",
    "strong_semiprimes",
]

PSI = (
    2047,
    1373653,
    25326001,
    3215031751,
    2152302898747,
    3474749660383,
    341550071728321,
    341550071728321,
    3825123056546413051,
    3825123056546413051,
    3825123056546413051,
    318665857834031151167461,
    3317044064679887385961981,
)
"""PSI[k-1] is the least strong pseudoprime to the first k prime bases (OEIS A014233)."""

MERSENNE_EXPONENTS = (2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279, 2203, 2281, 3217)
"""The exponents p <= 3217 for which 2**p - 1 is prime (OEIS A000043)."""

LARGE_PRIMES = {
    "next after 2**64": 2**64 + 13,
    "least of 30 digits": 10**29 + 319,
    "googol": 10**100 + 267,
    "least of 1000 digits": 10**999 + 7,
    "Curve25519": 2**255 - 19,
    "NIST P-256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "NIST P-384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "Curve448": 2**448 - 2**224 - 1,
}
"""Proven primes beyond 2**64 (OEIS A013597, A033873; RFC 7748; FIPS 186-4)."""


@cache
def strong_lucas_pseudoprimes(limit: int = 50_000) -> list[int]:
    """List the strong Lucas pseudoprimes below the limit (OEIS A217255)."""
    return pseudoprimes(is_strong_lucas_probable_prime, limit)


@cache
def extra_strong_lucas_pseudoprimes(limit: int = 50_000) -> list[int]:
    """List the extra strong Lucas pseudoprimes below the limit (OEIS A217719)."""
    return pseudoprimes(is_extra_strong_lucas_probable_prime, limit)


@cache
def almost_extra_strong_lucas_pseudoprimes(limit: int = 50_000) -> list[int]:
    """List the almost extra strong ones (https://ntheory.org/pseudoprimes.html)."""
    return pseudoprimes(is_almost_extra_strong_lucas_probable_prime, limit)


def pseudoprimes(is_probable_prime: Callable[[int], bool], limit: int) -> list[int]:
    """List the odd composites below the limit that pass the test."""
    primes = set(primes_below(limit))
    return [n for n in range(9, limit, 2) if n not in primes and is_probable_prime(n)]


@cache
def strong_semiprimes(below: int = 1 << 64, each: int = 20) -> list[int]:
    """List strong pseudoprimes to base 2 of the form (k+1)(rk+1): the greatest below a bound, each r <= 8.

    Most large ones have this form: if both factors are prime, the orders of 2 modulo them have a good chance
    to divide k, and so n - 1 = k (rk + r + 1). The factors are of like size: trial division is of no use.
    """

    def passes(n: int) -> bool:
        return is_strong_probable_prime(n, 2)

    return [n for r in range(2, 9) for n in islice(filter(passes, products(+1, r, below)), each)]


@cache
def extra_strong_lucas_semiprimes(below: int = 1 << 64, each: int = 10) -> list[int]:
    """List extra strong Lucas pseudoprimes of the form (k-1)(rk+1): the greatest below a bound, even r <= 8.

    The counterpart of strong_semiprimes: the orders may divide k, and so n + 1 = k (rk - r + 1).
    """
    passes = is_extra_strong_lucas_probable_prime
    return [n for r in (2, 4, 6, 8) for n in islice(filter(passes, products(-1, r, below)), each)]


def products(sign: int, r: int, below: int) -> Iterator[int]:
    """Yield the (k + sign)(rk + 1) below a bound, k even, without divisors below 100, the greatest first."""
    small = prod(primes_below(100))
    for k in range(isqrt(below // r) - 2 & -2, 100, -2):
        n = (k + sign) * (r * k + 1)
        if gcd(n, small) == 1:
            yield n


@cache
def carmichael_numbers(limit: int = 1_000_000) -> list[int]:
    """List the Carmichael numbers below the limit: 43 below 10**6 (OEIS A002997, A055553).

    By Korselt's criterion they are squarefree composites n such that p - 1 divides n - 1 for each of their
    primes p.
    """
    primes = primes_below(isqrt(limit) + 1)

    def is_carmichael(n: int) -> bool:
        if pow(2, n - 1, n) != 1:
            return False
        factors = [p for p in primes if n % p == 0]
        rest = n // prod(factors)
        is_squarefree = all(rest % p for p in factors)
        return is_squarefree and all((n - 1) % (p - 1) == 0 for p in [*factors, rest] if p > 1)

    return pseudoprimes(is_carmichael, limit)


@cache
def chernick_numbers(start: int = 1, number: int = 20) -> list[int]:
    """List Carmichael numbers (6m+1)(12m+1)(18m+1) with all factors prime, m >= start (J. Chernick, 1939)."""
    ms = (m for m in count(start) if is_prime(6 * m + 1) and is_prime(12 * m + 1) and is_prime(18 * m + 1))
    return [(6 * m + 1) * (12 * m + 1) * (18 * m + 1) for m in islice(ms, number)]


@cache
def prime_powers() -> list[int]:
    """List squares and cubes of primes: small ones, and those around 32, 50, 64, 100 and 128 bits."""
    powers = {p**e for p in primes_below(1000) for e in (2, 3)} | {1093**2, 3511**2}
    for bits in (32, 50, 64, 100, 128):
        for e in (2, 3):
            powers |= {p**e for p in primes_around(1 << bits // e, 2)}
    return sorted(powers)


def primes_around(n: int, number: int) -> list[int]:
    """List the given number of primes on each side of n."""
    below = islice(filter(is_prime, range(n, 1, -1)), number)
    return sorted([*below, *islice(filter(is_prime, count(n + 1)), number)])


def around_powers_of_two(exponents: range = range(1, 65), radius: int = 32) -> list[int]:
    """List every number at most a radius away from a power of two, and not negative."""
    return sorted({n for e in exponents for n in range(max(0, 2**e - radius), 2**e + radius + 1)})


def mersenne_numbers(exponent: int = 1300) -> Iterator[tuple[int, bool]]:
    """Yield 2**p - 1 for the primes p up to an exponent of at most 3217, and whether it is prime."""
    for p in primes_below(exponent + 1):
        yield 2**p - 1, p in MERSENNE_EXPONENTS


def fermat_numbers(index: int = 11) -> Iterator[tuple[int, bool]]:
    """Yield F_k = 2**2**k + 1 for k up to an index of at most 32, and whether it is prime (OEIS A019434).

    F_0 to F_4 are prime, F_5 to F_32 are not, and all are strong probable primes to base 2.
    """
    for k in range(index + 1):
        yield 2**2**k + 1, k <= 4


@cache
def arnault_composite(number_of_bases: int) -> int:
    """Construct a strong pseudoprime beyond 2**64 to each of the first so many prime bases.

    F. Arnault, Constructing Carmichael numbers which are strong pseudoprimes to several bases, J. Symbolic
    Comput. 20, 1995: n = p1 p2 p3 with p_i = k_i (p1 - 1) + 1, k_1 = 1. It is a Carmichael number if p1 k3
    = -1 modulo k2 and p1 k2 = -1 modulo k3. If also each p_i = 3 modulo 4 and each base is a non-residue
    modulo each p_i, then (n - 1) / 2 is an odd multiple of each (p_i - 1) / 2, and base**((n-1)/2) = -1
    modulo n. All are conditions on p1 modulo small numbers; the first p1 that meets them and makes all
    three prime is taken.
    """
    bases, others = primes_below(1000)[:number_of_bases], primes_below(1000)[number_of_bases:]
    for k2, k3 in combinations([k for k in others if k % 4 == 1], 2):
        residues = [common_non_residue(base, (1, k2, k3)) for base in bases]
        if None not in residues:
            break
    conditions = [(3, 4), (-pow(k3, -1, k2), k2), (-pow(k2, -1, k3), k3)]
    conditions += [(residue, 4 * base) for residue, base in zip(residues, bases, strict=True) if residue]
    for p1 in count(*chinese_remainder(conditions)):
        factors = [k * (p1 - 1) + 1 for k in (1, k2, k3)]
        if all(is_strong_probable_prime(p, 2) for p in factors) and prod(factors) > 1 << 64:
            return prod(factors)
    raise AssertionError("unreachable: a progression without common divisors has primes")


def common_non_residue(base: int, factors: tuple[int, ...]) -> int | None:
    """Return a z = 3 modulo 4 for which all Jacobi symbols (base | k (z - 1) + 1) are -1, k in factors."""
    for z in range(3, 4 * base, 4):
        if all(jacobi(base, k * (z - 1) + 1) == -1 for k in factors):
            return z
    return None


def chinese_remainder(conditions: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the x and m with x + m j, for any j, being what meets all conditions (residue, modulus)."""
    x, m = 0, 1
    for residue, modulus in conditions:
        g = gcd(m, modulus)
        x += m * ((residue - x) // g * pow(m // g, -1, modulus // g) % (modulus // g))
        m *= modulus // g
    return x, m
