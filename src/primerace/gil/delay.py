"""How long the operating system has kept threads waiting for a core.

A gap between two beats is the GIL's fault only as far as the operating system is not to blame for it: the
heart may have waited for a core, or the call may have while it kept the GIL. Linux counts the time that each
thread was ready to run and did not run. It is read here without releasing the GIL, in 3 microseconds: a
reader that released the GIL would wait for it again in the middle of a beat.
"""

import ctypes
import os
from typing import Self

LINE = 128  # bytes, more than the three numbers of the file need
SET_TIMER_SLACK = 29  # PR_SET_TIMERSLACK of <linux/prctl.h>


class RunDelay:
    """The run delay of one thread; without Linux's schedstat it is always 0.

    Args:
        thread: its native id.

    >>> from threading import get_native_id
    >>> with RunDelay(get_native_id()) as delay:
    ...     in_seconds(delay.read()) >= 0
    True
    """

    def __init__(self, thread: int) -> None:
        self._path = f"/proc/self/task/{thread}/schedstat"

    def __enter__(self) -> Self:
        self._buffer = ctypes.create_string_buffer(LINE)
        self._pread = ctypes.PyDLL(None).pread
        self._pread.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
        try:
            self._file = os.open(self._path, os.O_RDONLY)
        except OSError:
            self._file = -1
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def read(self) -> bytes:
        """What the system has counted so far, as it writes it: see `in_seconds`."""
        self._pread(self._file, self._buffer, LINE, 0)
        return self._buffer.value


def in_seconds(line: bytes) -> float:
    """The run delay in a line of schedstat: the second of its numbers, in nanoseconds.

    >>> in_seconds(b"9563127 24214275 8"), in_seconds(b"")
    (0.024214275, 0.0)
    """
    numbers = line.split()
    return int(numbers[1]) / 1e9 if len(numbers) > 1 else 0.0


def wake_on_time() -> None:
    """Have this thread woken from its sleep when it asked for it, not up to 50 microseconds later."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(SET_TIMER_SLACK, 1, 0, 0, 0)
