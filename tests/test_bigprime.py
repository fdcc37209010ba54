"""bigprime, with gmpy2 and without, on proven answers and on composites that pass one of its two tests."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType, SimpleNamespace
from typing import Any

import definitions
import hard_numbers
import pytest

from primerace import bigprime


@pytest.fixture(params=["int", "mpz"])
def arithmetic(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test twice: on Python's integers and, where it is installed, on gmpy2's."""
    if request.param == "mpz":
        pytest.importorskip("gmpy2")
    else:
        monkeypatch.setattr(bigprime, "_gmpy2", lambda: None)
    return str(request.param)


@pytest.fixture(params=["usual", "always long", "never short"])
def path(arithmetic: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the paths of long numbers for short ones too: Barrett's reduction, our own chains on an mpz."""
    if request.param != "usual":
        monkeypatch.setattr(bigprime, "_SHORT_BITS", 0)
    if request.param == "always long":
        monkeypatch.setattr(bigprime, "_LONG_BITS", 0)


def composites() -> Iterator[int]:
    """Yield composites of every hard kind."""
    yield from hard_numbers.strong_pseudoprimes(10**9)
    yield from hard_numbers.strong_lucas_pseudoprimes()
    yield from hard_numbers.almost_extra_strong_lucas_pseudoprimes()
    yield from hard_numbers.carmichael_numbers()
    yield from hard_numbers.chernick_numbers()
    yield from hard_numbers.chernick_numbers(10**6)
    yield from hard_numbers.prime_powers()
    yield from hard_numbers.PSI
    for bits in (64, 80):
        yield from hard_numbers.strong_semiprimes(1 << bits)
        yield from hard_numbers.extra_strong_lucas_semiprimes(1 << bits)
    yield from map(hard_numbers.arnault_composite, (1, 5, 10, 15, 20, 30))


@pytest.mark.usefixtures("path")
def test_hard_composites() -> None:
    assert not [n for n in composites() if bigprime.is_prime(n)]


@pytest.mark.usefixtures("arithmetic")
def test_all_small_numbers() -> None:
    primes = hard_numbers.primes_below(100_000)
    assert [n for n in range(-1000, 100_000) if bigprime.is_prime(n)] == primes


@pytest.mark.usefixtures("path")
def test_around_powers_of_two() -> None:
    numbers = hard_numbers.around_powers_of_two(range(1, 81), 12)
    assert [n for n in numbers if bigprime.is_prime(n) != definitions.is_prime(n)] == []


@pytest.mark.usefixtures("arithmetic")
def test_random_numbers_beyond_64_bits() -> None:
    generator = random.Random(1)
    for bits in range(65, 82):
        for _ in range(60):
            n = generator.getrandbits(bits - 1) | 1 << bits - 1 | 1
            assert bigprime.is_prime(n) == (n < definitions.PSI_13 and definitions.is_prime(n))


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("name", hard_numbers.LARGE_PRIMES)
def test_large_primes(name: str) -> None:
    assert bigprime.is_prime(hard_numbers.LARGE_PRIMES[name])


@pytest.mark.usefixtures("arithmetic")
def test_mersenne_and_fermat_numbers() -> None:
    for n, is_prime in [*hard_numbers.mersenne_numbers(700), *hard_numbers.fermat_numbers(10)]:
        assert bigprime.is_prime(n) == is_prime


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("exponent", [1279, 3217, 9689])
def test_large_mersenne_primes(exponent: int) -> None:
    assert bigprime.is_prime(2**exponent - 1)


@pytest.mark.usefixtures("path")
def test_each_stage_is_exactly_its_definition() -> None:
    """The Lucas stage is compared with the definition for all n: gmpy2's must be the same test."""
    for n in range(11, 20_000, 2):
        number = bigprime._gmpy2().mpz(n) if bigprime._gmpy2() else n
        assert bigprime._passes_strong_base_2(number) == definitions.is_strong_probable_prime(n, 2)
        lucas = definitions.is_extra_strong_lucas_probable_prime(n)
        assert bigprime._passes_extra_strong_lucas(number) == lucas


def test_lucas_parameter() -> None:
    """A wrong order of the parameters would accept every prime, so the choice is tested by itself."""
    for n in range(11, 20_000, 2):
        expected = definitions.first_non_residue(n, (p * p - 4 for p in count(3)))
        p = bigprime._lucas_parameter(n)
        assert (None if p is None else p * p - 4) == expected


def test_lucas_parameter_of_squares() -> None:
    assert {bigprime._lucas_parameter(p * p) for p in hard_numbers.primes_below(1000)[1:]} == {None}


@pytest.mark.usefixtures("path")
def test_a_lucas_stage_that_always_says_prime_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigprime, "_passes_extra_strong_lucas", lambda n: True)
    wrong = {n for n in composites() if bigprime.is_prime(n)}
    assert wrong.issuperset(hard_numbers.strong_semiprimes(1 << 64))
    assert wrong.issuperset(hard_numbers.strong_semiprimes(1 << 80))
    assert wrong.issuperset(hard_numbers.PSI[5:])
    assert 1093**2 in wrong
    assert hard_numbers.arnault_composite(10) in wrong


@pytest.mark.usefixtures("path")
def test_a_base_2_stage_that_always_says_prime_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigprime, "_passes_strong_base_2", lambda n: True)
    wrong = {n for n in composites() if bigprime.is_prime(n)}
    assert wrong.issuperset(hard_numbers.extra_strong_lucas_semiprimes(1 << 64))
    assert wrong.issuperset(hard_numbers.extra_strong_lucas_semiprimes(1 << 80))


@pytest.mark.usefixtures("arithmetic")
def test_neighbours_of_all_small_numbers() -> None:
    primes = hard_numbers.primes_below(10_100)
    assert [bigprime.next_prime(n) for n in (-5, 0, 1)] == [2, 2, 2]
    for p, q in zip(primes, primes[1:], strict=False):
        assert {bigprime.next_prime(n) for n in range(p, q)} == {q}
        assert {bigprime.prev_prime(n) for n in range(p + 1, q + 1)} == {p}


@pytest.mark.usefixtures("arithmetic")
def test_neighbours_across_the_64_bit_border() -> None:
    primes = hard_numbers.primes_around(2**64, 20)
    assert {2**64 - 59, 2**64 + 13} < set(primes)
    for p, q in zip(primes, primes[1:], strict=False):
        assert {bigprime.next_prime(n) for n in range(p, q)} == {q}
        assert {bigprime.prev_prime(n) for n in range(p + 1, q + 1)} == {p}


@pytest.mark.usefixtures("arithmetic")
def test_neighbours_across_a_wide_gap() -> None:
    """The widest gap below 2**64 (OEIS A002386, A005250), from all of it: six windows without a prime."""
    p, gap = 18361375334787046697, 1550
    assert {bigprime.next_prime(n) for n in range(p, p + gap, 2)} == {p + gap}
    assert {bigprime.prev_prime(n) for n in range(p + gap, p, -2)} == {p}


@pytest.mark.usefixtures("arithmetic")
def test_neighbours_of_powers_of_ten() -> None:
    """The first prime after 10**n (OEIS A033873) and before (A033874)."""
    after = [51, 39, 117, 9, 117, 7, 13, 67, 103, 331, 319]
    assert [bigprime.next_prime(10**n) - 10**n for n in range(19, 30)] == after
    assert bigprime.next_prime(10**100) == 10**100 + 267
    assert bigprime.prev_prime(10**100) == 10**100 - 797


@pytest.mark.parametrize("n", [2, 1, 0, -7])
def test_no_prime_is_less_than_2(n: int) -> None:
    with pytest.raises(ValueError, match="no prime is less than"):
        bigprime.prev_prime(n)


def test_a_number_too_long_to_show_is_not_shown() -> None:
    with pytest.raises(ValueError, match="no prime is less than a negative number"):
        bigprime.prev_prime(-(10**5000))


@pytest.mark.usefixtures("arithmetic")
def test_subclasses_of_int_compare_as_ints() -> None:
    class Strange(int):
        def __lt__(self, other: int) -> bool:
            return True

        __le__ = __lt__

    n = Strange(2**64 + 13)
    assert bigprime.is_prime(n)
    assert bigprime.next_prime(n) == 2**64 + 37
    assert bigprime.prev_prime(n) == 2**64 - 59


@pytest.mark.parametrize(
    ("version", "used"),
    [("2.1.5", False), ("2.0.8", False), ("2.2.0a1", True), ("2.10.0", True), ("3.0", True)],
)
def test_only_a_gmpy2_with_the_same_lucas_test_is_used(
    version: str, used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = SimpleNamespace(version=lambda: version)
    monkeypatch.setitem(sys.modules, "gmpy2", module)
    assert bigprime._gmpy2.__wrapped__() is (module if used else None)


@pytest.mark.parametrize("bits", [2, 3, 5, 8, 30, 31, 60, 64, 101])
def test_barrett_reduction(bits: int) -> None:
    """The whole range that its proof allows, and its ends."""
    generator = random.Random(bits)
    samples = [generator.getrandbits(bits) | 1 << bits - 1 for _ in range(20)]
    for n in [1 << bits - 1 | 1, (1 << bits) - 1, *samples]:
        modulus = bigprime._BarrettModulus(n)
        ends = [-(1 << bits - 2), -1, 0, (1 << 2 * bits + 3) - 1]
        multiples = [n * generator.getrandbits(bits + 2) + i for _ in range(50) for i in (-1, 0, 1)]
        for x in ends + multiples:
            assert 0 <= x % modulus < 2 * n
            assert (x % modulus - x) % n == 0


@pytest.mark.thread_unsafe
@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("function", [bigprime.is_prime, bigprime.next_prime, bigprime.prev_prime])
def test_a_signal_stops_long_work_within_a_fifth_of_a_second(function: Callable[[int], Any]) -> None:
    """All in processor time, so that a busy machine can't fail it; 20,000 digits are seconds of work."""

    class Stop(Exception):
        pass

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Stop

    n = 10**20_000 + 7
    previous = signal.signal(signal.SIGPROF, stop)
    try:
        for seconds in (0.05, 0.3):
            started = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, seconds)
            with pytest.raises(Stop):
                function(n)
            assert time.process_time() - started < seconds + 0.2
    finally:
        signal.signal(signal.SIGPROF, previous)


def test_optional_modules_are_imported_only_when_needed() -> None:
    program = "import primerace.bigprime, sys; print(sorted({'gmpy2', 'numpy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
