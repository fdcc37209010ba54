"""Answers: which are the same, which nearly, and what results keep of them."""

import io
import json
import random
import threading
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest

from primerace.answers import AnswerError, agree
from primerace.plain import plain, shown


@dataclass(eq=False)
class Bare:
    """Compares by identity, as most classes do."""

    n: object


@dataclass
class Pair:
    one: object


class Slotted:
    """Has no attributes that vars() would show."""

    __slots__ = ("n",)

    def __init__(self, n):
        self.n = n


class Incomparable:
    def __eq__(self, other):
        raise RuntimeError("never")

    __hash__ = None


NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ("a", "a"),
        (NAN, float("nan")),
        ([1, (2, NAN)], [1, [2, NAN]]),
        ({"a": [NAN]}, {"a": [NAN]}),
        (np.arange(3), np.arange(3)),
        (np.array([1.0, NAN]), np.array([1.0, NAN])),
        ([np.arange(3)], [np.arange(3)]),
        (np.float64(0.5), 0.5),
        (Bare([1]), Bare([1])),
        (Pair(np.arange(3)), Pair(np.arange(3))),
        ({1, 2}, {2, 1}),
        (None, None),
        (complex(1, NAN), complex(1, NAN)),
        (ValueError("a", [NAN]), ValueError("a", [NAN])),
        (io.BytesIO(b"a"), io.BytesIO(b"a")),
        (random.Random(1), random.Random(1)),
        (Slotted(NAN), Slotted(NAN)),
        (iter([1, NAN]), iter([1, NAN])),
        (Decimal("nan"), Decimal("nan")),
        (np.array(["2026-01-01", "nat"], "M8[D]"), np.array(["2026-01-01", "nat"], "M8[D]")),
        (np.array(["nat"], "m8[ns]"), np.array(["nat"], "m8[ns]")),
        (np.array([NAN, "a"], object), np.array([NAN, "a"], object)),
        (np.array([(1, NAN)], "i4,f8"), np.array([(1, NAN)], "i4,f8")),
        (np.array([np.arange(2), np.arange(3)], object), [[0, 1], [0, 1, 2]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 3], mask=[0, 1])),
        (np.ma.array([1.0, NAN], fill_value=7), np.array([1.0, NAN])),
        (np.ma.array(["a", "b"], mask=[0, 1]), np.ma.array(["a", "c"], mask=[0, 1])),
        (np.ma.array([(1, 2.0)], "i4,f8", mask=[(1, 0)]), np.ma.array([(3, 2.0)], "i4,f8", mask=[(1, 0)])),
        (np.ma.masked, np.ma.masked),
    ],
)
def test_the_same(one, other):
    assert agree(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, "1"),
        ("12", ["1", "2"]),
        (NAN, 1.0),
        (0.1 + 0.2, 0.3),
        ([1, 2], [1, 2, 3]),
        ([], None),
        ({"a": 1}, {"a": 1, "b": 2}),
        (np.arange(3), np.arange(4)),
        (np.arange(3), np.array([0, 1, 3])),
        (np.arange(3), "x"),
        (Bare(1), Bare(2)),
        (True, None),
        (ValueError("a"), ValueError("b")),
        (io.BytesIO(b"a"), io.BytesIO(b"b")),
        (io.StringIO("a"), io.StringIO("b")),
        (random.Random(1), random.Random(2)),
        (Slotted(1), Slotted(2)),
        (iter([1]), iter([2])),
        (Decimal("nan"), Decimal(1)),
        (np.array([1.0, 2.0]), ["x", "y"]),
        (np.array([1.0, 2.0]), [[1.0], [1.0, 2.0]]),
        (np.array([1.0, 2.0]), {"a": 1}),
        (np.array(["nat"], "M8[D]"), np.array(["2026-01-01"], "M8[D]")),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2])),
        (np.array([1, 2]), np.ma.array([1, 2], mask=[0, 1])),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([3, 2], mask=[0, 1])),
        (np.ma.array([(1, 2.0)], "i4,f8", mask=[(1, 0)]), np.ma.array([(1, 2.0)], "i4,f8")),
        (np.ma.array([1, 2], mask=[0, 1]), [[1], [1, 2]]),
        (np.ma.masked, 0.0),
    ],
)
def test_not_the_same(one, other):
    assert not agree(one, other)
    assert not agree(one, other, 1e-20)


@pytest.mark.parametrize(
    ("one", "other", "within"),
    [
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.001, False),
        ({"a": [0.1 + 0.2]}, {"a": [0.3]}, True),
        (1 + 1e-10j, 1 + 0j, True),
        (np.array([1.0, 1e-12]), np.array([1.0, 0.0]), True),
        (np.array([1.0, 1e-3]), np.array([1.0, 0.0]), False),
        (10**30, 10**30 + 1, False),
        (np.array([10**15]), np.array([10**15 + 1]), False),
        (10**400, 1.0, False),
        (np.array([1.0, 2.0], object), np.array([1.0, 2.0 + 1e-12], object), True),
        (Slotted(1.0), Slotted(1.0 + 1e-12), True),
        ("a", "b", False),
        (float("inf"), float("inf"), True),
        (float("inf"), 1.0, False),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0 + 1e-12, 3.0], mask=[0, 1]), True),
        (np.ma.array([1.0, 1e9], mask=[0, 1]), np.ma.array([1.001, 1e9], mask=[0, 1]), False),
    ],
)
def test_nearly_the_same(one, other, within):
    assert agree(one, other, 1e-9) is within


def test_tables_compare_with_their_labels():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, NAN]})
    assert agree(table, table.copy())
    assert not agree(table, table.rename(columns={"a": "b"}))


@pytest.mark.parametrize("approx", [0.0, 1e-9])
def test_labels_count_with_approx_too(approx):
    pandas = pytest.importorskip("pandas")
    row = pandas.Series([1.0, NAN], ["a", "b"])
    assert agree(row, row.copy(), approx)
    assert not agree(row, row.set_axis(["b", "a"]), approx)
    for left, right in ((row, [1.0, NAN]), ([1.0, NAN], row)):  # JSON has lists only
        assert agree(left, right, approx)
        assert not agree(left, right[::-1], approx)


def test_what_pandas_calls_missing_is_missing():
    pandas = pytest.importorskip("pandas")
    assert agree([pandas.NaT, pandas.NA], [pandas.NaT, pandas.NA])
    assert not agree(pandas.NaT, pandas.Timestamp(0))


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "coo_array", "dia_array"])
def test_sparse_matrices_compare_by_their_entries(kind):
    sparse = pytest.importorskip("scipy.sparse")
    made = getattr(sparse, kind)([[0.0, NAN], [2.0, 0.0]])
    assert agree(made, sparse.csc_array(made))
    assert agree(made, made * (1 + 1e-12), 1e-9)
    for other in ([[0.0, NAN], [3.0, 0.0]], [[NAN, 0.0], [2.0, 0.0]], [[0.0, NAN]]):
        assert not agree(made, getattr(sparse, kind)(other))


def test_that_can_not_be_compared():
    with pytest.raises(AnswerError, match=r"type Incomparable can't be compared: RuntimeError: never"):
        agree(Incomparable(), Incomparable())


@pytest.mark.parametrize(
    "make", [lambda: lambda: 1, lambda: (each for each in "generator"), lambda: Bare(threading.Lock())]
)
def test_that_nothing_but_their_identity_tells_apart(make):
    one = make()
    assert agree([one], [one])
    with pytest.raises(AnswerError, match="type list can't be compared: TypeError: cannot pickle"):
        agree([one], [make()])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, [2.5, None]), [1, [2.5, None]]),
        (NAN, "nan"),
        ({"a": float("inf")}, "{'a': inf}"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (2**200, 2**200),
        (True, True),
    ],
)
def test_as_json_can_hold_them(value, kept):
    assert plain(value) == kept
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == kept


def test_long_ones_are_cut():
    for value in ("x" * 10**6, b"x" * 10**6, list(range(10**6)), {n: n for n in range(10**5)}):
        assert len(plain(value)) < 2100
        assert len(shown(value)) < 210
