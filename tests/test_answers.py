"""Answers: which are the same, which nearly, and what results keep of them."""

import json
from dataclasses import dataclass

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
        ("a", "b", False),
        (float("inf"), float("inf"), True),
        (float("inf"), 1.0, False),
    ],
)
def test_nearly_the_same(one, other, within):
    assert agree(one, other, 1e-9) is within


def test_tables_compare_with_their_labels():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, NAN]})
    assert agree(table, table.copy())
    assert not agree(table, table.rename(columns={"a": "b"}))


def test_that_can_not_be_compared():
    with pytest.raises(AnswerError, match=r"type Incomparable can't be compared: RuntimeError: never"):
        agree(Incomparable(), Incomparable())


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
