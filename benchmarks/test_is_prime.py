"""is_prime beside gmpy2 and python-flint: `pytest benchmarks/test_is_prime.py --benchmark-group-by=group`.

`measure_is_prime.py` measures the same in interleaved rounds, which is what docs/performance.md shows.
"""

from collections.abc import Callable
from typing import Any

import number_classes
import pytest

LIST = 1000


def is_prime_of(peer: str) -> Callable[[int], Any]:
    """Return the test of a library, called as its users do."""
    module = pytest.importorskip(peer)
    if peer == "flint":
        fmpz = module.fmpz
        return lambda n: fmpz(n).is_prime()
    return module.is_prime


@pytest.mark.parametrize("peer", ["primerace", "gmpy2", "flint"])
@pytest.mark.parametrize("name", number_classes.CLASSES)
def test_lists(benchmark: Any, name: str, peer: str) -> None:
    benchmark.group = f"{LIST} ints in a list comprehension, class {name}"
    numbers = number_classes.numbers_of(name, LIST).tolist()
    is_prime = is_prime_of(peer)
    benchmark(lambda: [is_prime(n) for n in numbers])


@pytest.mark.parametrize("peer", ["primerace", "gmpy2"])
def test_next_prime(benchmark: Any, peer: str) -> None:
    benchmark.group = "next_prime"
    next_prime = pytest.importorskip(peer).next_prime
    benchmark(next_prime, 2**63)
