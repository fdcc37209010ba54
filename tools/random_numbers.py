"""Ten million random numbers of each class, on every instruction set, against gmpy2 and python-flint.

Run by `nox -s random`; takes minutes. The classes are those of benchmarks/number_classes.py; the book's 20
numbers are left out.
"""

import sys
from time import perf_counter

import click
import flint
import gmpy2
import numpy as np
from number_classes import CLASSES, numbers_of

import primerace
from primerace import simd

BATCH = 1_000_000


@click.command()
@click.option(
    "--count", type=click.IntRange(1), default=10_000_000, show_default=True, help="Numbers of each class."
)
def main(count: int) -> None:
    """Compare every instruction set, and every single number, with two other libraries."""
    wrong = 0
    for name, description in CLASSES.items():
        if name == "g":
            continue
        started = perf_counter()
        numbers = numbers_of(name, count)
        for batch in np.array_split(numbers, max(1, count // BATCH)):
            wrong += _compare(batch)
        print(f"{name} ({description}): {count:,} numbers in {perf_counter() - started:.0f} s", flush=True)
    print(f"{wrong} wrong answers on {', '.join(simd.available())} and one by one")
    sys.exit(1 if wrong else 0)


def _compare(numbers: np.ndarray) -> int:
    """How many answers differ from those of gmpy2 or python-flint."""
    ints = numbers.tolist()
    peers = [
        np.fromiter(map(gmpy2.is_prime, ints), bool, len(ints)),
        np.fromiter((flint.fmpz(n).is_prime() for n in ints), bool, len(ints)),
    ]
    ours = [np.fromiter(map(primerace.is_prime, ints), bool, len(ints))]
    for name in simd.available():
        with simd.force(name):
            ours.append(primerace.is_prime(numbers))
    return sum(int((mine != peer).sum()) for mine in ours for peer in peers)


if __name__ == "__main__":
    main()
