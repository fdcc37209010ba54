"""Watching processes from outside: which run, and whether they end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psutil

HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "loky.backend.resource_tracker")


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie has ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def descendants(pid: int | None = None) -> list[psutil.Process]:
    """All processes under this one (default: the tests' own) except multiprocessing's and loky's helpers."""
    parent = psutil.Process(pid)
    helpers = [child for child in parent.children() if _is_helper(child)]
    return [child for child in parent.children(recursive=True) if child not in helpers and alive(child)]


def _is_helper(process: psutil.Process) -> bool:
    try:
        return any(name in word for word in process.cmdline() for name in HELPERS)
    except psutil.Error:
        return False


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(processes: Iterable[psutil.Process], seconds: float = 10.0) -> bool:
    """Whether all of them end in time."""
    watched = list(processes)
    return eventually(lambda: not any(map(alive, watched)), seconds)


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fail where the block leaves a process or a thread behind that it did not find."""
    processes, threads = descendants(), set(threading.enumerate())
    yield
    assert gone(each for each in descendants() if each not in processes)
    assert eventually(lambda: set(threading.enumerate()) <= threads | set(_of_executors()))


def _of_executors() -> list[threading.Thread]:
    """Threads of the standard library that end when they are collected, and the one that Dask keeps."""
    return [
        each
        for each in threading.enumerate()
        if type(each).__name__.endswith("ManagerThread") or each.name.startswith("Dask-Offload")
    ]


def start(*arguments: str, **options: object) -> "subprocess.Popen[str]":
    """Start Python with these arguments as the leader of a process group of its own."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,  # type: ignore[call-overload]
    )


def interrupt(process: "subprocess.Popen[str]") -> None:
    """What Ctrl-C does: SIGINT to the whole process group."""
    os.killpg(process.pid, signal.SIGINT)
