"""The process of a probe: how it starts, and that nothing of it is left.

A function that can be pickled travels to a fresh interpreter, where neither threads nor OpenMP of this one
exist. What can't (a lambda, a closure, what a script or a notebook defines) goes by fork. Either way the
process leads a session of its own, so that what the function starts is ended with it.
"""

import os
import pickle
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Protocol

from primerace.children import interrupts_held
from primerace.gil.child import Request, serve

HERE = b"__main__"  # in a pickle: something that only this process has


class Child(Protocol):
    """A process that was started here, as subprocess.Popen is one."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""

    def wait(self) -> int:
        """The exit status, once it has ended."""


class Fork:
    """A process that was forked here."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        self._look(os.WNOHANG)
        return self._status

    def wait(self) -> int:
        """The exit status, once it has ended."""
        while self._status is None:
            self._look(0)
        return self._status

    def _look(self, options: int) -> None:
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # SIGCHLD is ignored here, and nobody knows how it ended
                pid, status = self.pid, 0
            if pid:
                self._status = os.waitstatus_to_exitcode(status)


@contextmanager
def started(request: Request, results: int, lifeline: int, own: Sequence[int]) -> Iterator[Child]:
    """A process that answers this request; it and what it started are gone when the block is left.

    Args:
        request: what to probe.
        results: the writing end of a pipe for the answer.
        lifeline: the reading end of a pipe that closes when this process ends.
        own: the other ends of both, which a fork must not keep open.
    """
    payload = _pickled(request)
    with interrupts_held():
        child = _fork(request, results, lifeline, own) if payload is None else _fresh(results, lifeline)
    try:
        if isinstance(child, subprocess.Popen) and child.stdin and payload:
            with suppress(BrokenPipeError), child.stdin:
                child.stdin.write(payload)
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        if child.poll() is None:  # a fork may have been caught before it led its group
            os.kill(child.pid, signal.SIGKILL)
        child.wait()


def _pickled(request: Request) -> bytes | None:
    """The request as bytes; None where it can't leave this process but by fork."""
    try:
        if isinstance(request.function, str):
            return pickle.dumps(request)
        call = pickle.dumps((request.function, request.args, request.kwargs))
    except Exception:
        return None
    return None if HERE in call else pickle.dumps(replace(request, function=call, args=(), kwargs={}))


def _fresh(results: int, lifeline: int) -> "subprocess.Popen[bytes]":
    """A fresh interpreter that imports from where this one does and waits for a request."""
    code = (
        f"import sys; sys.path[:] = {[str(place) for place in sys.path]!r}; "
        f"from primerace.gil.child import main; main({results}, {lifeline})"
    )
    options = [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in sys._xoptions.items()]
    return subprocess.Popen(
        [sys.executable, *options, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(results, lifeline),
        start_new_session=True,
    )


def _fork(request: Request, results: int, lifeline: int, own: Sequence[int]) -> Fork:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that a fork leaves behind
        pid = os.fork()
    if pid != 0:
        return Fork(pid)
    try:
        os.setsid()
        for end in own:
            os.close(end)
        serve(request, results, lifeline)
    finally:
        os._exit(1)
