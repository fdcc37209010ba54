"""An exception of the user's code in one line: what it was, and where he raised it."""

import os
import sysconfig
import traceback

from primerace.plain import one_line

OURS = os.path.dirname(__file__) + os.sep
LONG = 500  # characters of a message
LIBRARIES = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib")})


def summary(error: BaseException) -> str:
    """The exception as Python prints it, and where the user's code raised it, where that is known.

    >>> try:
    ...     int("seven")
    ... except ValueError as error:
    ...     summary(error).partition(" (")[0]
    "ValueError: invalid literal for int() with base 10: 'seven'"
    """
    text = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, SyntaxError) and error.filename:
        text = f"{type(error).__name__}: {error.msg}"
    text = one_line(text)
    return (text if len(text) <= LONG else text[:LONG] + "…") + _place(error)


def is_users(error: BaseException) -> bool:
    """Whether the user's code raised it; else Ctrl-C or SIGTERM did, which are to end this program.

    Whoever ends this program does so with a kind of SystemExit of its own.

    >>> is_users(SystemExit(1)), is_users(KeyboardInterrupt())
    (True, False)
    """
    return type(error) is SystemExit or not isinstance(error, SystemExit | KeyboardInterrupt)


def _place(error: BaseException) -> str:
    """File and line in parentheses; nothing where no line of Python was involved but ours."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_short(error.filename)}:{error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_foreign(frame.filename)]
    users = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)]
    last = (users or frames)[-1:]
    return f" ({_short(last[0].filename)}:{last[0].lineno})" if last else ""


def _is_foreign(path: str) -> bool:
    return not path.startswith((OURS, "<frozen")) and "importlib" not in path


def _short(path: str) -> str:
    """The path as seen from the current folder, where it lies below that."""
    try:
        below = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if below.startswith("..") else below
