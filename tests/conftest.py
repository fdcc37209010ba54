"""What several test modules need: every instruction set in turn, servers, and numbers with known answers."""

import shutil
import signal
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path

import definitions
import hard_numbers
import numpy as np
import pytest
from numpy.typing import NDArray
from redises import RunningRedis, running_redis
from watching import nothing_left

from primerace import simd
from primerace.cli import main

Words = NDArray[np.uint64]

# A suite that was started in the background ignores Ctrl-C, and so would the programs that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=simd.available())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test with each instruction set that this CPU has."""
    with simd.force(request.param):
        yield request.param


@pytest.fixture
def in_process(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Runs the command line in the tests' own process; what it lets through is a failure."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        output, errors = capsys.readouterr()
        assert "Traceback" not in errors
        return code, output, errors

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def no_leftovers() -> Iterator[None]:
    """No test leaves a process or a thread behind that it did not find."""
    with nothing_left():
        yield


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A folder with modules of well-known names, none of which can be imported."""
    for name in ("random", "json", "numpy", "gunicorn", "primerace"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the current folder')")
    return tmp_path


def _need_redis() -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server: apt-get install redis-server")


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    """A Redis with a password, which stays."""
    _need_redis()
    with running_redis("open-sesame") as server:
        yield server


@pytest.fixture
def mortal_redis() -> Iterator[RunningRedis]:
    """A Redis that may be killed."""
    _need_redis()
    with nothing_left(), running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def composites() -> Words:
    """Composites below 2**64 of every hard kind."""
    numbers = {
        *hard_numbers.strong_pseudoprimes(10**10),
        *hard_numbers.strong_lucas_pseudoprimes(),
        *hard_numbers.almost_extra_strong_lucas_pseudoprimes(),
        *hard_numbers.carmichael_numbers(),
        *hard_numbers.chernick_numbers(),
        *hard_numbers.prime_powers(),
        *hard_numbers.PSI,
    }
    for bits in (40, 48, 49, 50, 51, 52, 56, 64):
        numbers.update(hard_numbers.strong_semiprimes(1 << bits))
    for bits in (50, 64):
        numbers.update(hard_numbers.extra_strong_lucas_semiprimes(1 << bits))
    return np.array(sorted(n for n in numbers if n < 1 << 64), np.uint64)


@pytest.fixture(scope="session")
def borders() -> tuple[Words, NDArray[np.bool_]]:
    """Every number below 2**64 that is near a power of two, and whether it is prime."""
    numbers = [n for n in hard_numbers.around_powers_of_two() if n < 1 << 64]
    return np.array(numbers, np.uint64), np.array([definitions.is_prime(n) for n in numbers])


@pytest.fixture(scope="session")
def large_parameters() -> tuple[Words, NDArray[np.bool_]]:
    """Numbers below 2**50 and 2**64 whose Lucas parameter P is at least 95, and whether they are prime.

    P*P - 4 = (P - 2) (P + 2) has the symbol 1 for every smaller P if all primes below 97 have it, and for
    n = 1 modulo 8 these symbols are those of n modulo the primes. The progression sees to the first ones.
    """
    found = []
    for bits, last in ((50, 19), (64, 31)):
        step = 8 * prod(hard_numbers.primes_below(last + 1)[1:])
        end = (1 << bits) // step
        numbers = np.arange(end - 6_000_000, end, dtype=np.uint64) * np.uint64(step) + np.uint64(1)
        for q in hard_numbers.primes_below(97):
            if q > last:
                residues = np.zeros(q, np.bool_)
                residues[[x * x % q for x in range(1, q)]] = True
                numbers = numbers[residues[numbers % np.uint64(q)]]
        found += numbers.tolist()
    return np.array(found, np.uint64), np.array([definitions.is_prime(n) for n in found])
