"""Files that are written anew, whole or not at all: whoever reads one never finds half of it."""

import os
from pathlib import Path

Name = str | os.PathLike[str]


def is_stream(path: Name) -> bool:
    """Whether a device or a pipe is there, which keeps its place and is opened only to be written to.

    >>> is_stream(os.devnull), is_stream(os.curdir)
    (True, False)
    """
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def draft_of(path: Name) -> Path:
    """The file beside this one in which it is written; a link's draft is beside its target."""
    return Path(os.path.realpath(path) + ".part")


def write_whole(path: Name, content: bytes) -> None:
    """Write a file anew; a link keeps its target, a device or a pipe its place.

    Args:
        path: the file.
        content: all that it is to hold.

    Raises:
        OSError: it can't be written; what was there before is there still.
    """
    if is_stream(path):  # before any link is followed: /dev/stdout leads to a pipe that has no name
        Path(path).write_bytes(content)
        return
    draft = draft_of(path)
    try:
        draft.write_bytes(content)
        draft.replace(os.path.realpath(path))
    finally:
        draft.unlink(missing_ok=True)
