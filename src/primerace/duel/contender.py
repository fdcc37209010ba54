"""The two sides of a duel: what the user names, and the Python that it leads to."""

import os
import shutil
from dataclasses import dataclass


class DuelError(Exception):
    """A duel that can't be fought; the message says why."""


@dataclass(frozen=True)
class Contender:
    """A Python, and what the user calls it."""

    label: str
    executable: str


def find(name: str) -> Contender:
    """The Python that is meant by a command, by the path of one, or by the folder of a virtual environment.

    Raises:
        DuelError: there is none; the message says what was looked for.

    >>> import sys
    >>> find(sys.executable).executable == sys.executable
    True
    """
    if os.path.isdir(name):
        inside = os.path.join(os.path.abspath(name), "bin", "python")
        if not os.path.isfile(inside):
            raise DuelError(f"{name}: the folder is no virtual environment, there is no bin/python in it")
        return Contender(name, inside)
    found = shutil.which(name)
    if found is None:
        looked = "no such file that can be run" if os.sep in name else "no command of that name"
        raise DuelError(
            f"{name}: there is {looked}; name a Python (python3.13, /path/to/python) or a virtual environment"
        )
    return Contender(name, os.path.abspath(found))
