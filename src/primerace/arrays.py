"""The array path of `is_prime`: what is no single integer comes here.

NumPy's arrays go to the ufunc, in blocks over threads if more than one is wanted. What follows NumPy's
protocol for ufuncs (pandas, xarray, dask, masked arrays) comes back as its own kind. Anything else is
converted, exactly: no integer becomes a float on the way.
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import numpy as np

from primerace._ufunc import is_prime as ufunc
from primerace.machine import usable_cores

__all__ = ["is_prime", "ufunc"]

_BLOCK = 1 << 15
"""Numbers that a thread takes at a time: at least 0.1 ms of work, where to take them costs 2 microseconds."""

_MOST_THREADS = 1024

_NULLABLE = {"b": "boolean", "i": "Int64", "u": "UInt64"}
"""The types of pandas with missing values that hold all integers of a kind."""


def is_prime(a: Any, *, out: Any = None, where: Any = True, workers: int = 1) -> Any:
    """Tell which elements of an array are prime.

    Args:
        a: integers: an array, nested lists, or what follows NumPy's protocol for ufuncs.
        out: where to store the answers; a new array if None.
        where: a mask, broadcast with `a`; elsewhere `out` stays as it is, and a new NumPy array is False.
        workers: the number of threads; -1 is one for each usable core. It changes nothing for Python objects,
            which hold the GIL, and for dask's arrays, which have a scheduler of their own.

    Returns:
        Answers of the shape and kind of `a`; NumPy's bool for a single number.

    Raises:
        TypeError: `a` holds something other than integers; the message names the type.
        ValueError: workers is 0 or less than -1.

    >>> is_prime(np.arange(8), where=np.arange(8) > 2)
    array([False, False, False,  True, False,  True, False,  True])
    """
    threads = _number_of_threads(workers)
    _check_type(a)
    if not _follows_protocol(a):
        a = _to_array(a)
    if _is_arrow_backed(a):
        answers = is_prime(a.astype(_NULLABLE[a.dtype.kind]), out=out, where=where, workers=workers)
        return answers.astype("bool[pyarrow]")
    if isinstance(out, tuple):
        (out,) = out
    if type(a) is np.ndarray and (out is None or type(out) is np.ndarray):
        return _answer_array(a, out, where, threads)
    if threads > 1 and out is None and where is True and not _is_lazy(a):
        values = np.asarray(a)
        if values.dtype.kind in "biu":
            # 0 is not prime, so this is the answers as they are, but of the kind of a.
            return np.logical_and(a, _answer_array(values, None, True, threads))
    mask = {} if where is True else {"where": where}  # pandas takes an explicit True for a mask
    return ufunc(a, out=out, **mask)


def _number_of_threads(workers: int) -> int:
    """Follow SciPy's convention."""
    if workers == -1:
        return usable_cores()
    if workers < 1:
        raise ValueError(f"workers must be at least 1, or -1 for all usable cores, not {workers}")
    return min(workers, _MOST_THREADS)


def _check_type(a: Any) -> None:
    """Raise TypeError for arrays of floats, strings, dates; Python objects are looked at one by one."""
    if getattr(getattr(a, "dtype", None), "kind", "O") not in "biuO":
        raise TypeError(f"is_prime takes integers, not {a.dtype}")


def _follows_protocol(a: Any) -> bool:
    """Polars has the protocol but a ufunc needs a NumPy type of answers there: it is converted."""
    return hasattr(a, "__array_ufunc__") and hasattr(getattr(a, "dtype", np.dtype("O")), "kind")


def _to_array(a: Any) -> np.ndarray[Any, Any]:
    """Convert without rounding: what NumPy does not see as integers of one type stays Python objects."""
    array = np.asarray(a)
    return array if array.dtype.kind in "biu" else np.asarray(a, dtype=object)


def _is_arrow_backed(a: Any) -> bool:
    return type(getattr(a, "dtype", None)).__name__ == "ArrowDtype"


def _is_lazy(a: Any) -> bool:
    """Dask's arrays are, and those of xarray that hold one."""
    graph = getattr(a, "__dask_graph__", None)
    return graph is not None and graph() is not None


def _answer_array(a: Any, out: Any, where: Any, threads: int) -> Any:
    """Answer for a NumPy array."""
    if where is not True:
        where = np.asarray(where)
        if out is None:
            out = np.zeros(np.broadcast_shapes(a.shape, where.shape), np.bool_)
    if threads == 1 or a.size <= _BLOCK or a.dtype.hasobject:
        return ufunc(a, out=out, where=where)
    if out is None:
        out = np.empty_like(a, np.bool_)
    _run(deque(_blocks(*_operands(a, out, where))), threads)
    return out


def _operands(a: Any, out: Any, where: Any) -> Iterator[Any]:
    """Bring all to one shape, and apart in memory, so that their blocks are independent.

    The axis of the longest strides comes first, so that the blocks of a contiguous array are contiguous.
    """
    given = (a,) if where is True else (a, where)
    a, *mask = (np.broadcast_to(x.copy() if np.may_share_memory(x, out) else x, out.shape) for x in given)
    axes = sorted(range(a.ndim), key=lambda axis: -abs(a.strides[axis]))
    return (x.transpose(axes) for x in (a, out, *mask))


def _blocks(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Halve the first axis that is longer than 1, again and again, until each part is at most a block."""
    if arrays[0].size <= _BLOCK:
        yield arrays
        return
    axis, length = next((i, n) for i, n in enumerate(arrays[0].shape) if n > 1)
    before = (slice(None),) * axis
    for part in (slice(length // 2), slice(length // 2, None)):
        yield from _blocks(*(array[*before, part] for array in arrays))


def _run(blocks: deque[tuple[Any, ...]], threads: int) -> None:
    """Work on the blocks in this thread and in helpers; leave only when no helper works on them any more."""
    helpers = [_pool().submit(_work, blocks) for _ in range(min(threads, len(blocks)) - 1)]
    try:
        _work(blocks)
    finally:
        blocks.clear()
        started = [helper for helper in helpers if not helper.cancel()]
        wait(started)
    for helper in started:
        helper.result()


def _work(blocks: deque[tuple[Any, ...]]) -> None:
    while True:
        try:
            a, out, *mask = blocks.popleft()
        except IndexError:
            return
        ufunc(a, out=out, where=mask[0] if mask else True)


@cache
def _pool() -> ThreadPoolExecutor:
    """Make the pool of all calls; it starts a thread only when none is idle."""
    return ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="primerace")


# A child made by fork has none of its parent's threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
