"""The job: a function, its items, and the expected answers where they are known."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


class JobError(ValueError):
    """Items that can't be read; the message names the place and the text."""


@dataclass(frozen=True)
class Job:
    """A function, its items, and the expected answers where they are known.

    Args:
        name: what results and tables call the job.
        items: the arguments of the single calls.
        expected: the known answers, one for each item; None where they are not known.
        function: what to call with each item; None stands for the kernel that races.

    Raises:
        JobError: there are not as many expected answers as items.

    >>> Job("tiny", [7, 9], expected=[True, False])
    Job(name='tiny', items=(7, 9), expected=(True, False), function=None)
    """

    name: str
    items: Sequence[Any]
    expected: Sequence[Any] | None = None
    function: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self.items))
        if self.expected is not None:
            object.__setattr__(self, "expected", tuple(self.expected))
            if len(self.expected) != len(self.items):
                raise JobError(
                    f"job {self.name!r} has {len(self.items)} items but {len(self.expected)} expected answers"
                )

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
        text = _read(path)
        parse = _parse_json if text.lstrip().startswith("[") else _parse_lines
        items = tuple(parse(str(path), text))
        if not items:
            raise JobError(f"{path}: there is no number in it")
        return cls(Path(path).name, items)

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


def _read(path: str | Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read() if sys.stdin else ""  # None where it is closed
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobError(f"{path}: not a UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise JobError(f"{path}: {error.strerror}") from None


def _parse_lines(path: str, text: str) -> Iterable[int]:
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip()
        if content:
            try:
                yield int(content)
            except ValueError:
                raise JobError(f"{path}, line {number}: not an integer: {_shown(content)}") from None


def _parse_json(path: str, text: str) -> Iterable[int]:
    try:
        values = json.loads(text)
    except RecursionError:
        raise JobError(f"{path}: a JSON list of integers is wanted, not lists in lists") from None
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        raise JobError(f"{path}, line {error.lineno}: not JSON ({error.msg}): {_shown(line)}") from None
    except ValueError as error:
        raise JobError(f"{path}: {error}") from None
    for position, value in enumerate(values):
        if type(value) is not int:
            raise JobError(f"{path}, element {position}: not an integer: {_shown(json.dumps(value))}")
        yield value


def _shown(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[:most] + "…")
