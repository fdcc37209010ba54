"""The calls that the tests of the GIL probe make; the process of a probe imports this module by its name."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from primerace.kernels import held, released

SHARED = 99_999_999_999_973  # a prime: 10 ms of trial division


def loop(turns: int) -> int:
    total = 0
    for number in range(turns):
        total += number & 3
    return total


def by_turns(hold: int, release: int, times: int) -> None:
    """Hold and release the GIL for so many times 10 ms, again and again."""
    for _ in range(times):
        for _ in range(hold):
            held(SHARED)
        for _ in range(release):
            released(SHARED)


def in_pieces(hold: int, release: int, times: int) -> None:
    """Hold the GIL for the trial division of one n, and release it for that of another, again and again."""
    for _ in range(times):
        held(hold)
        released(release)


def lines(file: str) -> int:
    """Read a file line by line: the GIL is released at each read of some kilobytes."""
    with open(file) as text:
        return sum(len(line) for line in text)


def nothing(*args: object, **kwargs: object) -> None:
    pass


def raises() -> None:
    raise ValueError("no such luck")


def shouts() -> None:
    raise ValueError("in red \x1b[31m\n\n  and below")


def switches() -> None:
    sys.setswitchinterval(0.01)


def explains() -> None:
    error = ValueError("the message" + "e" * 10**6)
    error.add_note("a note")
    raise error


def interrupts() -> None:
    raise KeyboardInterrupt


def leaves(code: object) -> None:
    sys.exit(code)


def recurses() -> None:
    recurses()


def ends(how: str) -> None:
    """End the process: a signal's name, or an exit status."""
    if how.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[how])
        time.sleep(60)
    os._exit(int(how))


def crashes() -> None:
    ctypes.string_at(0)


def closes() -> None:
    """As a daemon does."""
    os.closerange(3, 1000)


def prints(megabytes: int) -> None:
    for _ in range(megabytes):
        print("x" * 1_000_000)
        print("x" * 1_000_000, file=sys.stderr)
        os.write(1, b"x" * 1_000_000)
        os.write(2, b"x" * 1_000_000)


def forks() -> None:
    os.fork()


def sleeps(file: str) -> None:
    """Never return, with a child that never does; both are in the file."""
    child = subprocess.Popen(["sleep", "600"])
    _note(file, os.getpid(), child.pid)
    child.wait()


def holds(file: str) -> None:
    """The same, without ever letting the GIL go, beside a child that was forked."""
    child = os.fork()
    if child:
        _note(file, os.getpid(), child)
    ctypes.PyDLL(None).sleep(600)


def abandons(file: str) -> None:
    """Return, and leave a child behind."""
    child = subprocess.Popen(["sleep", "600"])
    _note(file, os.getpid(), child.pid)
    time.sleep(0.05)


def _note(file: str, *pids: int) -> None:
    with open(file, "a") as notes:
        notes.write("".join(f"{pid}\n" for pid in pids))


def noted(file: Path) -> list[int]:
    """The processes that a call has noted, once there are two."""
    pids = [int(line) for line in file.read_text().split()] if file.exists() else []
    return pids if len(pids) >= 2 else []


async def coroutine() -> None:
    pass


def generator() -> Iterator[int]:
    yield 1


async def asynchronous_generator() -> AsyncIterator[int]:
    yield 1
