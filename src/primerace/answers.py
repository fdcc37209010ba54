"""Whether two answers are the same, where == alone does not tell.

Numbers may differ by a share of themselves, NaN is NaN, a list is a tuple (JSON knows lists only), arrays
and tables compare elementwise, and objects without an equality of their own compare by what pickle keeps of
them.
"""

import cmath
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from primerace.racers.base import RacerError

NUMBERS, INEXACT = "biufc", "fc"  # kinds of NumPy's numbers
PROTOCOL = 4  # of pickle


class AnswerError(RacerError):
    """Answers that can't be compared."""


def agree(answer: Any, expected: Any, approx: float = 0.0) -> bool:
    """Whether an answer is the expected one.

    Args:
        answer: what a function returned.
        expected: what it should have returned.
        approx: how far floating-point numbers may lie apart, as a share of the larger one; in an array of the
            largest in it. Integers are exact.

    Raises:
        AnswerError: comparing them raised.

    >>> agree([1.0, {"a": float("nan")}], (1.0, {"a": float("nan")}))
    True
    >>> agree(0.1 + 0.2, 0.3), agree(0.1 + 0.2, 0.3, 1e-9)
    (False, True)
    """
    try:
        return _agree(answer, expected, approx)
    except Exception as error:
        kind = type(answer).__name__
        raise AnswerError(
            f"answers of type {kind} can't be compared: {type(error).__name__}: {error}"
        ) from error


def _agree(one: Any, other: Any, approx: float) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_agree(left, right, approx) for left, right in pairs)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_agree(one[key], other[key], approx) for key in one)
    if _is_array(one) or _is_array(other):
        return _arrays_agree(one, other, approx)
    if isinstance(one, float | complex) or isinstance(other, float | complex):
        return _numbers_agree(one, other, approx)
    if hasattr(one, "tocoo") and hasattr(other, "tocoo"):
        return _agree(_entries(one), _entries(other), approx)
    if type(one) is type(other) and _has_no_equality(one):
        return one is other or _states_agree(one, other, approx)
    return _are_equal(one, other)


def _has_no_equality(value: Any) -> bool:
    """Whether == compares identities, or the fields of a dataclass, which may be arrays."""
    return is_dataclass(value) or _is_compared_by_identity(value)


def _is_compared_by_identity(value: Any) -> bool:
    equality: object = type(value).__eq__
    return equality is object.__eq__


def _states_agree(one: Any, other: Any, approx: float) -> bool:
    """By what pickle keeps of them; a dataclass that it can't pickle by ==, and nothing else."""
    try:
        states = one.__reduce_ex__(PROTOCOL), other.__reduce_ex__(PROTOCOL)
    except Exception:
        if _is_compared_by_identity(one):
            raise
        return bool(one == other)
    return _agree(*states, approx)


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "__array__")


def _arrays_agree(one: Any, other: Any, approx: float) -> bool:
    import numpy as np

    if hasattr(one, "equals") and hasattr(other, "equals"):  # labels count in pandas and xarray
        return type(one) is type(other) and bool(one.equals(other))
    try:
        left, right = np.asarray(one), np.asarray(other)
    except ValueError:  # a list of lists of several lengths
        return _agree(_listed(one), _listed(other), approx)
    if left.shape != right.shape:
        return False
    if np.ma.isMaskedArray(one) or np.ma.isMaskedArray(other):
        masks = np.ma.getmaskarray(one), np.ma.getmaskarray(other)
        filled = np.ma.filled(one, 0), np.ma.filled(other, 0)
        return np.array_equal(*masks) and _arrays_agree(*filled, approx)
    kinds = left.dtype.kind + right.dtype.kind
    if not set(kinds) <= set(NUMBERS):
        return _agree(left.tolist(), right.tolist(), approx)
    if not approx or not set(kinds) & set(INEXACT):
        return bool(np.array_equal(left, right, equal_nan=True))
    largest = np.max(np.abs(right), initial=0.0, where=np.isfinite(right))
    return bool(np.allclose(left, right, rtol=0.0, atol=approx * float(largest), equal_nan=True))


def _listed(value: Any) -> Any:
    return value.tolist() if _is_array(value) else value


def _entries(matrix: Any) -> tuple[Any, ...]:
    """What a sparse matrix of SciPy holds, whatever its format."""
    entries = matrix.tocoo(copy=True)
    entries.sum_duplicates()
    entries.eliminate_zeros()
    return entries.shape, entries.nonzero(), entries.data


def _numbers_agree(one: Any, other: Any, approx: float) -> bool:
    if one == other or (one != one and other != other):
        return True
    numbers = (int, float, complex)
    if not approx or not isinstance(one, numbers) or not isinstance(other, numbers):
        return False
    try:
        if isinstance(one, complex) or isinstance(other, complex):
            return cmath.isclose(one, other, rel_tol=approx)
        return math.isclose(one, other, rel_tol=approx)
    except OverflowError:  # an integer beyond the largest float
        return False


def _are_equal(one: Any, other: Any) -> bool:
    """By `equals` where there is one, else by ==, which may answer for each element; a NaN differs."""
    if one is other:
        return True
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    same = one == other
    if hasattr(same, "all"):
        return bool(same.all())
    return bool(same) or bool(one != one and other != other)
