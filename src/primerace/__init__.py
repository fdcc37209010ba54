"""Race Python's concurrency models on one CPU-bound job, with the fastest 64-bit primality test for it.

`is_prime`, `next_prime` and `prev_prime` are here at once. What races is loaded when it is first used: who
only tests numbers waits for nothing else.
"""

from importlib import import_module

from primerace import kernels
from primerace._isprime import is_prime, next_prime, prev_prime

TYPE_CHECKING = False  # as type checkers know it; typing itself is a third of the time this import takes
if TYPE_CHECKING:
    from typing import Any

    from primerace import simd
    from primerace.gil import GilVerdict, probe_gil
    from primerace.job import Job
    from primerace.racing import race
    from primerace.results import RaceResult, SweepResult
    from primerace.sweeping import sweep

__all__ = [
    "GilVerdict",
    "Job",
    "RaceResult",
    "SweepResult",
    "is_prime",
    "kernels",
    "next_prime",
    "prev_prime",
    "probe_gil",
    "race",
    "simd",
    "sweep",
]

_LOADED_WHEN_USED = {
    "GilVerdict": "gil",
    "Job": "job",
    "RaceResult": "results",
    "SweepResult": "results",
    "probe_gil": "gil",
    "race": "racing",
    "sweep": "sweeping",
}


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        from importlib.metadata import version

        return version("primerace")
    if name == "simd":
        return import_module("primerace.simd")
    if name in _LOADED_WHEN_USED:
        return getattr(import_module(f"primerace.{_LOADED_WHEN_USED[name]}"), name)
    raise AttributeError(f"module 'primerace' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
