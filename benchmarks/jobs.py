"""The benchmarks by name: one list, which pytest-benchmark and `make duel` share.

Each is a task of `primerace.duel`: code as text and numbers, so that any build of primerace can run it, an
older one too. What a build lacks is told as unavailable, not as an error.
"""

from collections.abc import Iterator
from dataclasses import replace

from number_classes import CLASSES, numbers_of

from primerace import simd
from primerace.duel.task import Task, of_crew, of_kernel
from primerace.kernels import KERNELS
from primerace.racers import RACERS

DRAWN = 1024  # different numbers; arrays repeat them
FEW = 20  # numbers that trial division tests
ARRAY = 1 << 14
SIZES = tuple(10**power for power in range(8))
MANY = 1_000_000  # numbers for several threads
TYPES = ("int8", "int32", "uint32", "int64", "uint64", ">i8")
ITEMS = 100  # that are handed out to measure what that costs
WORKERS = 2
SLOW_TO_START = ("gevent", "joblib", "dask", "celery", "rq", "gunicorn")  # racers that load much, or a server
OF_NEWER_PYTHONS = {"dispatch/interpreters"}  # 3.14, whatever is installed
ARRAYS, CREWS = ("numpy", "primerace.arrays"), ("primerace.racers",)  # what many tasks import

_ARRAY = """
import numpy as np
from primerace import is_prime, simd
if {instruction_set!r} not in simd.available():
    raise Unavailable("no instruction set " + {instruction_set!r})
forced = simd.force({instruction_set!r})
forced.__enter__()
numbers = np.resize(np.array(data, {dtype!r}), {size})
"""

_DISPATCH = f"""
from primerace.racers.base import do_nothing as function
items = list(range({ITEMS}))
"""


def tasks() -> dict[str, list[Task]]:
    """All of them, by group: what is compared at a glance stands together."""
    return {
        "import": [Task("import", "", "__import__('primerace')", once=True)],
        **{f"kernel {kernel}": list(_kernel(kernel)) for kernel in KERNELS},
        **{f"arrays, {name}": list(_instruction_set(name)) for name in simd.available()},
        "arrays by size": [*_sizes(), _in_threads()],
        "arrays by type": list(_types()),
        "next prime": [
            Task(
                "next_prime", "from primerace import next_prime", "[next_prime(n) for n in data]", _ints("c")
            )
        ],
        "dispatch": [task for name, task in _dispatch() if name not in SLOW_TO_START],
        "dispatch, slow to start": [task for name, task in _dispatch() if name in SLOW_TO_START],
    }


def _kernel(kernel: str) -> Iterator[Task]:
    """One kernel on ints of every class; the trial divisions get them at half the bits."""
    for name in CLASSES:
        numbers = _ints(name) if kernel == "fast" else _ints(name, FEW, 2)
        yield of_kernel(kernel, numbers, f"{kernel}/{name}")


def _instruction_set(instruction_set: str) -> Iterator[Task]:
    for name in CLASSES:
        yield _array(f"{instruction_set}/{name}", instruction_set, _ints(name), "uint64", ARRAY)


def _sizes() -> Iterator[Task]:
    for size in SIZES:
        yield _array(f"size/{size}", simd.available()[0], _ints("c"), "uint64", size)


def _in_threads() -> Task:
    """An array that threads share; size/1000000 is the same for one thread."""
    array = _array(f"workers/{WORKERS}", simd.available()[0], _ints("c"), "uint64", MANY)
    return replace(array, work=f"is_prime(numbers, workers={WORKERS})")


def _types() -> Iterator[Task]:
    below_127 = [n % 127 | 1 for n in _ints("c")]
    for dtype in TYPES:
        yield _array(f"type/{dtype}", simd.available()[0], below_127, dtype, ARRAY)


def _dispatch() -> Iterator[tuple[str, Task]]:
    """Every racer with a function that does nothing: what handing out and collecting costs."""
    for name, racer in RACERS.items():
        kernel = "released" if racer.kernels is None or "released" in racer.kernels else "python"
        task = of_crew(name, kernel, WORKERS, _DISPATCH, (), f"dispatch/{name}")
        yield name, replace(task, preload=CREWS)


def _array(name: str, instruction_set: str, numbers: list[int], dtype: str, size: int) -> Task:
    setup = _ARRAY.format(instruction_set=instruction_set, dtype=dtype, size=size)
    return Task(
        name, setup, "is_prime(numbers)", numbers, "forced.__exit__(None, None, None)", preload=ARRAYS
    )


def _ints(name: str, count: int = DRAWN, part: int = 1) -> list[int]:
    found: list[int] = numbers_of(name, count, part).tolist()
    return found
