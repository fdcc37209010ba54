"""The items of a job, read from a file or drawn from a generator.

The kernels take integers, and a file of them may hold comments. A function of one's own takes any JSON
values, one a line, or what a generator of one's own yields.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from primerace import target, traces

MOST_ITEMS = 1_000_000  # more are rather a generator that never ends


class JobError(ValueError):
    """Items that can't be read; the message names the place and the text."""


def integers(path: str | Path) -> tuple[int, ...]:
    """The integers of a file, one a line or as one JSON list; '-' reads standard input.

    Blank lines and what follows a '#' are skipped.

    Raises:
        JobError: the file can't be read, holds no number, or has a line that is not an integer;
            the message names the file, the line and its text.
    """
    text = _read(path)
    parse = _integers_of_list if text.lstrip().startswith("[") else _integers_of_lines
    found = tuple(parse(str(path), text))
    if not found:
        raise JobError(f"{path}: there is no number in it")
    return found


def values(path: str | Path) -> list[Any]:
    """The JSON values of a file, one a line, or the elements of the one JSON list that it is.

    '-' reads standard input. Blank lines and lines that start with '#' are skipped.

    Raises:
        JobError: the file can't be read, holds no value, or has a line that is not JSON; the message names
            the file, the line and its text.
    """
    text = _read(path)
    found = _list_of(text)
    if found is None:
        found = list(_values_of_lines(str(path), text))
    if not found:
        raise JobError(f"{path}: there is no value in it")
    return found


def generated(spec: str) -> list[Any]:
    """What the generator of that name yields; also a function that returns a list, or any other iterable.

    Raises:
        JobError: it raised, it returned nothing to iterate over, yields nothing, or never ends.
        TargetError: there is no callable of that name.
    """
    found = finite(target.load(spec), spec)
    if not found:
        raise JobError(f"{spec}: yields no item")
    return found


def finite(source: Iterable[Any] | Callable[[], Iterable[Any]], name: str) -> list[Any]:
    """The items of an iterable, or of what a callable returns, where there are not too many of them.

    Args:
        source: the iterable, or a function without arguments that returns one.
        name: what errors call it.

    Raises:
        JobError: there are more than a million, or it raised.
    """
    try:
        found = list(islice(source() if callable(source) else source, MOST_ITEMS + 1))
    except BaseException as error:
        if not traces.is_users(error):
            raise
        raise JobError(f"{name}: gives no items, it raised {traces.summary(error)}") from error
    if len(found) > MOST_ITEMS:
        raise JobError(f"{name}: yields more than {MOST_ITEMS:,} items; does it ever end?")
    return found


def is_list(path: str | Path) -> bool:
    """Whether this file of values is one JSON list, rather than a value a line."""
    return _list_of(_read(path)) is not None


def is_file(source: str) -> bool:
    """Whether this names a file, or standard input, rather than a callable."""
    return source == "-" or ":" not in source or os.path.exists(source)


def _read(path: str | Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read() if sys.stdin else ""  # None where it is closed
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobError(f"{path}: not a UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise JobError(f"{path}: {error.strerror}") from None


def _integers_of_lines(path: str, text: str) -> Iterable[int]:
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip()
        if content:
            try:
                yield int(content)
            except ValueError:
                raise JobError(f"{path}, line {number}: not an integer: {_shown(content)}") from None


def _integers_of_list(path: str, text: str) -> Iterable[int]:
    try:
        elements = json.loads(text)
    except RecursionError:
        raise JobError(f"{path}: a JSON list of integers is wanted, not lists in lists") from None
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        raise JobError(f"{path}, line {error.lineno}: not JSON ({error.msg}): {_shown(line)}") from None
    except ValueError as error:
        raise JobError(f"{path}: {error}") from None
    for position, value in enumerate(elements):
        if type(value) is not int:
            raise JobError(f"{path}, element {position}: not an integer: {_shown(json.dumps(value))}")
        yield value


def _list_of(text: str) -> list[Any] | None:
    """The elements of the one list that the text is but for comments; None where it is something else."""
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    body = "\n".join(lines)
    try:
        found = json.loads(body) if body.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _values_of_lines(path: str, text: str) -> Iterable[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if content and not content.startswith("#"):
            try:
                yield json.loads(content)
            except json.JSONDecodeError as error:
                what = f"not JSON ({error.msg})"
                raise JobError(f"{path}, line {number}: {what}: {_shown(content)}") from None
            except (ValueError, RecursionError) as error:
                raise JobError(f"{path}, line {number}: {error}") from None


def _shown(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[:most] + "…")
