"""The stages of the C code one by one: the strong test, the Lucas test and its parameter, by the definitions.

No composite below 2**64 passes both tests, so wrong answers of the one are covered up by the other as long as
only is_prime is asked.
"""

import ctypes
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, islice
from math import gcd, isqrt, prod
from pathlib import Path

import hard_numbers
import numpy as np
import pytest
from definitions import (
    first_non_residue,
    is_almost_extra_strong_lucas_probable_prime,
    is_extra_strong_lucas_probable_prime,
    is_prime,
    is_strong_probable_prime,
)
from numpy.typing import NDArray

import primerace
from primerace import simd

TESTS = Path(__file__).parent
SOURCES = TESTS.parent / "ext" / "primerace"
GROUP = 192
"""A multiple of the numbers that any stage takes at once."""

STAGES = [["scalar"], ["avx2"], ["avx512ifma"], ["avx512ifma", "-DNARROW"]]


def build(folder: Path, name: str, *options: str, sources: Path = SOURCES) -> ctypes.CDLL:
    """Compile the stages of an instruction set."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sources.is_dir():
        pytest.skip("needs a C compiler and the sources")
    if name not in simd.available():
        pytest.skip(f"this CPU has no {name}")
    library = folder / f"{name}.so"
    source = TESTS / f"stages_{name}.c"
    flags = ["-O1", "-w", "-shared", "-fPIC", f"-I{sources}"]
    subprocess.run([compiler, *flags, *options, "-o", library, source], check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="module", params=STAGES, ids=" ".join)
def stages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return build(tmp_path_factory.mktemp("stages"), *request.param)


def answers(stage: Callable[..., None], numbers: list[int], dtype: type) -> NDArray[np.generic]:
    """Run a stage, for numbers that are all below 2**50 or all above it."""
    padded = np.array(numbers + numbers[-1:] * (-len(numbers) % GROUP), np.uint64)
    out = np.empty(len(padded), dtype)
    stage(ctypes.c_void_p(padded.ctypes.data), ctypes.c_size_t(len(padded)), ctypes.c_void_p(out.ctypes.data))
    return out[: len(numbers)]


def late_ones(below: int) -> Iterator[int]:
    """Yield n with 2**(d * 2**r) = 1 for an r < s, of n - 1 = d * 2**s, that are no strong pseudoprimes."""
    for r in range(2, 9):
        for n in islice(hard_numbers.products(+1, r, below), 20_000):
            if pow(2, n >> 1, n) == 1 and not is_strong_probable_prime(n, 2):
                yield n


def almost_extra_strong(below: int) -> Iterator[int]:
    """Yield n = p * p * (2 * p - 3) that pass the Lucas test but for U; no squarefree n does."""
    for p in range(int((below / 2) ** (1 / 3)) | 1, 100, -2):
        if primerace.is_prime(p) and primerace.is_prime(2 * p - 3):
            n = p * p * (2 * p - 3)
            if passes_all_but_u(n):
                yield n


def passes_all_but_u(n: int) -> bool:
    return is_almost_extra_strong_lucas_probable_prime(n) and not is_extra_strong_lucas_probable_prime(n)


def drawn(low: int, high: int, number: int) -> Iterator[int]:
    """Draw random numbers, half of them prime."""
    generator = random.Random(low)
    for i in range(number):
        n = generator.randrange(low, high)
        yield primerace.prev_prime(n) if i % 2 else n


@cache
def numbers_below(bits: int) -> list[int]:
    """Collect numbers between 2**32 and 2**50, or between 2**50 and 2**64, that the stages are made for.

    These have no small factor, and are not 1 or -1 modulo a large power of two.
    """
    low, high = (32, 50) if bits == 50 else (50, 64)
    numbers = [
        *islice(late_ones(1 << bits), 100),
        *islice(almost_extra_strong(1 << bits), 50),
        *hard_numbers.strong_semiprimes(1 << bits),
        *hard_numbers.extra_strong_lucas_semiprimes(1 << bits),
        *(p * p for p in hard_numbers.primes_around(1 << bits // 2, 20)),
        *(n for b in range(low, high) for n in drawn(1 << b, 2 << b, 150)),
    ]
    small = prod(hard_numbers.primes_below(40))
    numbers = [
        n
        for n in numbers
        if n >> low and not n >> high and gcd(n, small) == 1 and n % 2**17 not in (1, 2**17 - 1)
    ]
    random.Random(bits).shuffle(numbers)
    return numbers


@cache
def parameter(n: int) -> int:
    """Return the first P = 3, 4, 5, ... for which P*P - 4 has the symbol -1, or 0."""
    discriminant = first_non_residue(n, (p * p - 4 for p in count(3)))
    return 0 if discriminant is None else isqrt(discriminant + 4)


is_strong = cache(lambda n: is_strong_probable_prime(n, 2))
is_extra_strong = cache(is_extra_strong_lucas_probable_prime)


def wrong_strong(stages: ctypes.CDLL, bits: int) -> list[int]:
    numbers = numbers_below(bits)
    found = answers(stages.strong, numbers, np.uint8)
    return [n for n, answer in zip(numbers, found, strict=True) if answer != is_strong(n)]


def wrong_lucas(stages: ctypes.CDLL, bits: int) -> list[int]:
    """Where AVX-512 says 2 for 'no P up to 35', there must be none."""
    numbers = numbers_below(bits)
    found = answers(stages.lucas, numbers, np.uint8)
    return [
        n
        for n, answer in zip(numbers, found, strict=True)
        if answer != (2 if answer == 2 and parameter(n) not in range(3, 36) else is_extra_strong(n))
    ]


def wrong_parameters(stages: ctypes.CDLL, bits: int) -> list[int]:
    """AVX-512 knows the P up to 35, and says 0 for others."""
    numbers = numbers_below(bits)
    found = answers(stages.parameters, numbers, np.uint32)
    largest = max(35, *found)
    expected = [p if p <= largest else 0 for p in map(parameter, numbers)]
    return [n for n, p, q in zip(numbers, found, expected, strict=True) if p != q]


@pytest.mark.parametrize("bits", [50, 64])
def test_the_numbers_are_hard(bits: int) -> None:
    """Each stage meets composites that pass it, composites that nearly pass, and every small parameter."""
    composites = [n for n in numbers_below(bits) if not is_prime(n)]
    assert sum(map(is_strong, composites)) > 50
    assert sum(map(is_extra_strong, composites)) > 30
    assert sum(pow(2, n >> 1, n) == 1 and not is_strong(n) for n in composites) > 50
    assert sum(map(passes_all_but_u, composites)) > 30
    assert {0, 3, 4, 5, 6, 9, 11, 15, 17, 21} <= set(map(parameter, numbers_below(bits)))


@pytest.mark.parametrize("bits", [50, 64])
def test_strong_test(stages: ctypes.CDLL, bits: int) -> None:
    assert wrong_strong(stages, bits) == []


@pytest.mark.parametrize("bits", [50, 64])
def test_lucas_test(stages: ctypes.CDLL, bits: int) -> None:
    assert wrong_lucas(stages, bits) == []


@pytest.mark.parametrize("bits", [50, 64])
def test_parameters(stages: ctypes.CDLL, bits: int) -> None:
    assert wrong_parameters(stages, bits) == []


MUTANTS = {
    "scalar: a late 1": ("strong", "strong.h", "return x == n - one;", "return x == n - one || x == one;"),
    "scalar: V = 2 is enough": (
        "lucas",
        "lucas.h",
        "v == chain->two && next == chain->p",
        "v == chain->two",
    ),
    "scalar: P = 9 left out": ("parameters", "lucas.h", "uint64_t p = 7;", "uint64_t p = 10;"),
    "avx2: V = 2 is enough": (
        "lucas",
        "simd/avx2_montgomery.h",
        "equal_lanes(c->multiplied, c->two, v) & equal_lanes(c->squared, c->p, v)",
        "equal_lanes(c->multiplied, c->two, v)",
    ),
    "avx2: P = 3 taken for 4": (
        "parameters",
        "simd/avx2_parameter.h",
        "choose(p, 3, nonresidue",
        "choose(p, 4, nonresidue",
    ),
    "avx512ifma: V = 2 is enough": (
        "lucas",
        "simd/avx512_lucas.h",
        "_mm512_mask_cmpeq_epi64_mask(odd & plus, next, chain->p)",
        "odd & plus",
    ),
    "avx512ifma: P = 3 taken for 4": (
        "parameters",
        "simd/avx512_parameter.h",
        "choose(p, s5, 3)",
        "choose(p, s5, 4)",
    ),
}
"""What is broken: stage, file, text and what takes its place."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_stage_is_caught(name: str, tmp_path: Path) -> None:
    stage, path, text, instead = MUTANTS[name]
    sources = tmp_path / "primerace"
    if SOURCES.is_dir():
        shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("_*"))
        source = (sources / path).read_text()
        assert source.count(text) == 1
        (sources / path).write_text(source.replace(text, instead))
    broken = build(tmp_path, name.split(":")[0], sources=sources)
    wrong = {"strong": wrong_strong, "lucas": wrong_lucas, "parameters": wrong_parameters}[stage]
    assert wrong(broken, 64)
