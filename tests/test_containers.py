"""is_prime on everything that holds numbers: the answers come back in the same kind."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from integers import MANY, NOT_INTEGERS, NUMBERS, PRIMES, Index

from primerace import is_prime, kernels


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
