"""All strong pseudoprimes to base 2 below a limit, from nothing: a second for 10**9, seven for 10**10.

An odd composite n is one only if n = 1 modulo ord(q), the order of 2 modulo q, for each prime q that
divides it. As q = 1 modulo ord(q), the cofactor n / q is too. So let q be the largest prime of n:

- q < 500: so few products of such primes exist that all are built, once the primes are grouped by the power
  of 2 in their orders, which is the same for all primes of a strong pseudoprime;
- q < limit**0.6: the cofactors that are 1 modulo ord(q) are candidates, and few, as ord(q) is mostly large;
- larger q: ord(q) < limit / q is small, and q = 1 + j ord(q) is found among the divisors of 2**ord(q) - 1.

Every candidate is then tested. The counts agree with those of https://ntheory.org/pseudoprimes.html (also
OEIS A001262): 1282 below 10**9, 3291 below 10**10.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from math import gcd, lcm

import numpy as np
from definitions import is_prime, is_strong_probable_prime, primes_below, two_adic_valuation
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

SMALL = 500
"""Bounds the primes whose products are built: 92,000 products below 10**10, 423,000 if it were 1000."""

WHOLE_ORDERS = 62
"""For smaller m, 2**m - 1 is factored; from here on its divisors are sieved."""


@cache
def strong_pseudoprimes(limit: int) -> list[int]:
    """List every strong pseudoprime to base 2 below the limit, which is at most 2**34."""
    assert limit <= 1 << 34
    bound = int(limit**0.6)
    orders = {q: order_of_2(q) for q in primes_below(bound)[1:]}
    small = {q: order for q, order in orders.items() if q < SMALL}
    large = {q: order for q, order in orders.items() if q >= SMALL}
    for m in range(2, limit // bound + 1):
        for q in mersenne_divisors(m, bound, limit // m):
            large.setdefault(q, m)
    found = set(small_products(limit, small))
    for candidates in blocks(multiples(limit, large), 1 << 16):
        found.update(candidates[is_fermat_base_2(candidates)].tolist())
    return sorted(n for n in found if is_strong_probable_prime(n, 2))


def order_of_2(q: int) -> int:
    """Return the least m > 0 with 2**m = 1 modulo the odd prime q."""
    order = rest = q - 1
    p = 2
    while rest > 1:
        if p * p > rest:
            p = rest
        while rest % p == 0:
            rest //= p
            if pow(2, order // p, q) == 1:
                order //= p
        p += 1
    return order


def small_products(limit: int, orders: dict[int, int]) -> Iterator[int]:
    """Yield the products n < limit of different primes of one group that are 1 modulo all their orders.

    Products with a square are not needed: q*q divides 2**(q-1) - 1 for no prime q below 1093 (Wieferich).
    """
    groups = defaultdict(list)
    for q, order in orders.items():
        groups[two_adic_valuation(order)].append(q)
    stack = [(1, 1, group) for group in groups.values()]
    while stack:
        n, order, larger = stack.pop()
        for i, q in enumerate(larger):
            if n * q >= limit:
                break
            if gcd(q, order) == gcd(n, orders[q]) == 1:
                product, common = n * q, lcm(order, orders[q])
                if n > 1 and product % common == 1:
                    yield product
                stack.append((product, common, larger[i + 1 :]))


def mersenne_divisors(m: int, low: int, high: int) -> list[int]:
    """List all primes q with ord(q) = m and low <= q <= high, maybe with other divisors of 2**m - 1."""
    if m < WHOLE_ORDERS:
        return [q for q in mersenne_factors(m) if low <= q <= high]
    step = lcm(2, m)
    first = low // step + 1
    is_candidate = np.ones(max(0, high // step - first + 1), np.bool_)
    for p in (3, 5, 7, 11, 13, 17, 19, 23):
        if m % p:
            is_candidate[(-pow(step, -1, p) - first) % p :: p] = False
    q = (first + np.flatnonzero(is_candidate)) * step + 1
    if m % 2:
        q = q[(q % 8 == 1) | (q % 8 == 7)]  # 2 is a square modulo q when its order is odd
    power = np.ones_like(q)
    for bit in f"{m:b}":
        power = (power * power << int(bit)) % q
    return [int(x) for x in q[power == 1]]


def mersenne_factors(m: int) -> list[int]:
    """List the prime factors of 2**m - 1, m < WHOLE_ORDERS: at most one of them is beyond 2**21."""
    primes = trial_divisors()
    rest = (1 << m) - 1
    factors = [int(q) for q in primes[rest % primes == 0]]
    for q in factors:
        while rest % q == 0:
            rest //= q
    assert rest == 1 or is_prime(rest)
    return factors if rest == 1 else [*factors, rest]


@cache
def trial_divisors() -> Numbers:
    """List the primes below 2**21."""
    return np.array(primes_below(1 << 21))


def multiples(limit: int, orders: dict[int, int]) -> Iterator[Numbers]:
    """Yield the numbers q k < limit with k > 1 and k = 1 modulo lcm(2, ord(q)), an array for each prime q."""
    for q, order in orders.items():
        step = lcm(2, order)
        if q * (step + 1) < limit:
            yield np.arange(q * (step + 1), limit, q * step)


def blocks(arrays: Iterator[Numbers], size: int) -> Iterator[Numbers]:
    """Join short arrays and cut long ones, to about the size at which NumPy works in the cache."""
    waiting: list[Numbers] = []
    for array in arrays:
        waiting.append(array)
        if sum(map(len, waiting)) >= size:
            joined = np.concatenate(waiting)
            yield from np.array_split(joined, len(joined) // size)
            waiting = []
    yield from waiting


def is_fermat_base_2(n: Numbers) -> NDArray[np.bool_]:
    """Tell for each odd n < 2**34 whether 2**(n-1) = 1 modulo n.

    The quotient of a square is estimated in floating point: x*x / n < 2**34 is rounded by less than 1, so
    the remainder, exact modulo 2**64, is in (-n, 2n).
    """
    inverse = 1 / n
    x = 1 << (n - 1 >> 29)
    for i in reversed(range(29)):
        quotient = (x.astype(np.float64) ** 2 * inverse).astype(np.int64)
        x = (x * x - quotient * n << (n - 1 >> i & 1)) % n
    is_one: NDArray[np.bool_] = x == 1
    return is_one
