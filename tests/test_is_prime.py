"""is_prime, next_prime and prev_prime on single numbers, and what the import of them brings in."""

import doctest
import inspect
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import definitions
import hard_numbers
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from integers import INTEGERS, NOT_INTEGERS, Index, StrangeInt

from primerace import _isprime, is_prime, kernels, next_prime, prev_prime

TWINS = [is_prime, kernels.python]


@pytest.mark.parametrize("function", TWINS)
@pytest.mark.parametrize(("n", "expected"), INTEGERS)
def test_integers(function: Callable[[Any], bool], n: Any, expected: bool) -> None:
    assert function(n) is expected


@pytest.mark.parametrize("function", [*TWINS, next_prime, prev_prime])
@pytest.mark.parametrize(("n", "name"), NOT_INTEGERS)
def test_what_is_no_integer_is_an_error_that_names_the_type(
    function: Callable[[Any], Any], n: Any, name: str
) -> None:
    with pytest.raises(TypeError, match=name):
        function(n)


@pytest.mark.parametrize("n", [2**63 - 25, 2**63 + 29, 2**64 - 59, 2**64 + 13, 2**89 - 1])
def test_primes_around_a_machine_word(n: int) -> None:
    assert is_prime(n) is True
    assert is_prime(Index(n)) is True
    assert is_prime(n + 2) is False
    assert is_prime(-n) is False


def test_subclasses_of_int_beyond_a_machine_word() -> None:
    n = StrangeInt(2**64 + 13)
    assert is_prime(n) is True
    assert is_prime([n]).tolist() == [True]
    assert next_prime(n) == 2**64 + 37
    assert prev_prime(n) == 2**64 - 59


def test_around_the_largest_word() -> None:
    numbers = range(2**64 - 300, 2**64 + 300)
    assert [n for n in numbers if is_prime(n)] == [n for n in numbers if definitions.is_prime(n)]


@given(st.integers(-(2**80), 2**80))
def test_definition(n: int) -> None:
    assert is_prime(n) is (n > 1 and definitions.is_prime(n))


@given(st.integers(2, 2**32 - 1), st.integers(2, 2**32 - 1))
def test_products(a: int, b: int) -> None:
    assert is_prime(a * b) is False


def test_composites_beyond_64_bits() -> None:
    for n in map(hard_numbers.arnault_composite, (1, 10, 20)):
        assert is_prime(n) is False


def test_exceptions_of_index_come_through() -> None:
    class Broken:
        def __index__(self) -> int:
            raise ZeroDivisionError

    for function in (is_prime, next_prime, prev_prime):
        with pytest.raises(ZeroDivisionError):
            function(Broken())


def test_signature() -> None:
    assert str(inspect.signature(is_prime)) == "(n, /, *, out=None, where=True, workers=1)"


def test_neighbours_of_small_numbers() -> None:
    primes = definitions.primes_below(10_100)
    assert [next_prime(n) for n in (-(2**70), -(2**63), -1, 0, 1, True)] == [2] * 6
    for p, q in zip(primes, primes[1:], strict=False):
        assert {next_prime(n) for n in range(p, q)} == {q}
        assert {prev_prime(n) for n in range(p + 1, q + 1)} == {p}


@pytest.mark.parametrize("border", [2**31, 2**32, 2**50, 2**63, 2**64])
def test_neighbours_across_borders(border: int) -> None:
    primes = hard_numbers.primes_around(border, 8)
    for p, q in zip(primes, primes[1:], strict=False):
        assert {next_prime(n) for n in range(p, q)} == {q}
        assert {prev_prime(n) for n in range(p + 1, q + 1)} == {p}


def test_neighbours_across_the_widest_gap() -> None:
    """The widest gap below 2**64 (OEIS A002386, A005250)."""
    p, gap = 18361375334787046697, 1550
    assert next_prime(p) == p + gap
    assert prev_prime(p + gap) == p


@given(st.integers(0, 2**70))
def test_nothing_is_between_neighbours(n: int) -> None:
    p = next_prime(n)
    assert prev_prime(p + 1) == p
    assert not any(definitions.is_prime(m) for m in range(n + 1, p) if m > 1)
    assert definitions.is_prime(p)


@pytest.mark.parametrize("bits", range(16, 66, 2))
def test_neighbours_of_random_numbers(bits: int) -> None:
    gmpy2 = pytest.importorskip("gmpy2")
    generator = random.Random(bits)
    for n in (generator.getrandbits(bits) + 3 for _ in range(500)):
        assert next_prime(n) == gmpy2.next_prime(n)
        assert prev_prime(n) == gmpy2.prev_prime(n)


@pytest.mark.parametrize("n", [2, 1, 0, -1, -(2**63), -(2**64), np.int8(2)])
def test_no_prime_is_less_than_2(n: int) -> None:
    with pytest.raises(ValueError, match=f"no prime is less than {n}"):
        prev_prime(n)


def test_a_number_too_long_to_show_is_not_shown() -> None:
    with pytest.raises(ValueError, match="no prime is less than a negative number"):
        prev_prime(-(10**5000))


def test_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    stub = Path(str(_isprime.__file__)).with_name("_isprime.pyi")
    (tmp_path / "stub.pyi").write_text(stub.read_text())
    program = tmp_path / "program.py"
    program.write_text("""
import numpy as np
from stub import is_prime
reveal_type(is_prime(7))
reveal_type(is_prime(np.int64(7)))
reveal_type(is_prime([7]))
is_prime(np.arange(8)).sum()
is_prime(np.arange(8), workers=2).sum()
""")
    options = ["--strict", "--config-file", "", "--cache-dir", os.devnull]
    command = [sys.executable, "-m", "mypy", *options, str(program)]  # here it would lift the recursion limit
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.findall(r'type is "(?:builtins\.)?(.*)"', run.stdout) == ["bool", "bool", "Any"]


@pytest.mark.thread_unsafe
def test_the_import_brings_in_nothing_heavy() -> None:
    heavy = {"numpy", "gmpy2", "primerace.arrays"}
    program = f"import primerace, sys; primerace.is_prime(7); print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.thread_unsafe  # doctest takes the place of linecache for all threads
def test_examples_in_docstrings() -> None:
    results = doctest.testmod(_isprime)
    assert results.attempted >= 8
    assert results.failed == 0


def test_an_interpreter_with_its_own_gil() -> None:
    """Integers work there; arrays do not, for NumPy can't be imported there."""
    interpreters = pytest.importorskip("_interpreters", reason="needs Python 3.13")
    interpreter = interpreters.create("isolated")
    program = (
        "import primerace; assert primerace.is_prime(2**61 - 1); assert primerace.next_prime(100) == 101"
    )
    assert interpreters.run_string(interpreter, program) is None
    interpreters.destroy(interpreter)
