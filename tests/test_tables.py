"""ext/primerace/tables.h is what tools/make_tables.py makes of the bases in it, and every entry is right."""

import importlib.util
import re
from itertools import chain
from pathlib import Path
from types import ModuleType

import definitions
import hard_numbers
import pytest

ROOT = Path(__file__).parents[1]
HEADER = ROOT / "ext" / "primerace" / "tables.h"

pytestmark = pytest.mark.skipif(not HEADER.exists(), reason="needs the sources")


@pytest.fixture(scope="module")
def tables() -> str:
    return HEADER.read_text()


def entries(tables: str, name: str) -> list[int]:
    """List the numbers of a table."""
    body = re.search(rf"\b{name}\[\d+\] = \{{\n(.*?)\n\}};", tables, re.DOTALL)
    assert body is not None
    return [int(number, 0) for number in re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", body[1]))]


def multiplier(tables: str) -> int:
    """Return the multiplier of the hash that chooses a base."""
    found = re.search(r"bases_32_multiplier = (\w+)", tables)
    assert found is not None
    return int(found[1], 0)


def make_tables() -> ModuleType:
    """Import the tool."""
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "tools" / "make_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_header_is_generated(tables: str) -> None:
    assert make_tables().render(multiplier(tables), entries(tables, "bases_32")) == tables


def test_tiny_primes(tables: str) -> None:
    words = entries(tables, "tiny_odd_primes")
    assert len(words) == 1024 // 128
    marked = [n for n in range(1, 1024, 2) if words[n // 128] >> n // 2 % 64 & 1]
    assert [2, *marked] == definitions.primes_below(1024)


def test_small_primes(tables: str) -> None:
    numbers = entries(tables, "small_primes")
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    assert [limit for _, limit in pairs] == [(2**64 - 1) // p for p in definitions.primes_below(212)[1:]]
    for (inverse, _), p in zip(pairs, definitions.primes_below(212)[1:], strict=True):
        assert inverse * p % 2**64 == 1


def test_lucas_parameters(tables: str) -> None:
    """An n prime to 840 has the entry's P as the first with symbol -1, or none up to 6 for the entry 0."""
    parameters = entries(tables, "lucas_parameters")
    assert len(parameters) == 420
    for n in range(1, 5 * 840, 2):
        if all(n % q for q in (3, 5, 7)):
            symbols = {p: definitions.jacobi(p * p - 4, n) for p in range(3, 7)}
            assert parameters[n % 840 // 2] == next((p for p in symbols if symbols[p] == -1), 0)


def test_bases_are_right_for_small_numbers_and_pseudoprimes(tables: str) -> None:
    """Every odd n < 2**20 and every strong pseudoprime to base 2 below 2**32, without a factor up to 13."""
    bases, factor = entries(tables, "bases_32"), multiplier(tables)
    assert len(bases) == 256
    primes = set(definitions.primes_below(2**20))
    pseudoprimes = (n for n in hard_numbers.strong_pseudoprimes(10**10) if n < 2**32)
    semiprimes = (n for bits in (28, 30, 32) for n in hard_numbers.strong_semiprimes(1 << bits, 200))
    for n in chain(range(17, 2**20, 2), pseudoprimes, semiprimes):
        if all(n % q for q in (3, 5, 7, 11, 13)):
            base = bases[n * factor % 2**32 >> 24]
            assert definitions.is_strong_probable_prime(n, base) == (n in primes), n
