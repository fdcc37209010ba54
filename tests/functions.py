"""The functions that the racers' tests run. Worker processes import this module, so it imports little."""

import ctypes
import os
import signal
import time
from multiprocessing import parent_process
from typing import Any

MEGABYTE = 1 << 20


def square(n: int) -> int:
    return n * n


def same(item: Any) -> Any:
    return item


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def note_and_hold(note: list[Any]) -> int:
    """Add a line to a file, and sleep for so many whole seconds without letting go of the GIL."""
    path, seconds = note
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    ctypes.PyDLL(None).sleep(seconds)
    return int(seconds)


def note_and_nap(note: list[Any]) -> float:
    """Add a line to a file, and sleep."""
    path, seconds = note
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    return nap(seconds)


def compute_between_naps(seconds: float) -> float:
    """Wait, compute for so many seconds of processor time, and wait again."""
    time.sleep(0.05)
    start = time.thread_time()
    while time.thread_time() < start + seconds:
        pass
    time.sleep(0.05)
    return seconds


def length(item: bytes) -> int:
    return len(item)


def megabytes(count: int) -> bytes:
    return bytes([count]) * (count * MEGABYTE)


def refuse_thirteen(n: int) -> int:
    if n == 13:
        raise ValueError("thirteen is not welcome")
    return n


def leave(n: int) -> int:
    raise SystemExit(n)


class Odd(BaseException):
    """No Exception, as what some libraries raise."""


def be_odd(n: int) -> int:
    raise Odd(n)


def interrupt(n: int) -> int:
    raise KeyboardInterrupt


def die(how: str) -> str:
    """End this process as `how` says; other items take their time, so that the end is in mid-job."""
    if how.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[how])
        time.sleep(60)
    if how.startswith("exit "):
        os._exit(int(how.removeprefix("exit ")))
    time.sleep(0.05)
    return how


def die_at_first(path: str) -> str:
    """Kill this process, but only once for each path."""
    try:
        with open(path, "x"):
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
    except FileExistsError:
        return path
    raise AssertionError("still alive")


def fork(how: str) -> str:
    """Come back in two processes; the copy leaves or raises instead where `how` says so."""
    copy = os.fork()
    if copy:
        os.waitpid(copy, 0)
    elif how == "leave":
        raise SystemExit(3)
    elif how == "raise":
        raise ValueError(how)
    return how


def die_beside_a_child(how: str) -> str:
    """As `die`, but first leave a child that for a while holds every open pipe of this process."""
    if how.startswith("exit") and os.fork() == 0:
        time.sleep(8)
        os._exit(0)
    return die(how)


def a_set(_: Any) -> set[int]:
    return {1, 2}


def unpicklable(_: Any) -> Any:
    return (each for each in "generator")


class Unreadable:
    """It can be pickled, but never unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _explode, ()


def _explode() -> None:
    raise OSError("this can't be read")


def unreadable(_: Any) -> Unreadable:
    return Unreadable()


def is_child(_: Any) -> bool:
    return parent_process() is not None


def sleeps_as_gevent(_: Any) -> bool:
    """Whether gevent has replaced the sleep of the standard library."""
    return "gevent" in time.sleep.__module__


def process_id(_: Any) -> int:
    return os.getpid()


def sum_with_numpy(n: int) -> int:
    import numpy

    return int(numpy.arange(n).sum())


def process_id_after_a_nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()
