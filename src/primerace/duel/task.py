"""What both sides do: code that any interpreter can run, with nothing of this process in it.

A build that is older may lack what the set-up wants of it, which is no failure: a name that can't be imported
the runner tells as unavailable, an unknown kernel or racer the set-up itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_KERNEL = """
from primerace.kernels import KERNELS
if {kernel!r} not in KERNELS:
    raise Unavailable("this primerace has no kernel " + {kernel!r})
kernel = KERNELS[{kernel!r}]
"""

_FUNCTION = """
function = load({function!r}, {folder!r})
items = {items}
"""

_TARGET = """
from primerace.target import TargetError, load
try:
    function = load({function!r}, {folder!r})
    items = {items}
except TargetError as error:
    raise Unavailable(str(error))
"""

_CREW = """
from operator import attrgetter

from primerace.racers import RACERS
{function}
if {racer!r} not in RACERS:
    raise Unavailable("this primerace has no racer " + {racer!r})
racer = RACERS[{racer!r}]().for_kernel({kernel!r})
reason = racer.available()
if reason:
    raise Unavailable({racer!r} + ": " + reason)
crew = racer.start(1 if racer.single else {workers})
"""


@dataclass(frozen=True)
class Task:
    """One piece of work, and what it needs around it.

    Args:
        name: what tables call it.
        setup: statements that run before any clock does; `data`, `load` and `Unavailable` are known.
        work: the expression that is timed; its value are the answers, which both sides must agree on.
        data: JSON values that the code calls `data`.
        teardown: statements that run at the end, whatever happened.
        once: time the first run in a fresh process, without warm-up.
        preload: modules that many tasks share, imported once for all trials of a pair.
        own: a function of the user's; it needs no primerace on either side.
    """

    name: str
    setup: str
    work: str
    data: Sequence[Any] = ()
    teardown: str = ""
    once: bool = False
    preload: tuple[str, ...] = ()
    own: bool = False


def of_kernel(kernel: str, items: Sequence[int], name: str) -> Task:
    """A kernel in a for loop over these numbers.

    >>> of_kernel("held", [97], "one prime").work
    '[kernel(n) for n in data]'
    """
    return Task(name, _KERNEL.format(kernel=kernel), "[kernel(n) for n in data]", items)


def of_function(function: str, folder: str, items: Sequence[Any] | str, name: str) -> Task:
    """A function of one's own in a for loop over its items.

    Args:
        function: `package.module:function` or `./script.py:function`.
        folder: where modules and scripts are looked for.
        items: JSON values, or the name of a generator, which each side calls.
        name: what tables call it.

    >>> print(of_function("math:isqrt", "/", [16, 17], "roots").setup.strip())
    function = load('math:isqrt', '/')
    items = data
    """
    setup, data = _own(_FUNCTION, function, folder, items)
    return Task(name, setup, "[function(item) for item in items]", data, own=True)


def of_racer(racer: str, kernel: str, workers: int, items: Sequence[int], name: str) -> Task:
    """A racer's warm crew on these numbers.

    >>> of_racer("threads", "held", 2, [97], "one prime").teardown
    'crew.close()'
    """
    function = f"{_KERNEL.format(kernel=kernel)}function, items = kernel, data"
    return of_crew(racer, kernel, workers, function, items, name)


def of_racer_with_function(
    racer: str, workers: int, function: str, folder: str, items: Sequence[Any] | str, name: str
) -> Task:
    """A racer's warm crew on a function of one's own; the arguments are those of the others.

    >>> of_racer_with_function("threads", 2, "math:isqrt", "/", [16], "roots").own
    False
    """
    setup, data = _own(_TARGET, function, folder, items)
    return of_crew(racer, None, workers, setup, data, name)


def _own(template: str, function: str, folder: str, items: Sequence[Any] | str) -> tuple[str, Sequence[Any]]:
    """The set-up of a function of one's own, and its data: none where a generator yields the items."""
    if isinstance(items, str):
        drawn = f"list(load({items!r}, {folder!r})())"
        return template.format(function=function, folder=folder, items=drawn), ()
    return template.format(function=function, folder=folder, items="data"), items


def of_crew(
    racer: str, kernel: str | None, workers: int, function: str, data: Sequence[Any], name: str
) -> Task:
    """A racer's warm crew, and code that names the `function` and the `items` that it runs.

    >>> of_crew("threads", None, 2, "function, items = abs, data", [-1], "one").data
    [-1]
    """
    setup = _CREW.format(racer=racer, kernel=kernel, workers=workers, function=function)
    work = "[each.answer for each in sorted(crew.run(function, items), key=attrgetter('index'))]"
    return Task(name, setup, work, data, "crew.close()")
