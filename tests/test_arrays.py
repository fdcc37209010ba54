"""is_prime on arrays in threads (`workers=`): every layout in memory, errors, and signals."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType
from typing import Any

import numpy as np
import pytest
from integers import MANY

from primerace import arrays, is_prime, simd


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
