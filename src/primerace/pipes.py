"""Pipes to a process that is started here, and its end with them."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO

LIFELINE = "PRIMERACE_LIFELINE"  # the environment variable by which a program learns its end of a pipe
STANDARD = 3  # streams, with the numbers below


@contextmanager
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Both ends, to read from and to write to; a process that is started has only those handed to it.

    >>> with pipe() as (reader, writer):
    ...     _ = writer.write(b"word")
    ...     reader.read(4)
    b'word'
    """
    reading, writing = open_pipe()
    with FileIO(reading) as reader, FileIO(writing, "w") as writer:
        yield reader, writer


def open_pipe() -> tuple[int, int]:
    """The file descriptors of both ends, which whoever asks for them has to close.

    >>> reading, writing = open_pipe()
    >>> os.write(writing, b"word"), os.read(reading, 4)
    (4, b'word')
    >>> os.close(reading), os.close(writing)
    (None, None)
    """
    reading, writing = os.pipe()
    return apart(reading), apart(writing)


def apart(descriptor: int) -> int:
    """The same file under a number that no standard stream has in a process that is started here.

    Where a program runs without its standard streams, the next files that it opens get their numbers.
    """
    if descriptor >= STANDARD:
        return descriptor
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, STANDARD)
    os.close(descriptor)
    return moved


def end_with(lifeline: int, group: bool = False) -> None:
    """Let this process, or its group, end when the other end of the pipe closes.

    The system sends SIGIO, which ends a process. That works in the middle of a call that holds the GIL, where
    no thread of ours could act. A pipe that broke before sends nothing any more.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid() if group else os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
