"""Pipes to a process that is started here."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO

STANDARD = 3  # streams, with the numbers below


@contextmanager
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Both ends, to read from and to write to; a process that is started has only those handed to it.

    >>> with pipe() as (reader, writer):
    ...     _ = writer.write(b"word")
    ...     reader.read(4)
    b'word'
    """
    reading, writing = os.pipe()
    with FileIO(_apart(reading)) as reader, FileIO(_apart(writing), "w") as writer:
        yield reader, writer


def _apart(end: int) -> int:
    """The end of a pipe under a number that no standard stream has in a process that is started here."""
    if end >= STANDARD:
        return end
    moved = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, STANDARD)
    os.close(end)
    return moved
