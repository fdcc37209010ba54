"""The job of the episodes: numbers to test, some of which do something to the worker that has them in hand.

Nothing happens in the main thread of the program itself, where the job runs before its race: what is wanted
is a fault of a racer. Nor does what ends a process happen in that process, which would be the program's end.
"""

import os
import threading
import time

from primerace import kernels

HOME = int(os.environ.setdefault("PRIMERACE_SOAK_HOME", str(os.getpid())))
"""The program's process: workers inherit the variable."""


class Unreadable:
    """It can be pickled, but never unpickled."""

    def __reduce__(self):
        return int, ("unreadable",)


def work(item):
    """Tell whether a number is prime, after a nap and what else the item asks for.

    Args:
        item: the number, the seconds of the nap, and 'raise', 'exit', 'unreadable' or None.
    """
    number, nap, mischief = item
    time.sleep(nap)
    if os.getpid() != HOME:
        if mischief == "exit":
            os._exit(3)
        if mischief == "unreadable":
            return Unreadable()
    if mischief == "raise" and not (os.getpid() == HOME and is_main_thread()):
        raise ValueError("mischief")
    return kernels.released(number)


def is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def sleep_long(_=None):
    """Take longer than any time-out of the campaign."""
    time.sleep(100)
