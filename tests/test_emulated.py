"""Processors that this machine is not: the best instruction set is chosen, and the answers are the same."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from emulated import INSTRUCTION_SETS, PROCESSORS, Program, emulator
from numpy.typing import NDArray
from test_stages import wrong_lucas, wrong_parameters, wrong_strong

Words = NDArray[np.uint64]
Truths = NDArray[np.bool_]

IN_PYTHON = """
import primerace
from primerace import kernels, simd
from primerace.job import BOOK

for name in ("held", "released", "fast"):
    assert [kernels.KERNELS[name](n) for n in list(BOOK)[:3]] == list(BOOK.values())[:3]
assert [primerace.is_prime(n) for n in BOOK] == list(BOOK.values())
assert primerace.is_prime(list(BOOK), workers=2).tolist() == list(BOOK.values())
print(*simd.available())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulated")


@pytest.fixture(scope="module", params=PROCESSORS)
def processor(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def program(processor: str, folder: Path) -> Program:
    return Program(processor, folder)


def test_the_best_instruction_set_is_chosen(processor: str, program: Program) -> None:
    assert program.best() == INSTRUCTION_SETS[processor][0]


def test_hard_composites(processor: str, program: Program, composites: Words) -> None:
    for test in ("single", *INSTRUCTION_SETS[processor]):
        assert composites[program.answers(test, composites)].tolist() == [], test


def test_around_powers_of_two(processor: str, program: Program, borders: tuple[Words, Truths]) -> None:
    numbers, primes = borders
    for test in ("single", *INSTRUCTION_SETS[processor]):
        assert numbers[program.answers(test, numbers) != primes].tolist() == [], test


@pytest.mark.parametrize("bits", [50, 64])
@pytest.mark.parametrize("wrong", [wrong_strong, wrong_lucas, wrong_parameters])
def test_stages(program: Program, wrong: Callable[[Program, int], list[int]], bits: int) -> None:
    assert wrong(program, bits) == []


@pytest.mark.skipif("x86_64" not in sysconfig.get_platform(), reason="needs a Python for x86-64")
@pytest.mark.parametrize("processor", ["Nehalem", "Haswell"])
def test_python(processor: str) -> None:
    """`import primerace`, the kernels, and NumPy, whose wheels may one day ask for more than Nehalem has."""
    command = [*emulator(processor), sys.executable, "-c", IN_PYTHON]
    environment = {name: value for name, value in os.environ.items() if name != "PRIMERACE_SIMD"}
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    assert run.stdout.split() == INSTRUCTION_SETS[processor]
