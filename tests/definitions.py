"""What the tests hold the fast code to: definitions of primality and of pseudoprimality, written plainly.

None shares code with the package, and speed is no aim here. But for `is_prime`, all n are odd and > 2.
"""

from collections.abc import Iterator
from itertools import compress, count
from math import gcd, isqrt

PSI_13 = 3317044064679887385961981
"""The least strong pseudoprime to the first 13 prime bases (J. Sorenson, J. Webster, Strong pseudoprimes to
twelve prime bases, Math. Comp. 86, 2017)."""


def primes_below(limit: int) -> list[int]:
    """List the primes below the limit, by the sieve of Eratosthenes."""
    marks = bytearray(b"\0\0" + b"\1" * (limit - 2))
    for i in range(2, isqrt(limit) + 1):
        if marks[i]:
            marks[i * i :: i] = bytes(len(range(i * i, limit, i)))
    return list(compress(range(limit), marks))


def is_prime(n: int) -> bool:
    """Tell whether n < PSI_13 is prime: proven, by strong tests to the first 13 prime bases."""
    assert n < PSI_13
    bases = primes_below(42)
    if n <= bases[-1]:
        return n in bases
    return all(n % a and is_strong_probable_prime(n, a) for a in bases)


def is_strong_probable_prime(n: int, base: int) -> bool:
    """With n - 1 = d * 2**s, d odd: is base**d = 1, or base**(d * 2**r) = -1 for 0 <= r < s, modulo n?"""
    s = two_adic_valuation(n - 1)
    d = (n - 1) >> s
    return pow(base, d, n) == 1 or any(pow(base, d << r, n) == n - 1 for r in range(s))


def is_strong_lucas_probable_prime(n: int) -> bool:
    """With n + 1 = d * 2**s, d odd: is U_d = 0, or V_(d * 2**r) = 0 for 0 <= r < s, modulo n?

    The parameters are Selfridge's: P = 1, Q = (1 - D) / 4, D the first of 5, -7, 9, -11, ... with Jacobi
    symbol (D | n) = -1 (R. Baillie, S. S. Wagstaff, Lucas pseudoprimes, Math. Comp. 35, 1980, method A).
    """
    discriminant = first_non_residue(n, (k if k % 4 == 1 else -k for k in count(5, 2)))
    if discriminant is None:
        return False
    q = (1 - discriminant) // 4
    s = two_adic_valuation(n + 1)
    u, _ = lucas((n + 1) >> s, 1, q, n)
    return u == 0 or any(lucas((n + 1) >> s - r, 1, q, n)[1] == 0 for r in range(s))


def is_extra_strong_lucas_probable_prime(n: int) -> bool:
    """With n + 1 = d * 2**s, d odd: is U_d = 0 and V_d = +-2, or V_(d * 2**r) = 0 for r < s - 1, modulo n?

    The parameters are Baillie's: Q = 1 and the first P = 3, 4, 5, ... with Jacobi symbol
    (P*P - 4 | n) = -1 (J. Grantham, Frobenius pseudoprimes, Math. Comp. 70, 2001; OEIS A217719).
    """
    return passes_extra_strong(n, almost=False)


def is_almost_extra_strong_lucas_probable_prime(n: int) -> bool:
    """The same without the condition on U_d (https://ntheory.org/pseudoprimes.html)."""
    return passes_extra_strong(n, almost=True)


def passes_extra_strong(n: int, almost: bool) -> bool:
    """Run the extra strong test, or the almost extra strong one."""
    discriminant = first_non_residue(n, (p * p - 4 for p in count(3)))
    if discriminant is None:
        return False
    p = isqrt(discriminant + 4)
    s = two_adic_valuation(n + 1)
    u, v = lucas((n + 1) >> s, p, 1, n)
    if v in (2, n - 2) and (almost or u == 0):
        return True
    return any(lucas((n + 1) >> s - r, p, 1, n)[1] == 0 for r in range(s - 1))


def first_non_residue(n: int, discriminants: Iterator[int]) -> int | None:
    """Return the first D with Jacobi symbol (D | n) = -1; None where the search shows n composite."""
    if is_square(n):
        return None
    for d in discriminants:
        if jacobi(d, n) == -1:
            return d
        if gcd(d, n) not in (1, n):
            return None
    return None


def lucas(k: int, p: int, q: int, n: int) -> tuple[int, int]:
    """Return U_k(p, q) and V_k(p, q) modulo n: (V_k + U_k sqrt(D)) / 2 is the power of (p + sqrt(D)) / 2."""
    d = p * p - 4 * q
    half = (n + 1) // 2
    u, v = 0, 2
    for bit in f"{k:b}":
        u, v = u * v % n, (v * v + d * u * u) * half % n
        if bit == "1":
            u, v = (p * u + v) * half % n, (d * u + p * v) * half % n
    return u, v


def jacobi(a: int, n: int) -> int:
    """Return the Jacobi symbol (a | n) for odd n > 0, by quadratic reciprocity."""
    a %= n
    if n == 1:
        return 1
    if a == 0:
        return 0
    if a % 2 == 0:
        return (1 if n % 8 in (1, 7) else -1) * jacobi(a // 2, n)
    return (-1 if a % 4 == n % 4 == 3 else 1) * jacobi(n, a)


def is_square(n: int) -> bool:
    """Tell whether n >= 0 is a perfect square."""
    return isqrt(n) ** 2 == n


def two_adic_valuation(n: int) -> int:
    """Return the exponent of 2 in n > 0."""
    return (n & -n).bit_length() - 1
