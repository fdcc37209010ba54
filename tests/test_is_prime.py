"""is_prime, next_prime, prev_prime on single numbers; is_prime on everything that holds numbers."""

import datetime
import doctest
import inspect
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

import definitions
import hard_numbers
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace import _isprime, arrays, is_prime, kernels, next_prime, prev_prime, simd

TWINS = [is_prime, kernels.python]
NUMBERS = np.arange(-3, 12)
PRIMES = [n in (2, 3, 5, 7, 11) for n in NUMBERS.tolist()]
MANY = np.random.default_rng(3).integers(-(2**63), 2**63, (40, 5000))


class Index:
    """An integer by its index alone."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __index__(self) -> int:
        return self.n


class IndexWithLength(Index):
    """An integer to `operator.index`, whatever else it is."""

    def __len__(self) -> int:
        return 1


class StrangeInt(int):
    """An int that compares as it likes."""

    def __lt__(self, other: int) -> bool:
        return True

    __le__ = __lt__


INTEGERS = [
    (7, True),
    (-7, False),
    (-(2**63), False),
    (-(2**64), False),
    (0, False),
    (True, False),
    (False, False),
    (Index(97), True),
    (Index(-2), False),
    (IndexWithLength(97), True),
    (StrangeInt(97), True),
    *[(getattr(np, f"{sign}int{bits}")(97), True) for sign in ("", "u") for bits in (8, 16, 32, 64)],
    (np.int8(-97), False),
    (2**31 - 1, True),
    (2**32 + 1, False),
]

NOT_INTEGERS = [
    (7.0, "float"),
    (float("nan"), "float"),
    ("7", "str"),
    (b"7", "bytes"),
    (None, "NoneType"),
    (7j, "complex"),
    (Decimal(7), "Decimal"),
    (Fraction(7), "Fraction"),
    (datetime.date(2027, 1, 1), "date"),
    (datetime.datetime(2027, 1, 1), "datetime"),
    (np.float64(7), "float64"),
    (np.datetime64(7, "ns"), "datetime64"),
    (object(), "object"),
    ({7}, "set"),
    ({7: 7}, "dict"),
    (iter([7]), "list_iterator"),
]


@pytest.mark.parametrize("function", TWINS)
@pytest.mark.parametrize(("n", "expected"), INTEGERS)
def test_integers(function: Callable[[Any], bool], n: Any, expected: bool) -> None:
    assert function(n) is expected


@pytest.mark.parametrize("function", [*TWINS, next_prime, prev_prime])
@pytest.mark.parametrize(("n", "name"), NOT_INTEGERS)
def test_what_is_no_integer_is_an_error_that_names_the_type(
    function: Callable[[Any], Any], n: Any, name: str
) -> None:
    with pytest.raises(TypeError, match=name):
        function(n)


@pytest.mark.parametrize("n", [2**63 - 25, 2**63 + 29, 2**64 - 59, 2**64 + 13, 2**89 - 1])
def test_primes_around_a_machine_word(n: int) -> None:
    assert is_prime(n) is True
    assert is_prime(Index(n)) is True
    assert is_prime(n + 2) is False
    assert is_prime(-n) is False


def test_subclasses_of_int_beyond_a_machine_word() -> None:
    n = StrangeInt(2**64 + 13)
    assert is_prime(n) is True
    assert is_prime([n]).tolist() == [True]
    assert next_prime(n) == 2**64 + 37
    assert prev_prime(n) == 2**64 - 59


def test_around_the_largest_word() -> None:
    numbers = range(2**64 - 300, 2**64 + 300)
    assert [n for n in numbers if is_prime(n)] == [n for n in numbers if definitions.is_prime(n)]


@given(st.integers(-(2**80), 2**80))
def test_definition(n: int) -> None:
    assert is_prime(n) is (n > 1 and definitions.is_prime(n))


@given(st.integers(2, 2**32 - 1), st.integers(2, 2**32 - 1))
def test_products(a: int, b: int) -> None:
    assert is_prime(a * b) is False


def test_composites_beyond_64_bits() -> None:
    for n in map(hard_numbers.arnault_composite, (1, 10, 20)):
        assert is_prime(n) is False


def test_exceptions_of_index_come_through() -> None:
    class Broken:
        def __index__(self) -> int:
            raise ZeroDivisionError

    for function in (is_prime, next_prime, prev_prime):
        with pytest.raises(ZeroDivisionError):
            function(Broken())


def test_signature() -> None:
    assert str(inspect.signature(is_prime)) == "(n, /, *, out=None, where=True, workers=1)"


def test_neighbours_of_small_numbers() -> None:
    primes = definitions.primes_below(10_100)
    assert [next_prime(n) for n in (-(2**70), -(2**63), -1, 0, 1, True)] == [2] * 6
    for p, q in zip(primes, primes[1:], strict=False):
        assert {next_prime(n) for n in range(p, q)} == {q}
        assert {prev_prime(n) for n in range(p + 1, q + 1)} == {p}


@pytest.mark.parametrize("border", [2**31, 2**32, 2**50, 2**63, 2**64])
def test_neighbours_across_borders(border: int) -> None:
    primes = hard_numbers.primes_around(border, 8)
    for p, q in zip(primes, primes[1:], strict=False):
        assert {next_prime(n) for n in range(p, q)} == {q}
        assert {prev_prime(n) for n in range(p + 1, q + 1)} == {p}


def test_neighbours_across_the_widest_gap() -> None:
    """The widest gap below 2**64 (OEIS A002386, A005250)."""
    p, gap = 18361375334787046697, 1550
    assert next_prime(p) == p + gap
    assert prev_prime(p + gap) == p


@given(st.integers(0, 2**70))
def test_nothing_is_between_neighbours(n: int) -> None:
    p = next_prime(n)
    assert prev_prime(p + 1) == p
    assert not any(definitions.is_prime(m) for m in range(n + 1, p) if m > 1)
    assert definitions.is_prime(p)


@pytest.mark.parametrize("bits", range(16, 66, 2))
def test_neighbours_of_random_numbers(bits: int) -> None:
    gmpy2 = pytest.importorskip("gmpy2")
    generator = random.Random(bits)
    for n in (generator.getrandbits(bits) + 3 for _ in range(500)):
        assert next_prime(n) == gmpy2.next_prime(n)
        assert prev_prime(n) == gmpy2.prev_prime(n)


@pytest.mark.parametrize("n", [2, 1, 0, -1, -(2**63), -(2**64), np.int8(2)])
def test_no_prime_is_less_than_2(n: int) -> None:
    with pytest.raises(ValueError, match=f"no prime is less than {n}"):
        prev_prime(n)


def test_a_number_too_long_to_show_is_not_shown() -> None:
    with pytest.raises(ValueError, match="no prime is less than a negative number"):
        prev_prime(-(10**5000))


def test_types(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    stub = Path(str(_isprime.__file__)).with_name("_isprime.pyi")
    (tmp_path / "stub.pyi").write_text(stub.read_text())
    program = tmp_path / "program.py"
    program.write_text("""
import numpy as np
from stub import is_prime
reveal_type(is_prime(7))
reveal_type(is_prime(np.int64(7)))
reveal_type(is_prime([7]))
is_prime(np.arange(8)).sum()
is_prime(np.arange(8), workers=2).sum()
""")
    options = ["--strict", "--config-file", "", "--cache-dir", os.devnull]
    report, errors, status = api.run([*options, str(program)])
    assert status == 0, report + errors
    assert re.findall(r'type is "(?:builtins\.)?(.*)"', report) == ["bool", "bool", "Any"]


# Containers


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, lambda a: np.array(a, object), lambda a: memoryview(np.array(a))]
)
def test_sequences_become_arrays(kind: Callable[[list[int]], Any]) -> None:
    answers = is_prime(kind(NUMBERS.tolist()))
    assert type(answers) is np.ndarray
    assert answers.dtype == np.bool_
    assert answers.tolist() == PRIMES


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        ([[], []], [[], []]),
        ([[2, 4], [6, 7]], [[True, False], [False, True]]),
        ([2**63 + 29, -1], [True, False]),
        ([2**64 - 59, 7], [True, True]),
        ([2**89 - 1, True], [True, False]),
        ([[2**53 + 5, 2**64]], [[True, False]]),
        ([np.uint8(7), np.int64(-7), Index(7)], [True, False, True]),
        (range(8), [False, False, True, True, False, True, False, True]),
    ],
)
def test_lists_are_never_rounded(numbers: Any, expected: list[Any]) -> None:
    assert is_prime(numbers).tolist() == expected


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("n", "name"), NOT_INTEGERS)
def test_lists_of_something_else(n: Any, name: str, workers: int) -> None:
    for numbers in ([n], [7, n], [[7, 7], [7, n]], (2**70, n)):
        with pytest.raises(TypeError, match=name):
            is_prime(numbers, workers=workers)
    with pytest.raises(TypeError, match=name):
        is_prime(np.array([7, n], object), workers=workers)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "U1", "S1", "M8[ns]", "m8[s]", "V4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,)])
def test_arrays_of_something_else(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, dtype)
    with pytest.raises(TypeError, match=str(array.dtype).partition("[")[0].replace("|", "")):
        is_prime(array)


def test_an_array_of_one_number_is_an_array() -> None:
    assert isinstance(is_prime(np.array(7)), np.bool_)
    assert is_prime(np.array([7])).tolist() == [True]


def test_the_bool_of_numpy_is_an_array_of_one_bool() -> None:
    """The one exception to the rule for twins: to `operator.index` it is no integer."""
    for n in (np.True_, np.False_):
        assert is_prime(n) == np.False_
        with pytest.raises(TypeError, match="bool"):
            kernels.python(n)


@pytest.mark.parametrize("dtype", ["M8[ns]", "m8[ns]", "M8[D]"])
def test_dates_and_durations_are_never_numbers(dtype: str) -> None:
    """NumPy makes ints of nanoseconds when asked for objects."""
    dates = np.array([7, 8], dtype)
    objects = np.array([7, 8], object)
    for numbers in ([dates], [[7, 8], dates], [objects, dates], ([[7, 8]], [dates]), [7, dates[0]]):
        with pytest.raises(TypeError, match=re.escape(f"is_prime takes integers, not {dates.dtype}")):
            is_prime(numbers)


@pytest.mark.parametrize("workers", [1, 2])
def test_masked_arrays(workers: int) -> None:
    masked = np.ma.array(MANY, mask=MANY % 3 == 0)
    answers = is_prime(masked, workers=workers)
    assert isinstance(answers, np.ma.MaskedArray)
    assert (answers.mask == masked.mask).all()
    assert (answers.compressed() == is_prime(masked.compressed())).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_pandas(workers: int) -> None:
    pd = pytest.importorskip("pandas")
    for numbers in (NUMBERS, MANY.reshape(-1)):
        series = pd.Series(numbers, name="n", index=pd.RangeIndex(5, 5 + len(numbers)))
        expected = pd.Series(is_prime(numbers), name="n", index=series.index)
        pd.testing.assert_series_equal(is_prime(series, workers=workers), expected)
    pd.testing.assert_index_equal(is_prime(pd.Index(NUMBERS), workers=workers), pd.Index(PRIMES))
    frame = pd.DataFrame({"a": NUMBERS, "b": NUMBERS[::-1]})
    assert is_prime(frame, workers=workers).equals(pd.DataFrame({"a": PRIMES, "b": PRIMES[::-1]}))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("dtype", "answer_dtype"),
    [
        ("Int64", "boolean"),
        ("UInt8", "boolean"),
        ("Int16", "boolean"),
        ("int64[pyarrow]", "bool[pyarrow]"),
        ("uint16[pyarrow]", "bool[pyarrow]"),
    ],
)
def test_pandas_with_missing_values(dtype: str, answer_dtype: str, workers: int) -> None:
    pd = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    for numbers in ([2, 4, None, 97], [2, 4, 0, 97]):
        expected = [n if n is None else n in (2, 97) for n in numbers]
        answers = is_prime(pd.Series(numbers, dtype=dtype), workers=workers)
        pd.testing.assert_series_equal(answers, pd.Series(expected, dtype=answer_dtype))
        answers = is_prime(pd.array(numbers, dtype=dtype), workers=workers)
        assert type(answers) is type(pd.array(expected, dtype=answer_dtype))


@pytest.mark.parametrize("dtype", ["float64", "Float64", "str", "datetime64[ns]", "double[pyarrow]"])
def test_pandas_of_something_else(dtype: str) -> None:
    pd = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    with pytest.raises(TypeError, match=r"float|Float|str|datetime|double"):
        is_prime(pd.Series([7, 8]).astype(dtype))


@pytest.mark.parametrize(
    "name", ["decimal128", "list_", "binary", "null", "time64", "dictionary", "duration"]
)
def test_arrow_columns_of_something_else(name: str) -> None:
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    types = {
        "decimal128": lambda: pa.decimal128(5),
        "list_": lambda: pa.list_(pa.int64()),
        "dictionary": lambda: pa.dictionary(pa.int8(), pa.int64()),
        "time64": lambda: pa.time64("ns"),
        "duration": lambda: pa.duration("ns"),
    }
    dtype = pd.ArrowDtype(types.get(name, getattr(pa, name))())
    with pytest.raises(TypeError, match=re.escape(f"is_prime takes integers, not {dtype}")):
        is_prime(pd.Series([None], dtype=dtype))


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_of_something_else(workers: int) -> None:
    pd = pytest.importorskip("pandas")
    for dtype in ("float64", "datetime64[ns]", "timedelta64[ns]"):
        frame = pd.DataFrame({"a": [7, 8], "b": np.array([7, 8]).astype(dtype)})
        with pytest.raises(TypeError, match=re.escape(f"is_prime takes integers, not {dtype}")):
            is_prime(frame, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_with_missing_values(workers: int) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    for dtype, answer_dtype in (("Int64", "boolean"), ("int64[pyarrow]", "bool[pyarrow]")):
        frame = pd.DataFrame({"a": pd.array([7, None], dtype), "b": [2, 4]})
        expected = pd.DataFrame({"a": pd.array([True, None], answer_dtype), "b": [True, False]})
        pd.testing.assert_frame_equal(is_prime(frame, workers=workers), expected)
        pd.testing.assert_frame_equal(is_prime(frame[:0], workers=workers), expected[:0])


@pytest.mark.parametrize("workers", [1, 2])
def test_masks_leave_false_in_every_kind(workers: int) -> None:
    pd = pytest.importorskip("pandas")
    xr = pytest.importorskip("xarray")
    mask = np.arange(len(NUMBERS)) % 3 == 0
    expected = (mask & PRIMES).tolist()
    series = pd.Series(NUMBERS)
    kinds = [series, pd.Index(NUMBERS), series.astype("Int64"), xr.DataArray(NUMBERS), np.ma.array(NUMBERS)]
    for numbers in kinds:
        answers = is_prime(numbers, where=mask, workers=workers)
        assert type(answers) is type(numbers)
        assert np.asarray(answers).tolist() == expected
        assert not is_prime(numbers, where=False, workers=workers).any()
    assert is_prime(series, where=pd.Series(mask), workers=workers).tolist() == expected
    frame = is_prime(series.to_frame(), where=mask[:, None], workers=workers)
    assert frame[0].tolist() == expected
    out = np.ones(len(NUMBERS), np.bool_)
    is_prime(series, out=out, where=pd.Series(mask), workers=workers)
    assert out.tolist() == (~mask | PRIMES).tolist()


@pytest.mark.parametrize("workers", [1, 2])
def test_masks_of_lazy_arrays(workers: int) -> None:
    dask_array = pytest.importorskip("dask.array")
    numbers = dask_array.from_array(MANY, chunks=(7, 4000))
    mask = MANY % 3 == 0
    answers = is_prime(numbers, where=mask, workers=workers)
    assert (answers.compute(scheduler="threads") == (is_prime(MANY) & mask)).all()


def test_xarray_datasets() -> None:
    xr = pytest.importorskip("xarray")
    numbers = xr.Dataset({"a": ("x", [7, 8]), "b": ("y", [2, 3, 4])})
    expected = xr.Dataset({"a": ("x", [True, False]), "b": ("y", [True, True, False])})
    for workers in (1, 2):
        xr.testing.assert_identical(is_prime(numbers, workers=workers), expected)


@pytest.mark.parametrize("workers", [1, 2])
def test_xarray(workers: int) -> None:
    xr = pytest.importorskip("xarray")
    numbers = xr.DataArray(MANY, dims=("x", "y"), coords={"x": range(len(MANY))}, name="n")
    answers = is_prime(numbers, workers=workers)
    xr.testing.assert_identical(answers, numbers.copy(data=is_prime(MANY)))


@pytest.mark.parametrize("workers", [1, 2])
def test_dask_stays_lazy(workers: int) -> None:
    dask_array = pytest.importorskip("dask.array")
    numbers = dask_array.from_array(MANY, chunks=(7, 4000))
    answers = is_prime(numbers, workers=workers)
    assert type(answers) is type(numbers)
    assert answers.chunks == numbers.chunks
    assert (answers.compute(scheduler="threads") == is_prime(MANY)).all()


def test_polars_is_converted() -> None:
    pl = pytest.importorskip("polars")
    assert is_prime(pl.Series(NUMBERS)).tolist() == PRIMES
    with pytest.raises(TypeError):
        is_prime(pl.Series([7, None]))


@pytest.mark.parametrize("unit", ["Datetime", "Duration"])
def test_polars_dates(unit: str) -> None:
    pl = pytest.importorskip("polars")
    dates = pl.Series([7, 8]).cast(getattr(pl, unit)("ns"))
    for numbers in (dates, [dates], pl.DataFrame({"a": [7, 8], "b": dates})):
        with pytest.raises(TypeError, match="is_prime takes integers, not (datetime|timedelta)"):
            is_prime(numbers)
    assert is_prime(pl.DataFrame({"a": [7, 8], "b": [2, 3]})).tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize("unit", ["timestamp", "duration"])
def test_arrow_dates(unit: str) -> None:
    pa = pytest.importorskip("pyarrow")
    dates = pa.array([7, 8], getattr(pa, unit)("ns"))
    for numbers in (dates, pa.chunked_array([dates]), pa.table({"a": [7, 8], "b": dates})):
        with pytest.raises(TypeError, match="is_prime takes integers, not (datetime|timedelta)"):
            is_prime(numbers)
    assert is_prime(pa.table({"a": [7, 8], "b": [2, 3]})).tolist() == [[True, True], [False, True]]


def test_a_number_with_keywords_is_an_array() -> None:
    out = np.zeros((2, 3), np.bool_)
    assert is_prime(7, out=out) is out
    assert out.all()
    assert isinstance(is_prime(7, workers=2), np.bool_)
    assert is_prime(7, where=[True, False]).tolist() == [True, False]


# Threads


@pytest.fixture(params=[2, 3, -1])
def workers(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def layouts() -> list[Any]:
    """The same numbers, contiguous and not."""
    return [
        MANY,
        MANY.T,
        MANY[::-1],
        MANY[:, ::-2],
        np.asfortranarray(MANY),
        MANY.reshape(-1),
        MANY.reshape(4, 10, -1),
        MANY.astype(">i8"),
        MANY.astype(np.int32),
        np.broadcast_to(MANY[0], MANY.shape),
        MANY[None, :, None, :],
    ]


@pytest.mark.parametrize("layout", range(len(layouts())))
def test_threads_change_no_answer(layout: int, workers: int) -> None:
    numbers = layouts()[layout]
    expected = is_prime(numbers)
    assert expected.shape == numbers.shape
    assert (is_prime(numbers, workers=workers) == expected).all()
    out = np.zeros(numbers.shape, np.int8)
    assert is_prime(numbers, out=out, workers=workers) is out
    assert (out == expected).all()
    mask = np.random.default_rng(0).random(numbers.shape) < 0.5
    assert (is_prime(numbers, where=mask, workers=workers) == (expected & mask)).all()
    out = np.ones(numbers.shape, np.bool_)
    is_prime(numbers, out=(out,), where=mask, workers=workers)
    assert (out == (expected | ~mask)).all()


def test_threads_broadcast(workers: int) -> None:
    out = np.zeros((3, *MANY.shape), np.bool_)
    is_prime(MANY, out=out, where=np.array([True, False, True])[:, None, None], workers=workers)
    assert (out[0] == is_prime(MANY)).all()
    assert not out[1].any()
    assert (out[2] == out[0]).all()
    with pytest.raises(ValueError, match="broadcast"):
        is_prime(MANY, out=out[:, 0], workers=workers)


def test_threads_with_overlapping_memory(workers: int) -> None:
    numbers = MANY.reshape(-1).astype(np.uint64)
    expected = is_prime(numbers)
    for place in (slice(0, len(numbers)), slice(7 * len(numbers), None), slice(5, 5 + len(numbers))):
        memory = numbers.copy()
        out = memory.view(np.bool_)[place]
        is_prime(memory, out=out, workers=workers)
        assert (out == expected).all()


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_threads_on_subclasses_and_objects(workers: int) -> None:
    objects = MANY[:8].astype(object)
    assert (is_prime(objects, workers=workers) == is_prime(MANY[:8])).all()
    assert type(is_prime(np.matrix(MANY), workers=workers)) is np.matrix


@pytest.mark.parametrize("workers", [0, -2, -100])
def test_a_senseless_number_of_threads(workers: int) -> None:
    for numbers in (7, [7], MANY):
        with pytest.raises(ValueError, match=f"not {workers}"):
            is_prime(numbers, workers=workers)


@pytest.mark.parametrize("workers", [1.0, "2", None])
def test_a_number_of_threads_that_is_no_integer(workers: Any) -> None:
    with pytest.raises(TypeError):
        is_prime(MANY, workers=workers)


def test_far_too_many_threads() -> None:
    assert (is_prime(MANY, workers=10**9) == is_prime(MANY)).all()
    with pytest.raises(OverflowError, match="too large"):
        is_prime(MANY, workers=10**30)


@pytest.mark.parametrize("count", [0, 2])
def test_out_is_one_array(count: int) -> None:
    out = (np.zeros(MANY.shape, np.bool_),) * count
    with pytest.raises(ValueError, match=f"out must be one array, not a tuple of {count}"):
        is_prime(MANY, out=out)


def test_no_work_is_left_when_a_thread_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pool:
        def __init__(self) -> None:
            self.submitted: list[Any] = []

        def submit(self, work: Any, blocks: Any) -> Any:
            if self.submitted:
                raise RuntimeError("can't start new thread")
            self.submitted.append(blocks)
            return Future()

    pool = Pool()
    monkeypatch.setattr(arrays, "_pool", lambda: pool)
    with pytest.raises(RuntimeError, match="thread"):
        is_prime(MANY, workers=3)
    assert [len(blocks) for blocks in pool.submitted] == [0]


def test_errors_in_threads_come_through(workers: int) -> None:
    with pytest.raises(TypeError, match="cast"):
        is_prime(MANY, out=np.zeros(MANY.shape, "M8[s]"), workers=workers)
    assert (is_prime(MANY, workers=workers) == is_prime(MANY)).all()


@pytest.mark.thread_unsafe
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_does_not_hang_on_the_threads_of_its_parent() -> None:
    expected = is_prime(MANY, workers=2)
    child = os.fork()
    if child == 0:
        os._exit(0 if (is_prime(MANY, workers=2) == expected).all() else 1)
    for _ in range(1000):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    assert status == 0


@pytest.mark.thread_unsafe
def test_the_import_brings_in_nothing_heavy() -> None:
    heavy = {"numpy", "gmpy2", "primerace.arrays"}
    program = f"import primerace, sys; primerace.is_prime(7); print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.thread_unsafe  # doctest takes the place of linecache for all threads
def test_examples_in_docstrings() -> None:
    results = doctest.testmod(_isprime)
    assert results.attempted >= 8
    assert results.failed == 0


def test_an_interpreter_with_its_own_gil() -> None:
    """Integers work there; arrays do not, for NumPy can't be imported there."""
    interpreters = pytest.importorskip("_interpreters", reason="needs Python 3.13")
    interpreter = interpreters.create("isolated")
    program = (
        "import primerace; assert primerace.is_prime(2**61 - 1); assert primerace.next_prime(100) == 101"
    )
    assert interpreters.run_string(interpreter, program) is None
    interpreters.destroy(interpreter)


def long_calls() -> dict[str, Callable[[], Any]]:
    """Calls of a second or more without vector instructions, one for each way through the array path."""
    words = np.full(1 << 23, 2**64 - 59, np.uint64)
    rows = words[: 1 << 22].reshape(-1, 512)
    return {
        "words": lambda: is_prime(words),
        "threads": lambda: is_prime(words, workers=2),
        "strides": lambda: is_prime(rows[:, ::2]),
        "foreign byte order": lambda: is_prime(words.astype(">u8")),
        "mask": lambda: is_prime(words, where=np.arange(len(words)) % 2 == 0),
        "objects": lambda: is_prime(np.full(1 << 22, 2**64 - 59, object)),
        "ints beyond 64 bits": lambda: is_prime([2**89 - 1] * 100_000),
    }


def repeat(call: Callable[[], Any]) -> None:
    while True:
        call()


@pytest.mark.thread_unsafe
@pytest.mark.parametrize("way", long_calls())
def test_a_signal_stops_a_long_call_within_a_fifth_of_a_second(way: str) -> None:
    """In processor time, so that a busy machine can't fail it."""

    class Stop(Exception):
        pass

    call = long_calls()[way]
    came = 0.0

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal came
        came = time.process_time()
        raise Stop

    previous = signal.signal(signal.SIGPROF, stop)
    due = time.process_time() + 0.3
    signal.setitimer(signal.ITIMER_PROF, 0.3)
    try:
        with simd.force("scalar"), pytest.raises(Stop):
            repeat(call)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    assert came < due + 0.2
    assert time.process_time() < came + 0.2
