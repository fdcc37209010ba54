"""Every instruction set that this CPU has gives the right answers, wherever the numbers lie in memory."""

import ctypes
import random
import re
import shutil
import subprocess
from pathlib import Path

import definitions
import hard_numbers
import numpy as np
import pytest
from numpy.typing import NDArray

import primerace
from primerace import _isprime

Words = NDArray[np.uint64]
Truths = NDArray[np.bool_]

SOURCES = Path(__file__).parent.parent / "ext" / "primerace"
CLASS_SIZE = 200_000


def answer(instruction_set: str, numbers: Words) -> Truths:
    """Answer by the block function itself, in one call."""
    answers = np.empty(len(numbers), np.bool_)
    _isprime.run_block(instruction_set, numbers, answers)
    return answers


def mixture(count: int) -> tuple[Words, Truths]:
    """Mix numbers of all sizes, a third of them prime, so that every stage of a block function has work."""
    generator = random.Random(count)
    numbers = [generator.getrandbits(generator.randint(1, 64)) for _ in range(count)]
    numbers[::3] = [primerace.prev_prime(n + 3) for n in numbers[::3]]
    generator.shuffle(numbers)
    return np.array(numbers, np.uint64), np.array([primerace.is_prime(n) for n in numbers])


def test_all_small_numbers(instruction_set: str) -> None:
    numbers = np.arange(10**6, dtype=np.uint64)
    assert np.flatnonzero(answer(instruction_set, numbers)).tolist() == definitions.primes_below(10**6)


def test_small_numbers_one_by_one() -> None:
    assert [n for n in range(10**6) if primerace.is_prime(n)] == definitions.primes_below(10**6)


def test_hard_composites(instruction_set: str, composites: Words) -> None:
    assert composites[answer(instruction_set, composites)].tolist() == []


def test_hard_composites_one_by_one(composites: Words) -> None:
    assert [n for n in composites.tolist() if primerace.is_prime(n)] == []


def test_hard_composites_among_others(instruction_set: str, composites: Words) -> None:
    """In small batches, and among numbers that leave a stage early."""
    for count in (1, 3, 8, 20, 50):
        for start in range(0, len(composites), 311):
            batch = np.insert(composites[start : start + count], 0, [2, 9, 2**64 - 59, 2**61 - 1])
            assert answer(instruction_set, batch).tolist() == [True, False, True, True] + [False] * (
                len(batch) - 4
            )


def test_around_powers_of_two(instruction_set: str, borders: tuple[Words, Truths]) -> None:
    numbers, primes = borders
    assert numbers[answer(instruction_set, numbers) != primes].tolist() == []
    assert [primerace.is_prime(n) for n in numbers.tolist()] == primes.tolist()


def test_large_lucas_parameters(instruction_set: str, large_parameters: tuple[Words, Truths]) -> None:
    numbers, primes = large_parameters
    assert numbers[answer(instruction_set, numbers) != primes].tolist() == []
    assert [primerace.is_prime(n) for n in numbers.tolist()] == primes.tolist()


def test_numbers_that_are_1_or_minus_1_modulo_a_power_of_two(instruction_set: str) -> None:
    """For 1 the strong test, for -1 the Lucas test may have to square up to 62 times at the end."""
    numbers = [
        k * 2**e + r for e in range(16, 63) for k in range(1, 64, 2) for r in (1, -1) if k * 2**e < 2**64
    ]
    expected = [definitions.is_prime(n) for n in numbers]
    assert answer(instruction_set, np.array(numbers, np.uint64)).tolist() == expected
    assert [primerace.is_prime(n) for n in numbers] == expected


def test_every_length_alignment_and_place(instruction_set: str) -> None:
    """Up to eight vectors of 8 numbers, at every offset in a cache line, and into the same memory too."""
    numbers, primes = mixture(8 * 8)
    for count in range(len(numbers) + 1):
        for offset in range(8):
            memory = np.zeros(count + offset + 9, np.uint64)
            memory[offset : offset + count] = numbers[:count]
            answers = np.full(count + offset + 9, 7, np.uint8)
            here = memory[offset : offset + count]
            _isprime.run_block(instruction_set, here, answers[offset : offset + count])
            assert answers[offset : offset + count].tolist() == primes[:count].tolist()
            assert (np.delete(answers, slice(offset, offset + count)) == 7).all()
            _isprime.run_block(instruction_set, here, here.view(np.uint8)[:count])
            assert here.view(np.uint8)[:count].tolist() == primes[:count].tolist()
            assert not memory[:offset].any()
            assert not memory[offset + count :].any()


@pytest.mark.parametrize("size", [100, 192, 512, 1024, 2048, 4096, 8192, 16384])
def test_lengths_around_the_sizes_of_chunks(instruction_set: str, size: int) -> None:
    numbers, primes = mixture(size + 9)
    for count in (size - 9, size - 1, size, size + 1, size + 9):
        assert (answer(instruction_set, numbers[:count]) == primes[:count]).all()
        memory = numbers[:count].copy()
        _isprime.run_block(instruction_set, memory, memory.view(np.uint8)[:count])
        assert (memory.view(np.bool_)[:count] == primes[:count]).all()


def test_uniform_blocks(instruction_set: str) -> None:
    """All of one kind: stages that keep everything, and stages that keep nothing."""
    for n in (0, 1, 2, 9, 127, 2**31 - 1, 65537 * 65539, 2**49 - 111, 2**50 - 27, 2**64 - 59, 2**64 - 1):
        block = np.full(5000, n, np.uint64)
        assert (answer(instruction_set, block) == definitions.is_prime(n)).all()


def random_numbers(kind: str) -> Words:
    """Draw the numbers of one class of docs/performance.md."""
    generator = np.random.default_rng(ord(kind))

    def odd(low: int, high: int, count: int = CLASS_SIZE) -> Words:
        return generator.integers(low, high, count, np.uint64) | np.uint64(1)

    def primes(low: int, high: int) -> Words:
        drawn = odd(low, high, 30 * CLASS_SIZE)
        return drawn[primerace.is_prime(drawn)][:CLASS_SIZE]

    match kind:
        case "a":
            return odd(0, 2**32)
        case "b":
            return generator.integers(0, 2**64, CLASS_SIZE, np.uint64)
        case "c":
            return odd(0, 2**64)
        case "d":
            return primes(2**63, 2**64)
        case "e":
            return primes(2**49, 2**50)
        case _:
            small = primes(2**31, 2**32)
            return small * generator.permutation(small)


@pytest.mark.parametrize("kind", "abcdef")
def test_random_numbers_against_gmpy2_and_flint(kind: str) -> None:
    gmpy2 = pytest.importorskip("gmpy2")
    flint = pytest.importorskip("flint")
    numbers = random_numbers(kind)
    expected = [gmpy2.is_prime(n) for n in numbers.tolist()]
    assert [bool(flint.fmpz(n).is_prime()) for n in numbers.tolist()] == expected
    assert [primerace.is_prime(n) for n in numbers.tolist()] == expected
    for instruction_set in _isprime.available_instruction_sets():
        assert answer(instruction_set, numbers).tolist() == expected, instruction_set


class InstructionSet(ctypes.Structure):
    """`struct instruction_set` of isprime.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("supported", ctypes.CFUNCTYPE(ctypes.c_bool)),
        ("block", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)),
    )


@pytest.fixture(scope="module")
def broken_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Build the C code with a Lucas stage that always says 'prime'."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not SOURCES.is_dir():
        pytest.skip("needs a C compiler and the sources")
    copy = tmp_path_factory.mktemp("broken") / "primerace"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("_*"))
    verdict = re.compile(r"(\blucas_verdict\w*\([^;{]*\)\s*\{)")
    for path in [*copy.rglob("*.h"), *copy.rglob("*.c")]:
        path.write_text(verdict.sub(r"\1 return -1;", path.read_text()))
    library = copy / "broken.so"
    sources = [str(path) for path in copy.rglob("*.c")]
    command = [compiler, "-O1", "-w", "-shared", "-fPIC", "-Wl,-Bsymbolic", "-o", str(library), *sources]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


def test_a_lucas_stage_that_always_says_prime_is_caught(
    instruction_set: str, broken_library: ctypes.CDLL, composites: Words
) -> None:
    count = ctypes.c_size_t.in_dll(broken_library, "instruction_set_count").value
    table = (InstructionSet * count).in_dll(broken_library, "instruction_sets")
    broken = next(entry for entry in table if entry.name.decode() == instruction_set)
    answers = np.empty(len(composites), np.bool_)
    broken.block(composites.ctypes.data, len(composites), answers.ctypes.data)
    wrong = set(composites[answers].tolist())
    for bits in (40, 48, 50, 52, 56, 64):
        assert wrong.issuperset(hard_numbers.strong_semiprimes(1 << bits))


def test_a_lucas_stage_that_always_says_prime_is_caught_one_by_one(
    broken_library: ctypes.CDLL, composites: Words
) -> None:
    test = broken_library.is_prime_64
    test.argtypes, test.restype = [ctypes.c_uint64], ctypes.c_bool
    wrong = {n for n in composites.tolist() if test(n)}
    assert wrong.issuperset(hard_numbers.strong_semiprimes(1 << 64))
