"""The primality tests in C on processors that this machine is not: QEMU runs one program at a time."""

import ctypes
import shutil
import subprocess
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

TESTS = Path(__file__).parent
SOURCES = TESTS.parent / "ext" / "primerace"

PROCESSORS = {
    "aarch64": ("aarch64-linux-gnu-gcc", ["qemu-aarch64"]),
    "Nehalem": ("x86_64-linux-gnu-gcc", ["qemu-x86_64", "-cpu", "Nehalem"]),
    "Haswell": ("x86_64-linux-gnu-gcc", ["qemu-x86_64", "-cpu", "Haswell"]),
}
"""Compiler and emulator. Of the two x86-64, Nehalem has no AVX, and Haswell has AVX2 but no AVX-512."""

INSTRUCTION_SETS = {"aarch64": ["scalar"], "Nehalem": ["scalar"], "Haswell": ["avx2", "scalar"]}
"""What each of them has, best first."""


def emulator(processor: str) -> list[str]:
    """The command before a program of this processor."""
    command = PROCESSORS[processor][1]
    needed(command[0])
    return command


def needed(tool: str) -> None:
    """Skip the test where a tool is not installed."""
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")


@cache
def build(compiler: str, folder: Path) -> Path:
    """Compile emulated.c and all that it calls, but for what it includes."""
    needed(compiler)
    if not SOURCES.is_dir():
        pytest.skip("needs the sources")
    program = folder / f"made-by-{compiler}"
    sources = [*SOURCES.glob("[a-z]*.c"), *SOURCES.glob("simd/*.c")]
    others = [source for source in sources if source.name != "interleaved.c"]
    flags = ["-O3", "-w", "-static", f"-I{SOURCES}"]
    subprocess.run([compiler, *flags, "-o", program, TESTS / "emulated.c", *others], check=True)
    return program


class Program:
    """The C code on a processor; every answer comes from a run of its own.

    Args:
        processor: one of PROCESSORS.
        folder: where programs are built, once for each compiler.
    """

    def __init__(self, processor: str, folder: Path) -> None:
        self._command = [*emulator(processor), str(build(PROCESSORS[processor][0], folder))]
        self.strong = partial(self._fill, "strong")
        self.lucas = partial(self._fill, "lucas")
        self.parameters = partial(self._fill, "parameters")

    def best(self) -> str:
        """The instruction set that it chooses."""
        return self._run(b"").decode().strip()

    def answers(self, test: str, numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """The answers of a test: "single" or an instruction set."""
        return np.frombuffer(self._run(numbers.tobytes(), test), np.bool_)

    def _fill(self, stage: str, words: ctypes.c_void_p, count: ctypes.c_size_t, out: ctypes.c_void_p) -> None:
        """Run a stage on memory, as if it were a function of a library."""
        answers = self._run(ctypes.string_at(words, 8 * count.value), stage)
        ctypes.memmove(out, answers, len(answers))

    def _run(self, words: bytes, *test: str) -> bytes:
        return subprocess.run([*self._command, *test], input=words, stdout=subprocess.PIPE, check=True).stdout
