"""Callables by name: `package.module:function`, or `./script.py:function` for a file that is no module.

What is loaded travels to other processes by that name, and is loaded there once. So a lambda, a method or a
function of a script gets there too, with every start method, where pickle alone would refuse it.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from functools import cache, partial
from importlib import import_module, invalidate_caches
from importlib.util import module_from_spec, spec_from_file_location
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from primerace import traces
from primerace.plain import shown

FORMS = "package.module:function or ./script.py:function"


class TargetError(ValueError):
    """A name that leads to no callable; the message says which part of it is wrong."""


class Named(partial[Any]):
    """A callable that is pickled as its name and found again where it is unpickled.

    The callable as its module has it is `itself`: where that is a partial, `func` is only its inner function.
    """

    itself: Any
    spec: str
    folder: str

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self.spec, self.folder)

    def __repr__(self) -> str:
        return f"load({self.spec!r})"


def load(spec: str, folder: str | None = None) -> Named:
    """The callable of that name; its module is imported, a script runs under its own name, not as `__main__`.

    Modules of the folder can be imported, as under `python -m`; beside a script, those of the script's
    folder. What is printed while they are imported goes to standard error.

    Args:
        spec: `package.module:function`, with further attributes behind dots, or `./script.py:function`.
        folder: where modules and scripts are looked for; None is the current folder.

    Returns:
        The callable, ready to be called and to be pickled.

    Raises:
        TargetError: a part of the name does not exist, can't be imported, or can't be called.

    >>> load("math:isqrt")(17)
    4
    """
    return _load(spec, os.path.abspath(folder or os.getcwd()))


@cache
def _load(spec: str, folder: str) -> Named:
    place, path = parts(spec)
    module = _script(place, folder) if is_script(place) else _module(place, folder)
    found: Any = module
    for name in path.split("."):
        found = _attribute(found, name, spec)
    if not callable(found):
        raise TargetError(f"{spec}: can't be called, it is of type {type(found).__name__}")
    named = Named(found)
    named.itself, named.spec, named.folder = found, spec, folder
    return named


def name_of(function: Any) -> str:
    """What messages and results call a callable.

    >>> name_of(load("math:isqrt")), name_of(os.path.join)
    ('math:isqrt', 'posixpath:join')
    """
    if isinstance(function, Named):
        return function.spec
    module, name = (getattr(function, key, None) for key in ("__module__", "__qualname__"))
    return f"{module}:{name}" if module and name else name or shown(function)


def parts(spec: str) -> tuple[str, str]:
    """The module or script, and the name in it, whether or not there are such.

    Raises:
        TargetError: the name has not the form of one.

    >>> parts("./work.py:crunch")
    ('./work.py', 'crunch')
    """
    place, _, path = spec.rpartition(":")
    if not place or not path or "\0" in spec:
        guess = _guess(spec)
        hint = f", here perhaps {guess}" if guess else ""
        raise TargetError(f"{spec!r} names no function; write {FORMS}{hint}")
    if not is_script(place) and not all(place.split(".")):
        raise TargetError(f"{place!r} is no name of a module; write {FORMS}")
    return place, path


def _guess(spec: str) -> str:
    """What may have been meant by a name without a colon."""
    if is_script(spec):
        return f"{spec}:NAME"
    module, _, function = spec.strip(":").rpartition(".")
    return f"{module}:{function}" if module else ""


def is_script(place: str) -> bool:
    """Whether the part before the colon is a path rather than a module."""
    return place.endswith(".py") or os.sep in place


def _module(name: str, folder: str) -> ModuleType:
    _make_importable(folder)
    invalidate_caches()  # the module may have been written since the folder was last looked at
    with _importing(name):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if missing != name and not name.startswith(f"{missing}."):
                raise
            raise TargetError(
                f"there is no module {missing!r}{_near(missing, _modules_beside(missing))}"
            ) from None


def _modules_beside(missing: str) -> Iterable[str]:
    """The modules that can be imported where one is missing."""
    parent, _, _ = missing.rpartition(".")
    if not parent:
        return {*sys.stdlib_module_names, *(module.name for module in iter_modules())}
    path = getattr(sys.modules.get(parent), "__path__", ())
    return [f"{parent}.{module.name}" for module in iter_modules(path)]


def _script(place: str, folder: str) -> ModuleType:
    """The module that a script is, under the name of its file, so that what it defines can be pickled."""
    path = os.path.realpath(os.path.join(folder, os.path.expanduser(place)))
    if not os.path.isfile(path):
        near = _near(os.path.basename(path), _scripts_beside(path))
        raise TargetError(f"there is no script {place!r}{near}")
    name, ending = os.path.splitext(os.path.basename(path))
    if ending != ".py" or "." in name:
        raise TargetError(f"{place}: a script's name ends in .py and has no other dot")
    loaded = sys.modules.get(name)
    if loaded is not None:
        if os.path.realpath(getattr(loaded, "__file__", None) or "") == path:
            return loaded
        raise TargetError(f"{place}: a module {name!r} is already loaded; give the script another name")
    _make_importable(os.path.dirname(path))
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing(place):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _scripts_beside(path: str) -> Iterable[str]:
    try:
        return [name for name in os.listdir(os.path.dirname(path)) if name.endswith(".py")]
    except OSError:
        return []


def _make_importable(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


@contextmanager
def _importing(what: str) -> Iterator[None]:
    """Let what is imported print to standard error only, and tell in one sentence why it failed."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except TargetError:
        raise
    except BaseException as error:
        if not traces.is_users(error):
            raise
        raise TargetError(f"{what}: importing it raised {traces.summary(error)}") from error


def _attribute(owner: Any, name: str, spec: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        what = f"module {owner.__name__!r}" if isinstance(owner, ModuleType) else shown(owner)
        hint = _hidden_script(owner) or _near(name, dir(owner))
        raise TargetError(f"{spec}: {what} has no {name!r}{hint}") from None
    except Exception as error:
        raise TargetError(f"{spec}: looking up {name!r} raised {error!r}") from error


def _hidden_script(owner: Any) -> str:
    """A word about a script of the current folder that a loaded module of the same name hides."""
    script = f"./{owner.__name__}.py" if isinstance(owner, ModuleType) else ""
    path = getattr(owner, "__file__", None) or "built in"
    if not os.path.isfile(script) or os.path.realpath(script) == os.path.realpath(path):
        return ""
    return f"; that module is {path}; the script in this folder would be {script}:NAME"


def _near(name: str, known: Iterable[str]) -> str:
    matches = get_close_matches(name, list(known), 1)
    return f"; did you mean {matches[0]!r}?" if matches else ""
