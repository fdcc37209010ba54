"""Values as they were: what counts as a change, and what can't be told."""

import threading

import numpy as np
import pytest

from primerace.frozen import Frozen


class Cached:
    """Keeps what it found."""

    def __init__(self):
        self.kept = {}


class Same:
    """Compares by identity in a way of its own."""

    def __eq__(self, other):
        return self is other

    __hash__ = None


def keep_a_lock(value):
    value.append(threading.Lock())


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([2, 1], list.sort),
        ([[1]], lambda value: value[0].append(2)),
        ({"a": 1}, dict.clear),
        (np.ones(2), lambda value: value.__setitem__(0, np.nan)),
        (bytearray(b"a"), bytearray.clear),
        (Cached(), lambda value: value.kept.update(a=1)),
        ([], keep_a_lock),
    ],
)
def test_a_change_in_place_is_told(value, change):
    frozen = Frozen(value)
    assert not frozen.has_changed()
    change(value)
    assert frozen.has_changed()


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([Same()], str),
        ([float("nan")], str),
        ({1: 1, 2: 2}, lambda value: value.update({1: value.pop(1)})),
        ([1, 1], lambda value: value.__setitem__(0, 1.0)),
        ([threading.Lock()], list.clear),
    ],
    ids=["identity", "nan", "order of keys", "equal", "not picklable"],
)
def test_what_is_equal_or_can_not_be_pickled_is_not(value, change):
    frozen = Frozen(value)
    change(value)
    assert not frozen.has_changed()


def test_copies_are_others_where_all_can_be_kept():
    for value in ([1], {"a": [2]}, np.arange(3)):
        assert Frozen(value).copy() is not value
    for value in (1, "a", [threading.Lock()], [Same()]):
        assert Frozen(value).copy() is value
