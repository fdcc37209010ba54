"""The worker of Celery that a race starts: a process whose pool runs the items.

Its standard input is the lifeline: the worker ends when this program does, however that happens, and its
pool with it. It leads a process group of its own, so that Ctrl-C stays with the caller. What it logs is kept
for the error that may follow.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from select import select
from signal import SIGKILL
from time import perf_counter
from typing import IO

from primerace.children import children_of, exit_in_words, interrupts_held
from primerace.racers.base import START_SECONDS, RacerError
from primerace.racers.celery_keys import BROKER
from primerace.racers.folders import temporary_folder

MODULE = "primerace.racers.celery_app"
LAST_WORDS = 5  # lines of the log that an error shows


class Staff:
    """One worker and its pool.

    Args:
        racer: whose errors these are.
        broker: the URL of Redis, as Celery writes it.
        queue: the race's.
        pool: 'prefork' or 'threads'.
        workers: processes or threads of the pool.
    """

    def __init__(self, racer: str, broker: str, queue: str, pool: str, workers: int) -> None:
        self._racer, self._pool, self._workers = racer, pool, workers
        self._words = [sys.executable, "-P", "-m", MODULE, queue, pool, str(workers)]
        path = os.pathsep.join(filter(None, sys.path))
        self._open = ExitStack()
        folder = self._open.enter_context(temporary_folder("primerace-"))  # what it leaves there goes too
        self._log: IO[str] = tempfile.TemporaryFile("a+", errors="replace")  # noqa: SIM115 - closed below
        self._open.callback(self._log.close)
        self._environment = os.environ | {BROKER: broker, "PYTHONPATH": path, "TMPDIR": folder}
        try:
            self._process = self._hired()
        except BaseException:
            self._open.close()
            raise

    def _hired(self) -> "subprocess.Popen[bytes]":
        with interrupts_held():
            return subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=self._environment,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until the worker is ready.

        Raises:
            RacerError: it ended, or takes too long.
        """
        answer = self._process.stdout
        assert answer is not None
        deadline = perf_counter() + START_SECONDS
        while not select([answer], [], [], 0.2)[0]:
            if perf_counter() > deadline:
                raise RacerError(
                    f"{self._racer}: no worker came within {START_SECONDS:.0f} s{self.last_words()}"
                )
        if answer.readline() != b"ready\n":
            status = exit_in_words(self._process.wait())
            raise RacerError(f"{self._racer}: no worker could be started ({status}){self.last_words()}")

    def kill(self) -> None:
        """Kill the worker; the next one comes when it is replaced."""
        self._process.kill()

    def replaced(self) -> str | None:
        """Start another worker if this one died; how it died."""
        if self._process.poll() is None:
            return None
        status = exit_in_words(self._process.returncode)
        self._dismiss()
        self._process = self._hired()
        return status

    def last_words(self) -> str:
        """The end of the log, for a message."""
        self._log.seek(0)
        lines = [line for line in map(str.strip, self._log) if line]
        return ": " + " / ".join(lines[-LAST_WORDS:]) if lines else ""

    def pids(self) -> Sequence[int]:
        """The processes in which items run."""
        if self._pool == "threads":
            return [self._process.pid]
        return children_of(self._process.pid)

    def _dismiss(self) -> None:
        if self._process.poll() is None:  # else its pool died with it
            os.killpg(self._process.pid, SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def close(self) -> None:
        """End all of it at once: the race is over, and nothing that it holds is needed."""
        self._dismiss()
        self._open.close()
