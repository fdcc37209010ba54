"""The process of a side: how it starts, how it is asked, and that nothing of it is left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, Any, Self

from primerace.children import exit_in_words, interrupts_held
from primerace.duel.contender import Contender, DuelError
from primerace.pipes import pipe

RUNNER = Path(__file__).with_name("runner.py")
GULP = 1 << 16  # bytes
GLANCE = 0.1  # seconds between two looks whether the process still runs
PATIENCE = 2.0  # seconds for a process that has nothing left to do


class Unavailable(DuelError):
    """A side can't do the task at all, as where it is older than what the task wants."""


class Lost(DuelError):
    """A process that can't be asked again."""


class Process:
    """A Python that answers requests.

    Args:
        contender: whose Python it is.
        child: the process.
        requests: the pipe to write to.
        results: the pipe to read from.
        errors: the file with what the process wrote to its standard error.
    """

    def __init__(
        self,
        contender: Contender,
        child: "subprocess.Popen[bytes]",
        requests: FileIO,
        results: FileIO,
        errors: IO[bytes],
    ) -> None:
        self._label, self._child = contender.label, child
        self._requests, self._results, self._errors = requests, results, errors
        self._text = b""

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The answer to a request.

        Raises:
            Unavailable: this side can't do it.
            DuelError: the job raised, or ended its fork.
            Lost: this Python does not run, or gave no answer within `timeout` seconds.
        """
        with suppress(BrokenPipeError):  # what it said when it ended is still to be read
            self._send(json.dumps(request).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._line(monotonic() + timeout, timeout))
        if "unavailable" in answer:
            raise Unavailable(f"{self._label}: {answer['unavailable']}")
        if "error" in answer:
            raise DuelError(f"{self._label}: {answer['error']}")
        if "died" in answer:
            raise DuelError(f"{self._label}: the job ended its process, {exit_in_words(answer['died'])}")
        return answer

    def _send(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[self._requests.write(rest) :]

    def _line(self, deadline: float, timeout: float) -> bytes:
        while b"\n" not in self._text:
            ended = self._child.poll() is not None  # asked first: what it said before is still to be read
            if wait([self._results.fileno()], 0 if ended else GLANCE):
                received = os.read(self._results.fileno(), GULP)
                ended = not received
                self._text += received
            if ended:
                raise Lost(f"{self._label}: {self._ending()}")
            if monotonic() > deadline:
                raise Lost(f"{self._label}: no answer within {timeout:g} s")
        line, _, self._text = self._text.partition(b"\n")
        return line

    def _ending(self) -> str:
        status = exit_in_words(self._child.wait())
        self._errors.seek(0)
        said = self._errors.read(GULP).decode(errors="replace").strip().splitlines()
        telling = [line for line in said[:1] + said[-1:] if not line.startswith("Traceback")]
        return f"this Python did not run, {status}" + (f": {telling[0]}" if telling else "")


class Side:
    """A contender to be asked: its process starts with the first request, and anew where one was lost."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self._open = ExitStack()
        self._process: Process | None = None

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The answer to a request, as `Process.ask` gives it."""
        if self._process is None:
            self._process = self._open.enter_context(started(self.contender))
        try:
            return self._process.ask(request, timeout)
        except Lost:
            self._process = None
            self._open.__exit__(*sys.exc_info())
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: Any) -> None:
        self._open.__exit__(*reason)


@contextmanager
def started(contender: Contender) -> Iterator[Process]:
    """A process of this side; it and what it started are gone when the block is left."""
    with (
        pipe() as (asked, requests),
        pipe() as (results, told),
        pipe() as (tied, lifeline),
        TemporaryFile() as errors,
    ):
        ends = asked, told, tied
        with interrupts_held():
            child = _start(contender, [end.fileno() for end in ends], errors)
        try:
            for end in ends:
                end.close()
            yield Process(contender, child, requests, results, errors)
            requests.close()
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _start(contender: Contender, ends: list[int], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            [contender.executable, str(RUNNER), *map(str, ends)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=ends,
            start_new_session=True,
        )
    except OSError as error:
        raise Lost(f"{contender.label}: can't be run: {error.strerror}") from error
