"""Processes that are started here: how a child behaves, and how its end is told.

A child leaves Ctrl-C to its parent, and ends when its parent is gone.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

from primerace.pipes import end_with


def start_methods() -> list[str]:
    """Python's ways to start a process, the default one first.

    joblib adds some that only its own processes understand.
    """
    return [each for each in multiprocessing.get_all_start_methods() if not each.startswith("loky")]


def no_processes(start_method: str | None) -> str | None:
    """None where processes can be started with this start method, else the reason."""
    if multiprocessing.current_process().daemon:
        return "daemonic processes may not start others"
    methods = start_methods()
    if start_method is not None and start_method not in methods:
        return f"no start method {start_method!r} here; there are {', '.join(methods)}"
    try:
        import_module("multiprocessing.synchronize")
    except ImportError as error:
        return f"needs semaphores of the operating system: {error}"
    return None


def context(start_method: str | None) -> BaseContext:
    """The multiprocessing context of a start method; None is Python's default."""
    return multiprocessing.get_context(start_method)


@contextmanager
def interrupts_held(context: BaseContext | None = None) -> Iterator[None]:
    """Hold Ctrl-C back while children are started; they inherit that until they have settled in.

    Without it a child interrupted too early prints a traceback, and an interrupt in the middle of a fork is
    lost in the hooks that Python runs around it. So would SIGTERM be.

    Args:
        context: of children that settle in; where they are forked, SIGTERM is held back too.
    """
    forks = context is not None and context.get_start_method() == "fork"
    held = {signal.SIGINT, signal.SIGTERM} if forks else {signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the end of the block: they would leave its work half done.

    A mask holds them back from one thread only; what Python does about them, it does in the main thread.
    """
    came: list[int] = []
    before: dict[int, Any] = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    if threading.current_thread() is not threading.main_thread() or None in before.values():
        yield
        return
    for number in before:
        signal.signal(number, lambda each, _: came.append(each))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


def settle_in() -> None:
    """What a child does first."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        settle_under(parent.sentinel)


def settle_under(sentinel: int) -> None:
    """Leave Ctrl-C to the parent, and end this process when the parent's end of this pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    end_with(sentinel)
    threading.Thread(target=_leave_after, args=(sentinel,), daemon=True).start()


def _leave_after(sentinel: int) -> None:
    """Leave when the parent is gone, for systems where SIGIO does not end a process."""
    wait([sentinel])
    os._exit(1)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started itself; none where it is gone."""
    import psutil  # which subinterpreters can't import, and they import all racers

    with suppress(psutil.Error):
        return [process.pid for process in psutil.Process(pid).children()]
    return []


def exit_in_words(exitcode: int | None) -> str:
    """How a process ended."""
    if exitcode is None:
        return "exit status unknown"
    if exitcode >= 0:
        return f"exit status {exitcode}"
    try:
        return f"killed by {signal.Signals(-exitcode).name}"
    except ValueError:
        return f"killed by signal {-exitcode}"
