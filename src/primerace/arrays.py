"""The array path of `is_prime`: what is no single integer comes here.

NumPy's arrays go to the ufunc, in blocks over threads if more than one is wanted. What follows NumPy's
protocol for ufuncs (pandas, xarray, dask, masked arrays) comes back as its own kind. Anything else is
converted, exactly: no integer becomes a float on the way.
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
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
        where: a mask, broadcast with `a`; elsewhere `out` stays as it is, and a new array is False.
        workers: the number of threads; -1 is one for each usable core. It changes nothing for Python objects,
            which hold the GIL; for dask's arrays, which have a scheduler of their own; for pandas' columns
            with missing values and xarray's datasets; and for other arrays than NumPy's if `out` is given.

    Returns:
        Answers of the shape and kind of `a`; NumPy's bool for a single number.

    Raises:
        TypeError: `a` holds something other than integers; the message names the type.
        ValueError: workers is 0 or less than -1, or `out` is a tuple of other than one array.

    >>> is_prime(np.arange(8), where=np.arange(8) > 2)
    array([False, False, False,  True, False,  True, False,  True])
    """
    threads = _number_of_threads(workers)
    _check_type(a)
    if not _follows_protocol(a):
        a = _to_array(a)
    if isinstance(out, tuple):
        if len(out) != 1:
            raise ValueError(f"out must be one array, not a tuple of {len(out)}")
        (out,) = out
    if type(a) is np.ndarray and (out is None or type(out) is np.ndarray):
        return _answer_array(a, out, where, threads)
    if out is not None:
        # pandas takes an explicit True for a mask.
        mask = {} if where is True else {"where": np.asarray(where)}
        return ufunc(a, out=out, **mask)
    if where is not True:
        return np.logical_and(_answer_other(a, threads), where)
    return _answer_other(a, threads)


def _number_of_threads(workers: int) -> int:
    """Follow SciPy's convention."""
    if workers == -1:
        return usable_cores()
    if workers < 1:
        raise ValueError(f"workers must be at least 1, or -1 for all usable cores, not {workers}")
    return min(workers, _MOST_THREADS)


def _check_type(a: Any) -> None:
    """Raise TypeError for arrays of floats, strings, dates; Python objects are looked at one by one."""
    for dtype in _dtypes(a):
        if getattr(dtype, "kind", "O") not in ("biu" if _is_arrow(dtype) else "biuO"):
            raise TypeError(f"is_prime takes integers, not {dtype}")


def _dtypes(a: Any) -> list[Any]:
    """List the one type of an array, or those of the columns of a table."""
    return [a.dtype] if hasattr(a, "dtype") else list(getattr(a, "dtypes", ()))


def _follows_protocol(a: Any) -> bool:
    """Polars has the protocol but a ufunc needs a NumPy type of answers there: it is converted."""
    return hasattr(a, "__array_ufunc__") and hasattr(getattr(a, "dtype", np.dtype("O")), "kind")


def _to_array(a: Any) -> np.ndarray[Any, Any]:
    """Convert without rounding: what NumPy does not see as integers of one type stays Python objects."""
    for column in _columns(a):
        _check_parts(column)
    array = np.asarray(a)
    if array.dtype.kind in "biu":
        return array
    _check_parts(a)
    return np.asarray(a, dtype=object)


def _check_parts(a: Any) -> None:
    """Raise TypeError for arrays of dates and durations, also in lists, where NumPy makes ints of some."""
    if isinstance(a, list | tuple):
        for part in a:
            _check_parts(part)
    elif hasattr(a, "__array__"):
        dtype = np.asarray(a).dtype
        if dtype.kind in "mM":
            raise TypeError(f"is_prime takes integers, not {dtype}")


def _columns(a: Any) -> list[Any]:
    """List the columns of a table of Polars or PyArrow."""
    columns = getattr(a, "iter_columns", getattr(a, "itercolumns", list))
    return list(columns())


def _is_arrow(dtype: Any) -> bool:
    """Tell whether a column of this type is Arrow's in pandas."""
    return type(dtype).__name__ == "ArrowDtype"


def _answer_other(a: Any, threads: int) -> Any:
    """Answer for what is not NumPy's own but follows its protocol."""
    if any(map(_is_arrow, _dtypes(a))):
        return _answer_arrow(a, threads)
    if threads > 1 and hasattr(a, "shape") and not _is_lazy(a):
        values = np.asarray(a)
        if values.dtype.kind in "biu":
            # 0 is not prime, so this is the answers as they are, but of the kind of a.
            return np.logical_and(a, _answer_array(values, None, True, threads))
    return ufunc(a)


def _answer_arrow(a: Any, threads: int) -> Any:
    """Answer by way of the types of pandas that have missing values, and ufuncs too."""
    if hasattr(a, "dtype"):
        return _answer_other(a.astype(_NULLABLE[a.dtype.kind]), threads).astype("bool[pyarrow]")
    types = {label: _NULLABLE[dtype.kind] for label, dtype in a.dtypes.items() if _is_arrow(dtype)}
    return _answer_other(a.astype(types), threads).astype(dict.fromkeys(types, "bool[pyarrow]"))


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
    helpers: list[Future[None]] = []
    try:
        for _ in range(min(threads, len(blocks)) - 1):
            helpers.append(_pool().submit(_work, blocks))
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
