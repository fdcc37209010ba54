"""Measure is_prime beside gmpy2 and python-flint, and print the tables of docs/performance.md.

Every round runs everything once, in a fresh random order, so that a slow moment of the machine falls on all
alike. The tables show medians over the rounds, and as spread half the distance between the quartiles. Ratios
are taken within rounds. Run it on a quiet machine:

    python benchmarks/measure_is_prime.py [--rounds 15]
"""

import argparse
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import flint
import gmpy2
from number_classes import CLASSES, numbers_of

import primerace
from primerace import simd
from primerace.machine import describe

LIST, ARRAY, MANY, SEARCHES = 1000, 1 << 16, 1_000_000, 300

Key = tuple[str, str]
"""What was measured: (how, class of numbers)."""


def tasks() -> dict[Key, tuple[Callable[[], Any], int]]:
    """List what a round runs, and how many numbers each answers for."""
    found: dict[Key, tuple[Callable[[], Any], int]] = {}
    for name in CLASSES:
        numbers = numbers_of(name, ARRAY)
        ints = numbers[:LIST].tolist()
        for instruction_set in simd.available():
            found[instruction_set, name] = (lambda i=instruction_set, n=numbers: forced(i, n)), ARRAY
        found["int", name] = (lambda ints=ints, f=primerace.is_prime: [f(n) for n in ints]), LIST
        found["gmpy2", name] = (lambda ints=ints, f=gmpy2.is_prime: [f(n) for n in ints]), LIST
        found["flint", name] = (lambda ints=ints, f=flint.fmpz: [f(n).is_prime() for n in ints]), LIST
    many = numbers_of("c", MANY)
    for workers in (1, 2):
        found[f"workers={workers}", "c"] = (lambda w=workers: primerace.is_prime(many, workers=w)), MANY
    for name, f in (("next_prime", primerace.next_prime), ("gmpy2.next_prime", gmpy2.next_prime)):
        found[name, ""] = (lambda f=f: [f(2**63) for _ in range(SEARCHES)]), SEARCHES
    found["loop", ""] = (lambda ints=[4] * LIST, f=primerace.is_prime: [f(n) for n in ints]), LIST
    return found


def forced(instruction_set: str, numbers: Any) -> Any:
    """Answer with one instruction set."""
    with simd.force(instruction_set):
        return primerace.is_prime(numbers)


def measure(rounds: int) -> dict[Key, list[float]]:
    """Return nanoseconds per number, one value a round."""
    todo = tasks()
    nanoseconds: dict[Key, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for key in random.sample(list(todo), len(todo)):
            call, count = todo[key]
            started = time.perf_counter_ns()
            call()
            if number > 0:  # the first round warms up
                nanoseconds[key].append((time.perf_counter_ns() - started) / count)
    return nanoseconds


def shown(values: list[float]) -> str:
    """Show the median and the spread."""
    low, median, high = statistics.quantiles(values, n=4)
    return f"{median:.1f} ± {(high - low) / 2:.1f}"


def ratio(slow: list[float], fast: list[float]) -> str:
    """Show how many times as fast one is, by the median of the rounds."""
    return f"{statistics.median(x / y for x, y in zip(slow, fast, strict=True)):.2f}"


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    for row in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(row) + " |")
    print()


def main() -> None:
    """Measure, then print."""
    parser = argparse.ArgumentParser(description="Measure is_prime beside gmpy2 and python-flint.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    if rounds < 2:
        parser.error("--rounds must be at least 2: one round has no spread")
    ns = measure(rounds)
    sets = simd.available()
    machine = describe()
    print(f"{machine['cpu']}, Python {machine['python']}, {rounds} rounds; ns per number, median ± spread\n")
    print_table(
        ["arrays", *sets, "gmpy2 in a list comprehension", f"{sets[0]}: times gmpy2"],
        [
            [
                f"{name}: {text}",
                *(shown(ns[s, name]) for s in [*sets, "gmpy2"]),
                ratio(ns["gmpy2", name], ns[sets[0], name]),
            ]
            for name, text in CLASSES.items()
        ],
    )
    print_table(
        ["one int", "is_prime", "gmpy2", "python-flint", "times gmpy2", "times python-flint"],
        [
            [f"{name}: {text}", *(shown(ns[f, name]) for f in ("int", "gmpy2", "flint"))]
            + [ratio(ns[f, name], ns["int", name]) for f in ("gmpy2", "flint")]
            for name, text in CLASSES.items()
        ],
    )
    print_table(
        ["also", "ns", "ratio"],
        [
            ["is_prime(4) in a list comprehension: call and loop", shown(ns["loop", ""]), ""],
            ["array of 10^6, class c, workers=1", shown(ns["workers=1", "c"]), ""],
            ["workers=2", shown(ns["workers=2", "c"]), ratio(ns["workers=1", "c"], ns["workers=2", "c"])],
            ["gmpy2.next_prime(2**63)", shown(ns["gmpy2.next_prime", ""]), ""],
            [
                "next_prime(2**63)",
                shown(ns["next_prime", ""]),
                ratio(ns["gmpy2.next_prime", ""], ns["next_prime", ""]),
            ],
        ],
    )


if __name__ == "__main__":
    main()
