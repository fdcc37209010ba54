"""Whether two answers are the same, where == alone does not tell.

Numbers may differ by a share of themselves, NaN is NaN, a list is a tuple (JSON knows lists only), arrays
and tables compare elementwise, and objects without an equality of their own compare by their attributes.
"""

import cmath
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from primerace.racers.base import RacerError


class AnswerError(RacerError):
    """Answers that can't be compared."""


def agree(answer: Any, expected: Any, approx: float = 0.0) -> bool:
    """Whether an answer is the expected one.

    Args:
        answer: what a function returned.
        expected: what it should have returned.
        approx: how far numbers may lie apart, as a share of the larger one; in an array of the largest in it.

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
    if type(one) is type(other) and _is_known_by_its_attributes(one):
        return one is other or _agree(vars(one), vars(other), approx)
    return _are_equal(one, other)


def _is_known_by_its_attributes(value: Any) -> bool:
    equality: object = type(value).__eq__
    return hasattr(value, "__dict__") and (is_dataclass(value) or equality is object.__eq__)


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "__array__")


def _arrays_agree(one: Any, other: Any, approx: float) -> bool:
    import numpy as np

    if hasattr(one, "equals") and not approx:  # labels count in pandas and xarray
        return type(one) is type(other) and bool(one.equals(other))
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape:
        return False
    if left.dtype.kind not in "fc" and right.dtype.kind not in "fc":
        return bool(np.all(left == right))
    if not approx:
        return bool(np.array_equal(left, right, equal_nan=True))
    largest = np.max(np.abs(right), initial=0.0, where=np.isfinite(right))
    return bool(np.allclose(left, right, rtol=0.0, atol=approx * float(largest), equal_nan=True))


def _numbers_agree(one: Any, other: Any, approx: float) -> bool:
    if one == other or (one != one and other != other):
        return True
    numbers = (int, float, complex)
    if not approx or not isinstance(one, numbers) or not isinstance(other, numbers):
        return False
    if isinstance(one, complex) or isinstance(other, complex):
        return cmath.isclose(one, other, rel_tol=approx)
    return math.isclose(one, other, rel_tol=approx)


def _are_equal(one: Any, other: Any) -> bool:
    """By `equals` where there is one, else by ==, which may answer for each element."""
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    same = one == other
    return bool(same.all()) if hasattr(same, "all") else bool(same)
