"""Oracles that share nothing with the code under test: a sieve, and numbers made of known factors."""

from math import isqrt

MIDDLE_PRIMES = (65521, 65537, 99991, 100003, 999983, 1000003, 15485863, 16777213, 16777259)


def sieve(limit: int) -> bytearray:
    """1 at every prime below the limit, 0 elsewhere (Eratosthenes)."""
    prime = bytearray([0, 0]) + bytearray([1]) * (limit - 2)
    for n in range(2, isqrt(limit) + 1):
        if prime[n]:
            prime[n * n :: n] = bytes(len(prime[n * n :: n]))
    return prime
