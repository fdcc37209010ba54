"""Race Python's concurrency models on one CPU-bound job; the fastest primality test that Python can call."""

from primerace._isprime import is_prime, next_prime, prev_prime

__all__ = ["is_prime", "next_prime", "prev_prime"]
