"""The instruction sets that test arrays: which this CPU has, which is in use, and how to force one.

The best that the CPU has is used unless the environment variable PRIMERACE_SIMD names another one. All give
the same answers. The variable is read when this module is imported, at the latest with the first array: an
unknown name is an ImportError that lists what the CPU has.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from primerace._isprime import available_instruction_sets as available
from primerace._isprime import current_instruction_set_name as current
from primerace._isprime import use_instruction_set

__all__ = ["available", "current", "force"]


@contextmanager
def force(name: str) -> Iterator[None]:
    """Use an instruction set inside a with block, in all threads; nest such blocks, don't interleave them.

    Args:
        name: one of those that `available` lists.

    Raises:
        ValueError: it is unknown or this CPU does not have it; the message lists what it has.

    >>> with force("scalar"):
    ...     current()
    'scalar'
    """
    before = current()
    use_instruction_set(name)
    try:
        yield
    finally:
        use_instruction_set(before)


def _use_environment() -> None:
    name = os.environ.get("PRIMERACE_SIMD")
    if name:
        try:
            use_instruction_set(name)
        except ValueError as error:
            raise ImportError(f"PRIMERACE_SIMD: {error}") from None


_use_environment()
