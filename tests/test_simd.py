"""The choice of an instruction set: the best by default, another one by name, never a silent fallback."""

import os
import subprocess
import sys

import pytest

from primerace import _isprime, simd

pytestmark = pytest.mark.thread_unsafe  # the instruction set in use is the whole process's


def run_python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a new interpreter, for the environment variable is read at import."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_scalar_is_everywhere_and_last() -> None:
    assert simd.available()[-1] == "scalar"
    assert len(set(simd.available())) == len(simd.available())


def test_the_best_one_is_the_default() -> None:
    run = run_python("from primerace import simd; print(simd.current())", PRIMERACE_SIMD="")
    assert run.stdout.strip() == simd.available()[0]


def test_force(instruction_set: str) -> None:
    with simd.force(instruction_set):
        assert simd.current() == instruction_set


def test_force_ends_with_the_block() -> None:
    before = simd.current()
    for name in simd.available():
        with pytest.raises(KeyError), simd.force(name):
            raise KeyError
        assert simd.current() == before


def test_force_nests() -> None:
    with simd.force("scalar"):
        with simd.force(simd.available()[0]):
            assert simd.current() == simd.available()[0]
        assert simd.current() == "scalar"


@pytest.mark.parametrize("name", ["sse9", "", "SCALAR", "avx"])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(name: str) -> None:
    before = simd.current()
    with (
        pytest.raises(ValueError, match=f"'{name}'.*this CPU has {', '.join(simd.available())}"),
        simd.force(name),
    ):
        pass
    assert simd.current() == before


def test_the_environment_chooses(instruction_set: str) -> None:
    run = run_python("from primerace import simd; print(simd.current())", PRIMERACE_SIMD=instruction_set)
    assert run.stdout.strip() == instruction_set


@pytest.mark.parametrize("code", ["from primerace import simd", "import primerace; primerace.is_prime([7])"])
def test_an_unknown_name_in_the_environment_is_an_import_error(code: str) -> None:
    run = run_python(code, PRIMERACE_SIMD="sse9")
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "ImportError: PRIMERACE_SIMD: there is no instruction set 'sse9' here; this CPU has "
    )
    assert last.endswith(", ".join(simd.available()))


def test_an_unknown_name_in_the_environment_is_a_sentence_at_the_command_line() -> None:
    run = run_python("from primerace.cli import main; print(main(['racers']))", PRIMERACE_SIMD="sse9")
    assert run.stdout == "2\n"
    assert run.stderr.startswith("Error: PRIMERACE_SIMD: there is no instruction set 'sse9' here")
    assert run.stderr.count("\n") == 1


def test_blocks_of_wrong_shape_are_refused() -> None:
    for words, answers in ((2, 3), (3, 2), (0, 1)):
        with pytest.raises(ValueError, match="aligned 64-bit words"):
            _isprime.run_block("scalar", bytearray(8 * words), bytearray(answers))
    with pytest.raises(ValueError, match="aligned 64-bit words"):
        _isprime.run_block("scalar", memoryview(bytearray(17))[1:], bytearray(2))
    with pytest.raises(BufferError):
        _isprime.run_block("scalar", bytearray(16), bytes(2))
