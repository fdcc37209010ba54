"""The ufunc itself: every type of integer, every way to lay an array out, and NumPy's own keywords."""

import pickle
import threading
import warnings
from typing import Any

import definitions
import numpy as np
import pytest

from primerace.arrays import ufunc

DTYPES = [np.dtype(code) for code in "?bBhHiIlLqQ"]
SWAPPED = [dtype.newbyteorder() for dtype in DTYPES if dtype.itemsize > 1]
RANDOM = np.random.default_rng(5)


def expected(array: Any) -> list[Any]:
    """Answer by the definition, one by one."""
    flat = [n > 1 and definitions.is_prime(n) for n in map(int, array.reshape(-1))]
    return np.array(flat, np.bool_).reshape(array.shape).tolist()  # type: ignore[no-any-return]


def numbers_of(dtype: Any, count: int = 300) -> Any:
    """Small numbers, random ones and both ends of a type."""
    if dtype.kind == "b":
        return RANDOM.integers(0, 2, count).astype(dtype)
    limits = np.iinfo(dtype)
    native = dtype.newbyteorder("=")
    ends = [limits.max - i for i in range(60)] + [limits.min + i for i in range(60)]
    drawn = RANDOM.integers(limits.min, limits.max, count, native, endpoint=True)
    return np.concatenate([np.arange(100, dtype=native), drawn, np.array(ends, native)]).astype(dtype)


def test_it_is_a_ufunc() -> None:
    assert isinstance(ufunc, np.ufunc)
    assert (ufunc.nin, ufunc.nout, ufunc.__name__) == (1, 1, "is_prime")
    assert pickle.loads(pickle.dumps(ufunc)) is ufunc


@pytest.mark.parametrize("dtype", [*DTYPES, *SWAPPED], ids=str)
def test_every_type_of_integer(dtype: Any, instruction_set: str) -> None:
    numbers = numbers_of(dtype)
    answers = ufunc(numbers)
    assert answers.dtype == np.bool_
    assert answers.tolist() == expected(numbers)


@pytest.mark.parametrize("bits", [8, 16])
def test_all_short_integers(bits: int) -> None:
    primes = definitions.primes_below(1 << bits)
    for sign in ("i", "u"):
        dtype = np.dtype(f"{sign}{bits // 8}")
        numbers = np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1).astype(dtype)
        assert numbers[ufunc(numbers)].tolist() == [p for p in primes if p <= np.iinfo(dtype).max]


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(">i4"), np.dtype(object)], ids=str)
@pytest.mark.parametrize(
    "index",
    [np.s_[::-1], np.s_[::2], np.s_[::-3], np.s_[5:5], np.s_[7:8], np.s_[1:], np.s_[None, ::2, None]],
    ids=str,
)
def test_strides(dtype: Any, index: Any) -> None:
    numbers = numbers_of(np.dtype(np.int16) if dtype.hasobject else dtype).astype(dtype)[index]
    assert ufunc(numbers).tolist() == expected(numbers)
    out = np.zeros((*numbers.shape, 3), np.bool_)
    ufunc(numbers, out=out[..., 1])
    assert out[..., 1].tolist() == expected(numbers)
    assert not out[..., ::2].any()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_zero_strides_and_broadcasting(dtype: Any) -> None:
    for n in (0, 1):
        assert ufunc(np.broadcast_to(dtype.type(n), (9000,))).tolist() == [False] * 9000
    row = numbers_of(dtype)
    out = np.zeros((3, len(row)), np.bool_)
    assert ufunc(row, out=out) is out
    assert out.tolist() == [expected(row)] * 3


def test_any_byte_but_0_is_true() -> None:
    assert not ufunc(np.arange(256, dtype=np.uint8).view(np.bool_)).any()


def test_unaligned_memory() -> None:
    numbers = numbers_of(np.dtype(np.uint64))
    memory = np.zeros(numbers.nbytes + 1, np.uint8)
    unaligned = memory[1:].view(np.uint64)
    unaligned[:] = numbers
    assert ufunc(unaligned).tolist() == expected(numbers)
    record = np.zeros(len(numbers), [("flag", "u1"), ("n", "i4")])
    record["n"] = np.arange(len(numbers))
    assert ufunc(record["n"]).tolist() == expected(record["n"])


@pytest.mark.parametrize("dtype", ["u1", "u8", "i8", "u4"])
@pytest.mark.parametrize("count", [1, 300, 4096, 20_000, 200_000])
def test_answers_in_the_memory_of_the_numbers(dtype: str, count: int) -> None:
    numbers = RANDOM.integers(0, 127, count).astype(dtype)
    correct = ufunc(numbers)
    size = numbers.itemsize
    for place in [slice(i * count, (i + 1) * count) for i in range(size)] + [
        slice(i, None, size) for i in range(size)
    ]:
        memory = numbers.copy()
        out = memory.view(np.bool_)[place]
        ufunc(memory, out=out)
        assert (out == correct).all()
    memory = np.concatenate([numbers, numbers])
    ufunc(memory[:count][::-1], out=memory.view(np.bool_)[::-1][:count])
    assert (memory.view(np.bool_)[::-1][:count] == correct[::-1]).all()


def test_scalars_and_empty_arrays() -> None:
    assert isinstance(ufunc(7), np.bool_)
    assert isinstance(ufunc(np.array(7, np.int8)), np.bool_)
    assert ufunc(np.array(7, object)) is np.True_ or ufunc(np.array(7, object)) is True
    assert ufunc(np.zeros((0, 3), np.int32)).shape == (0, 3)
    out = np.zeros((), np.bool_)
    assert ufunc(np.uint64(7), out=out) is out
    assert out


def test_where() -> None:
    numbers = numbers_of(np.dtype(np.int64))
    for mask in (
        np.arange(len(numbers)) % 2 == 0,
        RANDOM.random(len(numbers)) < 0.9,
        np.zeros(len(numbers), np.bool_),
    ):
        out = np.ones(len(numbers), np.bool_)
        ufunc(numbers, out=out, where=mask)
        assert (out == np.where(mask, expected(numbers), True)).all()


@pytest.mark.parametrize("out_type", ["i1", "u8", "f8", "O"])
def test_other_types_of_answers(out_type: str) -> None:
    out = np.zeros(10, out_type)
    ufunc(np.arange(10), out=out)
    assert out.tolist() == expected(np.arange(10))


def test_objects() -> None:
    numbers = np.array([2**64 - 59, 2**64 + 13, 2**89 - 1, -7, True, np.uint8(7), 2**70], object)
    assert ufunc(numbers).tolist() == [True, True, True, False, False, True, False]
    for bad, name in ((7.0, "float"), ("7", "str"), (None, "NoneType"), ([7], "list")):
        numbers[3] = bad
        with pytest.raises(TypeError, match=name):
            ufunc(numbers)
    with pytest.raises(TypeError, match="NoneType"):
        ufunc(np.empty(3, object))


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("f2", "Float16"),
        ("f8", "Float64"),
        ("c16", "Complex128"),
        ("U1", "Str"),
        ("S1", "Bytes"),
        ("M8[ns]", "DateTime64"),
        ("m8[ns]", "TimeDelta64"),
        ("V3", "Void"),
    ],
)
def test_types_without_a_loop(dtype: str, name: str) -> None:
    for shape in ((), (0,), (3,)):
        with pytest.raises(TypeError, match=f"{name}DType"):
            ufunc(np.zeros(shape, dtype))


@pytest.mark.filterwarnings("error")
def test_no_floating_point_warning_or_error(instruction_set: str) -> None:
    numbers = numbers_of(np.dtype(np.uint64), 20_000)
    with np.errstate(all="raise"), warnings.catch_warnings():
        ufunc(numbers)
        ufunc(numbers.astype(">u8"))
        with np.errstate(all="ignore"):
            x = np.ones(3) / 1
    assert (x == 1).all()


def test_many_threads_at_once() -> None:
    numbers = numbers_of(np.dtype(np.int64), 30_000)
    correct = ufunc(numbers)
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(5):
            if (ufunc(numbers[i:]) != correct[i:]).any():
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
