"""Every odd n below 2**32, on every instruction set of this CPU and one by one, against a sieve.

There are 203,280,220 odd primes below 2**32. Run by `nox -s exhaustive`; takes minutes.
"""

import sys
from time import perf_counter

import click
import numpy as np
from numpy.typing import NDArray

import primerace
from primerace import simd

SEGMENT = 1 << 23  # odd numbers at a time: a segment of the sieve fits the second-level cache
LIMIT = 1 << 32
ODD_PRIMES = 203_280_220


def odd_primes_below(bound: int) -> list[int]:
    """The odd primes below the bound, by the sieve of Eratosthenes."""
    marks = np.ones(bound, bool)
    marks[:2] = False
    for i in range(2, int(bound**0.5) + 1):
        if marks[i]:
            marks[i * i :: i] = False
    return [int(p) for p in np.flatnonzero(marks)[1:]]


def sieve(start: int, count: int, primes: list[int]) -> NDArray[np.bool_]:
    """Which of the odd numbers start, start + 2, ... are prime."""
    marks = np.ones(count, bool)
    for p in primes:
        first = max(p * p, -(-start // p) * p)
        first += p if first % 2 == 0 else 0
        if first >= start + 2 * count:
            if p * p >= start + 2 * count:
                break
            continue
        marks[(first - start) // 2 :: p] = False
    if start == 1:
        marks[0] = False
    return marks


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(3, LIMIT),
    default=LIMIT,
    show_default=True,
    help="Check the odd numbers below.",
)
def main(limit: int) -> None:
    """Compare every instruction set, and every single number, with the sieve."""
    primes = odd_primes_below(1 << 16)
    total = wrong = 0
    started = perf_counter()
    with click.progressbar(range(1, limit, 2 * SEGMENT), label="segments", file=sys.stderr) as starts:
        for start in starts:
            count = min(SEGMENT, (limit - start + 1) // 2)
            expected = sieve(start, count, primes)
            numbers = np.arange(start, start + 2 * count, 2, dtype=np.uint64)
            total += int(expected.sum())
            for name in simd.available():
                with simd.force(name):
                    wrong += _count_wrong(name, numbers, primerace.is_prime(numbers), expected)
            alone = np.fromiter(map(primerace.is_prime, numbers.tolist()), bool, count)
            wrong += _count_wrong("one by one", numbers, alone, expected)
    print(f"{total:,} odd primes below {limit:,} on {', '.join(simd.available())} and one by one")
    print(f"{wrong} wrong answers, in {perf_counter() - started:.0f} s")
    sys.exit(1 if wrong or (limit == LIMIT and total != ODD_PRIMES) else 0)


def _count_wrong(
    name: str, numbers: NDArray[np.uint64], answers: NDArray[np.bool_], expected: NDArray[np.bool_]
) -> int:
    wrong = np.flatnonzero(answers != expected)
    for place in wrong[:3]:
        print(f"{name}: {numbers[place]} was answered {answers[place]}")
    return len(wrong)


if __name__ == "__main__":
    main()
