"""The job: a function, its items, and the expected answers where they are known."""

import inspect
import os
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from primerace import items as reading
from primerace import target
from primerace.items import JobError
from primerace.plain import plain, shown

__all__ = ["BOOK", "QUICK", "SAMPLES", "Job", "JobError"]

# The textbook's 20 numbers. The cost of an item is wildly uneven on purpose.
BOOK = {
    2: True,
    142702110479723: True,
    299593572317531: True,
    3333333333333301: True,
    3333333333333333: False,
    3333335652092209: False,
    4444444444444423: True,
    4444444444444444: False,
    4444444488888889: False,
    5555553133149889: False,
    5555555555555503: True,
    5555555555555555: False,
    6666666666666666: False,
    6666666666666719: True,
    6666667141414921: False,
    7777777536340681: False,
    7777777777777753: True,
    7777777777777777: False,
    9999999999999917: True,
    9999999999999999: False,
}

# The same shape at a twentieth of the cost: primes and squares of primes near the book's numbers divided
# by 400, in the same places, so that the bounds of list scheduling are the same to three digits.
QUICK = {
    2: True,
    356755276249: True,
    748983930833: True,
    8333333333341: True,
    8333333333345: False,
    8333365977049: False,
    11111111111123: True,
    11111111111124: False,
    11111375557129: False,
    13888941343369: False,
    13888941343411: True,
    13888941343413: False,
    16666666666666: False,
    16666666666673: True,
    16666716435121: False,
    19444651532881: False,
    19444651532939: True,
    19444651532943: False,
    25000000000013: True,
    25000000000015: False,
}

SAMPLES = {"book": BOOK, "quick": QUICK}


@dataclass(frozen=True)
class Job:
    """A function, its items, and the expected answers where they are known.

    Args:
        name: what results and tables call the job.
        items: the arguments of the single calls.
        expected: the known answers, one for each item; None where they are not known.
        function: what to call with each item; None stands for the kernel that races.
        approx: how far floating-point numbers in answers may lie from the expected ones, as a share of them.
        labels: what messages call the items; None numbers them from 0.

    Raises:
        JobError: there are not as many expected answers as items, or `approx` is no such share.

    >>> Job("tiny", [7, 9], expected=[True, False])
    Job(name='tiny', items=(7, 9), expected=(True, False), function=None, approx=0.0)
    """

    name: str
    items: Sequence[Any]
    expected: Sequence[Any] | None = None
    function: Callable[[Any], Any] | None = None
    approx: float = 0.0
    labels: Sequence[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self.items))
        if self.expected is not None:
            object.__setattr__(self, "expected", tuple(self.expected))
            if len(self.expected) != len(self.items):
                raise JobError(
                    f"job {self.name!r} has {len(self.items)} items but {len(self.expected)} expected answers"
                )
        if not 0 <= self.approx < 1:
            raise JobError(f"approx is a share from 0 to below 1, such as 1e-9, not {self.approx}")

    def label(self, index: int) -> str:
        """What messages call an item."""
        name = f"item {index}" if self.labels is None else self.labels[index]
        return f"{name} ({shown(self.items[index])})"

    @cached_property
    def pickled_bytes(self) -> list[int] | None:
        """What each item weighs on its way to another process; None where one of them can't go there."""
        try:
            return [len(pickle.dumps(item)) for item in self.items]
        except Exception:
            return None

    def to_json(self) -> dict[str, Any]:
        """What results tell of it; items for a function of one's own as JSON can hold them, cut if long."""
        keep: Callable[[Any], Any] = _as_it_is if self.function is None else plain
        return {
            "name": self.name,
            "function": None if self.function is None else target.name_of(self.function),
            "items": [keep(item) for item in self.items],
            "expected": None if self.expected is None else [keep(answer) for answer in self.expected],
            "approx": self.approx,
            "pickled_bytes": self.pickled_bytes,
        }

    @classmethod
    def sample(cls, name: str) -> "Job":
        """One of the built-in samples, `book` or `quick`, with its known answers.

        Raises:
            JobError: there is no such sample; the message lists the samples.

        >>> Job.sample("book").items[:2]
        (2, 142702110479723)
        """
        if name not in SAMPLES:
            raise JobError(f"there is no sample {name!r}; the samples are {', '.join(SAMPLES)}")
        numbers = SAMPLES[name]
        return cls(name, tuple(numbers), tuple(numbers.values()))

    @classmethod
    def from_file(cls, path: str | Path) -> "Job":
        """The integers of a file, one a line or as one JSON list; '-' reads standard input.

        Blank lines and what follows a '#' are skipped.

        Raises:
            JobError: the file can't be read, holds no number, or has a line that is not an integer;
                the message names the file, the line and its text.
        """
        return cls(Path(path).name, reading.integers(path))

    @classmethod
    def load(cls, source: str) -> "Job":
        """The sample of that name, else the file of that name.

        Raises:
            JobError: neither exists, or the file holds something other than integers.
        """
        if source in SAMPLES:
            return cls.sample(source)
        if source != "-" and not os.path.exists(source):
            raise JobError(f"{source!r} is neither a sample ({', '.join(SAMPLES)}) nor a file")
        return cls.from_file(source)

    @classmethod
    def from_function(
        cls,
        function: str | Callable[[Any], Any],
        items: str | Iterable[Any],
        expected: Sequence[Any] | None = None,
        name: str | None = None,
        approx: float = 0.0,
    ) -> "Job":
        """A job of one's own.

        Args:
            function: `package.module:function`, `./script.py:function`, or the callable itself; it is called
                with one item at a time.
            items: its arguments, or the name of a generator of them, written as that of the function.
            expected: the known answers; None takes those of the sequential racer.
            name: what results call the job; None takes the name of the function.
            approx: how far numbers in answers may lie from the expected ones, as a share of them.

        Raises:
            TargetError: there is no callable of that name.
            JobError: there are no items, or too many, or calling the function gives no plain answer.

        >>> Job.from_function("math:isqrt", [16, 17]).items
        (16, 17)
        """
        called = target.load(function) if isinstance(function, str) else function
        label = target.name_of(called)
        _check_plain(called, label)
        source = items if isinstance(items, str) else f"the items of {label}"
        drawn = reading.generated(items) if isinstance(items, str) else reading.finite(items, source)
        if not drawn:
            raise JobError(f"{source}: there is none")
        return cls(name or label, drawn, expected, called, approx)


def _as_it_is(item: Any) -> Any:
    return item


def _check_plain(function: Any, label: str) -> None:
    """Refuse what only promises an answer.

    Raises:
        JobError: it is a coroutine function or a generator, or can't be called.
    """
    if not callable(function):
        raise JobError(f"{label} can't be called, it is of type {type(function).__name__}")
    inner = function.itself if isinstance(function, target.Named) else function
    forms = (inner, type(inner).__call__)  # an object may be called as well
    if any(inspect.iscoroutinefunction(form) or inspect.isasyncgenfunction(form) for form in forms):
        raise JobError(f"{label} is a coroutine function; what races is called and answers at once")
    if any(map(inspect.isgeneratorfunction, forms)):
        raise JobError(f"{label} is a generator; what races answers with a value that can be compared")
