"""Functions, items and answers as JSON text, for engines whose messages may be read and written by others.

A function goes by its name and is imported where it arrives. What JSON would change on its way (a tuple, a
key that is no string) is refused, so that an answer is the same wherever it was found.
"""

import json
import os
import sys
from dataclasses import fields
from functools import cache
from typing import Any

from primerace.plain import shown
from primerace.racers.base import Failure, Function, Introduction, Outcome, RacerError
from primerace.target import Named, TargetError, load

GUARD = 'a script that races must do so under `if __name__ == "__main__":`, since workers import it'


def function_text(racer: str, function: Function) -> str:
    """The name of a function, and the folder from which it is imported.

    Raises:
        RacerError: it has no name by which it can be found again.

    >>> from primerace.kernels import held
    >>> json.loads(function_text("celery", held))["name"]
    'primerace._trial:held'
    """
    introduced = isinstance(function, Introduction)
    target = function.function if isinstance(function, Introduction) else function
    name, folder = _place_of(racer, target)
    script = getattr(target, "__module__", None) == "__main__"
    return json.dumps({"name": name, "folder": folder, "introduced": introduced, "script": script})


def _place_of(racer: str, function: Function) -> tuple[str, str]:
    """The name under which a function is found again, and the folder in which that works."""
    if isinstance(function, Named):
        return function.spec, function.folder
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module == "__main__":
        return f"{_main(racer, function)}:{path}", os.getcwd()
    name = f"{module}:{path}"
    try:
        found = load(name).itself
    except ValueError as error:
        raise RacerError(f"{racer}: the function {function!r} can't be sent by its name: {error}") from error
    if found is not function:
        raise RacerError(f"{racer}: the function {function!r} can't be sent by its name: {name} is another")
    return name, _folder_of(str(module))


def _main(racer: str, function: Function) -> str:
    """The program that runs, as others can import it."""
    main = sys.modules["__main__"]
    module: str | None = getattr(getattr(main, "__spec__", None), "name", None)
    path: str | None = getattr(main, "__file__", None)
    if module not in (None, "__main__"):
        return str(module)
    if path is None:
        raise RacerError(f"{racer}: the function {function!r} can't be sent by its name: it is in no file")
    return os.path.abspath(str(path))


def _folder_of(module: str) -> str:
    """Where the search for this module begins; the current folder where it has no file."""
    top = sys.modules[module.partition(".")[0]]
    path: str | None = getattr(top, "__file__", None)
    if path is None:
        return os.getcwd()
    folder = os.path.dirname(os.path.abspath(str(path)))
    return os.path.dirname(folder) if hasattr(top, "__path__") else folder


@cache
def function_from(text: str) -> Function:
    """The function of that text, imported here.

    Raises:
        TargetError: there is none.
    """
    message = json.loads(text)
    try:
        function = load(message["name"], message["folder"])
    except TargetError as error:
        if message["script"] and error.__cause__ is not None:  # it ran, and raised
            raise TargetError(f"{error}; {GUARD}") from error
        raise
    return Introduction(function) if message["introduced"] else function.itself


def item_text(racer: str, index: int, item: Any) -> str:
    """One item as JSON.

    Raises:
        RacerError: JSON has no such value.
    """
    try:
        return _unchanged(item)
    except ValueError as error:
        raise RacerError(f"{racer}: item {index} ({shown(item)}) can't be sent as JSON: {error}") from error


def result_text(result: Outcome | Failure) -> str:
    """What became of an item as JSON; an answer that JSON does not have is a failure.

    >>> result_from(result_text(Outcome(0, True, 0.5, 0.4, 1, 0.1))).answer
    True
    """
    if isinstance(result, Outcome):
        try:
            _unchanged(result.answer)
        except ValueError as error:
            result = Failure.of(result.index, TypeError(f"its answer can't be sent as JSON: {error}"))
    return json.dumps({field.name: getattr(result, field.name) for field in fields(result)})


def result_from(text: str) -> Outcome | Failure:
    """The outcome or the failure of that text."""
    fields = json.loads(text)
    return Outcome(**fields) if "answer" in fields else Failure(**fields)


def _unchanged(value: Any) -> str:
    """The value as JSON that leads back to the same value."""
    try:
        text = json.dumps(value)
        arrived = json.loads(text)
        same = _same(arrived, value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not same:
        raise ValueError(f"it would arrive as {shown(arrived)}")
    return text


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same down to their types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    return bool(one == other or one != one)
