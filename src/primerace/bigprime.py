"""Primality beyond 64 bits: trial division, then the Baillie-PSW test, on Python's own integers.

The two stages are those of the compiled test below 2**64: a strong test to base 2, then an extra strong Lucas
test with the standard parameters. Below 2**64 no composite passes both; beyond, none is known. docs/proof.md
tells what is proven and what is probable. All functions are right for small n too, so that a search for
the next prime crosses 2**64 without a seam.

Where gmpy2 2.2 or later is installed, the same algorithm runs on its integers, with the same answers and
faster: 1.5 times at 65 bits, 7 times at 3400 digits. Without it, large n are reduced by Barrett's method.

Ctrl-C stops every function within 0.2 s: CPython looks for signals inside its long products and divisions, so
`pow` can be stopped. gmpy2's powmod can't, and is called only while it is short.
"""

from bisect import bisect_left, bisect_right
from functools import cache
from importlib import import_module
from itertools import compress, count
from math import gcd, isqrt, prod
from operator import index
from typing import Any

_SMALL = 1 << 10
"""Answers below are looked up."""

_LONG_BITS = 6000
"""Above it powers of 2 are squared step by step here. An int is then reduced by Barrett's method, 1.4 times
faster than `pow` at 4000 digits; an mpz lets Ctrl-C in between the steps, where powmod would take 0.3 s."""

_SHORT_BITS = 512
"""Up to it gmpy2's Lucas test, which is the same, is faster than the steps here: 1.6 times at 128 bits."""

_SQUARE_PARAMETER = 20
"""The P at which n is checked to be no square: squares without small divisors get here, few others do."""


def is_prime(n: int, /) -> bool:
    """Tell whether n is prime.

    After trial division come a strong test to base 2 (Baillie and Wagstaff, Lucas pseudoprimes, Math. Comp.
    35, 1980) and an extra strong Lucas test (Grantham, Frobenius pseudoprimes, Math. Comp. 70, 2001) with
    Q = 1 and the first P = 3, 4, 5, ... for which the Jacobi symbol (P*P - 4 | n) is -1 (Baillie, method C of
    OEIS A217719).

    Args:
        n: an integer of any size; negative numbers are not prime.

    Returns:
        True where n is prime: proven below 2**64, a probable prime beyond. False is proven everywhere.

    >>> is_prime(2**127 - 1), is_prime(2**128 + 1)
    (True, False)
    """
    n = index(n)  # an exact int: a subclass may compare as it likes
    if n < _SMALL:
        return n in _primes(_SMALL)
    if gcd(n, _primorial(_SMALL)) != 1:
        return False
    bound = _trial_bound(n)
    if bound > _SMALL and gcd(n, _primorial(bound)) != 1:
        return False
    return _passes_baillie_psw(n)


def next_prime(n: int, /) -> int:
    """Return the least prime greater than n.

    Odd candidates are sieved by small primes, a window at a time; those that remain are tested in order.

    Args:
        n: an integer of any size.

    Returns:
        The next prime, as certain as `is_prime` is.

    >>> next_prime(2**64 - 59) - 2**64
    13
    """
    n = index(n)
    small = _primes(_SMALL)
    if n < small[-1]:
        return small[bisect_right(small, n)]
    return _first_prime(n + 1 | 1, 2)


def prev_prime(n: int, /) -> int:
    """Return the greatest prime less than n.

    The search is that of `next_prime`, downwards.

    Args:
        n: an integer greater than 2.

    Returns:
        The previous prime, as certain as `is_prime` is.

    Raises:
        ValueError: no prime is less than n.

    >>> prev_prime(2**64 + 13) - 2**64
    -59
    """
    n = index(n)
    if n <= 2:
        raise ValueError(f"no prime is less than {n if n.bit_length() <= 128 else 'a negative number'}")
    if n <= _SMALL:
        small = _primes(_SMALL)
        return small[bisect_left(small, n) - 1]
    return _first_prime(n - 2 | 1, -2)


def _first_prime(start: int, step: int) -> int:
    """Return the first prime among the odd numbers start, start + step, ...; the step is 2 or -2."""
    width = max(64, 2 * start.bit_length())  # about six average gaps between primes, as odd numbers
    for low in count(start, width * step):
        candidates = range(low, low + width * step, step)
        for candidate in compress(candidates, _sieve(candidates)):
            if _passes_baillie_psw(candidate):
                return candidate
    raise AssertionError("unreachable: there is always another prime")


def _sieve(candidates: range) -> bytearray:
    """Mark with 1 the candidates that no small odd prime divides; their step is 2 or -2."""
    marks = bytearray(b"\1") * len(candidates)
    start = candidates[0] if candidates.step < 0 else -candidates[0]
    for p in _primes(_trial_bound(candidates[0]))[1:]:
        distance = start % p
        first = (distance if distance % 2 == 0 else distance + p) // 2
        marks[first::p] = bytes(len(range(first, len(marks), p)))
    return marks


def _trial_bound(n: int) -> int:
    """Bound the primes to divide by, balanced against the tests they save: 2**8 at 64 bits, 2**17 at 2048."""
    return 1 << min(max(8, 2 * n.bit_length().bit_length() - 7), 17)


@cache
def _primes(bound: int) -> list[int]:
    """List the primes below the bound, by the sieve of Eratosthenes."""
    marks = bytearray(b"\0\0" + b"\1" * (bound - 2))
    for i in range(2, isqrt(bound) + 1):
        if marks[i]:
            marks[i * i :: i] = bytes(len(range(i * i, bound, i)))
    return list(compress(range(bound), marks))


@cache
def _primorial(bound: int) -> int:
    """Multiply the primes below the bound, as a tree: long products want factors of like length."""
    factors = _primes(bound)
    while len(factors) > 1:
        factors = [prod(factors[i : i + 2]) for i in range(0, len(factors), 2)]
    return factors[0]


@cache
def _gmpy2() -> Any:
    """Import gmpy2 when it is first needed; None where it is not installed or older than 2.2.

    Before 2.2 its extra strong Lucas test was another one (issue 443 of gmpy2).
    """
    try:
        gmpy2 = import_module("gmpy2")
    except ImportError:
        return None
    major, minor, *_ = gmpy2.version().split(".")
    return gmpy2 if (int(major), int(minor)) >= (2, 2) else None


def _passes_baillie_psw(n: int) -> bool:
    """Run both tests on an odd n without small divisors, the cheaper one first."""
    gmpy2 = _gmpy2()
    number = gmpy2.mpz(n) if gmpy2 else n
    return _passes_strong_base_2(number) and _passes_extra_strong_lucas(number)


def _passes_strong_base_2(n: Any) -> bool:
    """With n - 1 = d * 2**s, d odd: is 2**d = 1, or 2**(d * 2**r) = -1 for an r with 0 <= r < s, modulo n?"""
    s = _trailing_zeros(n - 1)
    x = _power_of_2(n - 1 >> s, n)
    if x == 1:
        return True
    for _ in range(s):
        if x == n - 1:
            return True
        x = x * x % n
    return False


def _power_of_2(exponent: Any, n: Any) -> Any:
    """Return 2**exponent modulo n."""
    if n.bit_length() <= _LONG_BITS:
        return pow(2, exponent, n)
    modulus = _modulus(n)
    x = 1
    for bit in f"{exponent:b}":
        x = (x * x << (bit == "1")) % modulus
    return x % n


def _passes_extra_strong_lucas(n: Any) -> bool:
    """With n + 1 = d * 2**s, d odd: is V_d = +-2 and U_d = 0, or V_(d * 2**r) = 0 for 0 <= r < s, modulo n?

    U need not be computed: (P*P - 4) U_d = 2 V_(d+1) - P V_d, so the first case is (V_d, V_(d+1)) = (2, P) or
    (-2, -P).
    """
    p = _lucas_parameter(n)
    if p is None:
        return False
    if n.bit_length() <= _SHORT_BITS and _gmpy2():
        return bool(_gmpy2().is_extra_strong_lucas_prp(n, p))
    s = _trailing_zeros(n + 1)
    v, following = _lucas_v(n + 1 >> s, p, n)
    if (v, following) in ((2, p), (n - 2, n - p)):
        return True
    for _ in range(s):
        if v == 0:
            return True
        v = (v * v - 2) % n
    return False


def _lucas_v(k: Any, p: int, n: Any) -> tuple[Any, Any]:
    """Return V_k and V_(k+1) modulo n, for P = p, Q = 1 and k >= 1.

    Two products a bit: V_2k = V_k**2 - 2 and V_(2k+1) = V_k V_(k+1) - P.
    """
    modulus = _modulus(n)
    v, following = p, p * p - 2
    for bit in f"{k:b}"[1:]:
        if bit == "1":
            v, following = (v * following - p) % modulus, (following * following - 2) % modulus
        else:
            v, following = (v * v - 2) % modulus, (v * following - p) % modulus
    return v % n, following % n


def _lucas_parameter(n: Any) -> int | None:
    """Return the first P >= 3 with Jacobi symbol (P*P - 4 | n) = -1, or None if n turns out composite.

    A symbol of 0 means a common divisor of n and P*P - 4. A prime n > 7 has none up to P = n - 3, and the
    search ends before: half of all P modulo n have the symbol -1.
    """
    p, symbol = 3, _jacobi(5, n)
    while symbol == 1:
        if p == _SQUARE_PARAMETER and isqrt(n) ** 2 == n:
            return None
        p += 1
        symbol = _jacobi(p * p - 4, n)
    return p if symbol else None


def _jacobi(a: int, n: Any) -> int:
    """Return the Jacobi symbol (a | n) for a >= 0 and odd n > 0, by quadratic reciprocity."""
    sign = 1
    while a:
        twos = _trailing_zeros(a)
        a >>= twos
        if twos % 2 and n % 8 in (3, 5):
            sign = -sign
        if a % 4 == n % 4 == 3:
            sign = -sign
        a, n = int(n % a), a
    return sign if n == 1 else 0


def _trailing_zeros(n: Any) -> int:
    """Count the zeros at the end of the binary representation of n > 0."""
    return int((n & -n).bit_length()) - 1


def _modulus(n: Any) -> Any:
    """Return what to write after % in a long chain of products modulo n."""
    return _BarrettModulus(n) if isinstance(n, int) and n.bit_length() > _LONG_BITS else n


class _BarrettModulus:
    """Write x % modulus for x modulo n up to one n more, by two products instead of a division.

    CPython multiplies by Karatsuba's method but divides by the schoolbook's: the gain grows with n.

    Let 2**(k-1) <= n < 2**k and -2**(k-2) <= x < 2**(2k+3); then the result is in [0, 2n). Proof: the
    quotient is q = floor(h m / 2**(k+7)) with h = floor(x / 2**(k-2)) and m = floor(2**(2k+5) / n). The floor
    in h lowers q by less than 2**(k-2) / n <= 1/2, that in m by less than h / 2**(k+7) < 1/4 if h >= 0, and
    the outer one by less than 1, so that x/n - q is in [0, 2). If h < 0, then h = -1 and q = -1, and x + n
    is in (0, n).
    Chains stay in range: for factors below 2n, twice their product is below 8 n**2 < 2**(2k+3).
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.bits = n.bit_length()
        self.inverse = (1 << 2 * self.bits + 5) // n

    def __rmod__(self, x: int) -> int:
        quotient = (x >> self.bits - 2) * self.inverse >> self.bits + 7
        return x - quotient * self.n
