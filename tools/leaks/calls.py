"""Everything public, called a million times, with what it takes and with what it refuses.

The smallest object of Python has 16 bytes, so that a million calls which each leave one behind would take
16 MB. No more than GROWTH may be added to the resident memory, and no more than a few blocks to those that
Python has allocated.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from time import perf_counter
from typing import Any

import numpy as np
from memory import state

import primerace
from primerace import _isprime, _native, kernels, simd

GROWTH = 1 << 20  # bytes: one for each of a million calls
BLOCKS = 200  # of Python's allocator: what caches may still take up
BIG = 2**127 - 1

Call = Callable[[], Any]


def refused(function: Callable[..., Any], *arguments: Any, **options: Any) -> Call:
    """Make a call that must raise."""

    def call() -> None:
        try:
            function(*arguments, **options)
        except (TypeError, ValueError, OverflowError, KeyError):
            return
        raise AssertionError(f"{function} took {arguments}, {options}")

    return call


def forced(name: str, numbers: Any) -> Call:
    """Make a call with an instruction set."""

    def call() -> None:
        with simd.force(name):
            primerace.is_prime(numbers)

    return call


def everything() -> Iterator[tuple[str, Call]]:
    """Yield what is called, by a name."""
    is_prime, next_prime, prev_prime = primerace.is_prime, primerace.next_prime, primerace.prev_prime
    yield "is_prime, small int", partial(is_prime, 97)
    yield "is_prime, 64 bits", partial(is_prime, 2**64 - 59)
    yield "is_prime, negative", partial(is_prime, -7)
    yield "is_prime, 127 bits", partial(is_prime, BIG)
    yield "is_prime, NumPy integer", partial(is_prime, np.uint8(7))
    for n in (1.5, "7", None, 1j, object()):
        yield f"is_prime, {type(n).__name__}", refused(is_prime, n)
    yield "is_prime, list", partial(is_prime, [2, 3, 4])
    yield "is_prime, list of big ints", partial(is_prime, [2, BIG])
    yield "is_prime, list with a float", refused(is_prime, [2, 2.5])
    for code in "bBhHiIlLqQ?O":
        yield f"is_prime, array of {code}", partial(is_prime, np.arange(30).astype(code))
    yield "is_prime, big-endian", partial(is_prime, np.arange(30, dtype=">u8"))
    yield "is_prime, strided", partial(is_prime, np.arange(60)[::2])
    yield "is_prime, out= and where=", with_out(np.arange(30))
    yield "is_prime, array of floats", refused(is_prime, np.arange(3.0))
    yield "is_prime, object array with None", refused(is_prime, np.array([2, None]))
    yield "is_prime, out= of the wrong shape", refused(is_prime, np.arange(3), out=np.empty(2, bool))
    yield "is_prime, workers=0", refused(is_prime, np.arange(3), workers=0)
    for name in simd.available():
        yield f"is_prime, {name}", forced(name, np.arange(2**64 - 700, 2**64 - 600, dtype=np.uint64))
    yield "next_prime", partial(next_prime, 2**32)
    yield "next_prime, 65 bits", partial(next_prime, 2**64 + 12)
    yield "next_prime, float", refused(next_prime, 1.5)
    yield "prev_prime", partial(prev_prime, 2**32)
    yield "prev_prime, 2", refused(prev_prime, 2)
    for name, kernel in kernels.KERNELS.items():
        yield f"kernel {name}", partial(kernel, 1009)
        yield f"kernel {name}, float", refused(kernel, 7.0)
    yield "kernel held, 65 bits", refused(kernels.held, 2**64)
    yield "kernel released, 65 bits", refused(kernels.released, 2**64)
    yield "simd.force, unknown", refused(_isprime.use_instruction_set, "nonsense")
    yield "simd.available", simd.available
    short = refused(_isprime.run_block, "scalar", np.zeros(2, np.uint64), bytearray(1))
    yield "run_block, wrong length", short
    for name in ("nothing", "released", "fast"):
        yield f"native {name}", native_call(name)
    yield "native, unknown kernel", refused(native_call("unknown"))


def with_out(a: Any) -> Call:
    """Make a call with an array for the answers, and a mask."""
    out, mask = np.zeros(len(a), bool), a > 3
    return partial(primerace.is_prime, a, out=out, where=mask)


def native_call(kernel: str) -> Call:
    """Make a call of OpenMP's threads: one, since more would take a million times the start of a thread."""
    numbers, stop, answers = np.array([97, 91], np.uint64), np.zeros(1, np.uint8), np.zeros(2, np.uint8)
    return partial(_native.run, kernel, numbers, 1, stop, answers, *np.zeros((3, 2)), np.zeros(2, np.int32))


def repeat_call(call: Call, times: int) -> None:
    for _ in repeat(None, times):
        call()


def call_all(times: int) -> int:
    """Print how memory grew under each call; return how many leak."""
    leaking = 0
    for name, call in everything():
        repeat_call(call, max(100, times // 10))
        before, began = state(), perf_counter()
        repeat_call(call, times)
        nanoseconds = (perf_counter() - began) / times * 1e9
        memory, blocks = (after - earlier for after, earlier in zip(state(), before, strict=True))
        verdict = "LEAKS" if memory > GROWTH or blocks > BLOCKS else "flat"
        leaking += verdict != "flat"
        growth = f"{memory / 1024:+8.0f} KiB {blocks:+5} blocks"
        print(f"{name:36} {growth} {nanoseconds:8.0f} ns  {verdict}", flush=True)
    return leaking
