"""joblib.Parallel with its default backend, the worker processes of loky.

Calls go through joblib as a user's do: in batches whose size joblib finds, some of them ahead of the workers.
The workers are warm, since loky keeps them between calls; leaving the crew ends them. With one worker joblib
runs the calls in the caller's own thread, and so does this racer.

loky's workers inherit nothing. They open the log, in which they note the item in hand, and the lifeline, a
pipe that breaks when the parent is gone, through the parent's entries in /proc: nothing to clean up.
"""

import multiprocessing
import os
import struct
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGKILL
from tempfile import gettempdir
from time import perf_counter
from typing import Any

from primerace.children import exit_in_words, interrupts_held, no_processes, settle_under
from primerace.pipes import open_pipe
from primerace.racers.base import (
    START_SECONDS,
    Crew,
    Failure,
    Function,
    Outcome,
    Racer,
    RacerError,
    WorkerDied,
    perform,
)
from primerace.racers.desks import NOTHING, in_flight
from primerace.racers.parcels import pickled, pickled_result, unpickled

OLDEST = (1, 4)  # the first to yield results as they come
NOTE = struct.Struct("qq")  # in the log: a worker's process id, and its item or NOTHING
PAUSE = 0.01  # seconds that a worker keeps its first call, so that the next one goes to another worker


class Joblib(Racer):
    """Processes of joblib."""

    name = "joblib"
    summary = "joblib.Parallel with loky, its default"

    def available(self) -> str | None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("joblib")
        except PackageNotFoundError:
            return "needs joblib: pip install 'primerace[joblib]'"
        if tuple(map(int, found.split(".")[:2])) < OLDEST:
            return f"needs joblib 1.4 or newer, not {found}"
        if sys.platform != "linux":
            return "needs Linux, whose /proc its workers use"
        return no_processes(None)  # loky has a start method of its own

    def start(self, workers: int) -> Crew:
        return AloneCrew(self.name) if workers == 1 else LokyCrew(self.name, workers)


def parallel(workers: int) -> Any:
    """joblib.Parallel, yielding results as they come."""
    from joblib import Parallel

    return Parallel(n_jobs=workers, backend="loky", return_as="generator_unordered")


def processes_for(workers: int) -> int:
    """How many processes joblib starts for so many workers; with one it runs the calls in its caller."""
    from joblib import effective_n_jobs, parallel_config

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib warns where it starts none
        with parallel_config(backend="loky"):
            return int(effective_n_jobs(workers))


class AloneCrew(Crew):
    """What joblib makes of one worker: a loop in the caller's thread, whose Ctrl-C is the caller's."""

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        from joblib import delayed

        epoch = perf_counter()
        calls = (delayed(perform)(function, *job, 0, epoch, interruptible=True) for job in enumerate(items))
        for result in parallel(1)(calls):
            yield self.checked(result, items)

    def close(self) -> None:
        """There is nobody to end."""


@dataclass(frozen=True)
class Ties:
    """What ties a worker to its parent: a process, and two of its file descriptors."""

    parent: int
    lifeline: int
    log: int


class LokyCrew(Crew):
    def __init__(self, racer: str, workers: int) -> None:
        super().__init__(racer)
        if processes_for(workers) != workers:
            raise RacerError(f"{racer}: joblib runs no processes here (JOBLIB_MULTIPROCESSING=0?)")
        self._workers = workers
        self._numbers: dict[int, int] = {}  # of the workers, by process id
        self._processes: list[BaseProcess] = []
        self._results: Any = None
        self._executor: Any = None
        self._idle = False
        self._lifeline = open_pipe()
        self._log = os.memfd_create("primerace-log")
        self._ties = Ties(os.getpid(), self._lifeline[0], self._log)
        try:
            self._warm_up()
        except BaseException as error:
            self.close()
            if isinstance(error, Exception) and isinstance(error, OSError | broken_pool()):
                raise RacerError(f"{racer}: {workers} processes could not be started: {error}") from error
            raise
        self._idle = True

    def _warm_up(self) -> None:
        """Have calls answered until every worker has answered one."""
        from joblib import delayed
        from joblib.externals.loky.backend import resource_tracker as trackers_of_loky

        for tracker in (resource_tracker, trackers_of_loky):
            tracker.ensure_running()  # they let interrupts through again when they start
        deadline = perf_counter() + START_SECONDS
        while len(self._numbers) < self._workers:
            if perf_counter() > deadline:
                raise RacerError(f"{self.racer}: only {len(self._numbers)} of {self._workers} processes came")
            with interrupts_held():
                self._hand_out(delayed(arrive)(self._ties) for _ in range(self._workers))
            for pid in self._results:
                self._number(pid)
        self._processes = [each for each in multiprocessing.active_children() if each.pid in self._numbers]

    def _hand_out(self, calls: Iterator[Any]) -> None:
        """Start the calls on the one executor that joblib has for the whole process."""
        from joblib.externals.loky import get_reusable_executor

        self._results = parallel(self._workers)(calls)
        self._executor = get_reusable_executor(reuse=True)

    def _number(self, pid: int) -> int:
        return self._numbers.setdefault(pid, len(self._numbers) % self._workers)

    def pids(self) -> Sequence[int]:
        return list(self._numbers)

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        from joblib import delayed
        from joblib.externals.loky.backend.reduction import dumps

        self._check_idle()
        pickled(self.racer, function, items, dumps)
        os.truncate(self._log, 0)
        self._idle = False
        epoch = perf_counter()
        calls = (delayed(perform_noted)(self._ties, function, *job, epoch) for job in enumerate(items))
        try:
            self._hand_out(calls)
            for parcel in self._results:
                yield self.checked(self._unpacked(parcel), items)
        except broken_pool() as error:
            raise self._why_broken(error, items) from None
        self._idle = True

    def _unpacked(self, parcel: bytes) -> Outcome | Failure:
        result: Outcome | Failure = unpickled(self.racer, parcel)
        if isinstance(result, Outcome):
            return replace(result, worker=self._number(result.worker))
        return result

    def _why_broken(self, error: Exception, items: Sequence[Any]) -> RacerError:
        """loky gives a cause where a call could not be read, else a worker died and it killed the others.

        Whoever ended otherwise than by SIGKILL broke it. Where nobody did, it was a SIGKILL from elsewhere:
        the worker is unknown, and all items in hand count as in flight.
        """
        if error.__cause__ is not None:
            why = str(error.__cause__).strip(" \n\"'").splitlines()[-1]
            return RacerError(f"{self.racer}: a worker could not load the function: {why}")
        dead = [process for process in self._processes if process.exitcode != -SIGKILL]
        notes = self._notes()
        if len(dead) == 1:
            (process,) = dead
            desk = [notes.get(process.pid or 0, NOTHING)]
            status = exit_in_words(process.exitcode)
            return WorkerDied(self.racer, self._numbers[process.pid or 0], status, in_flight(desk, items))
        return WorkerDied(self.racer, None, exit_in_words(-SIGKILL), in_flight(list(notes.values()), items))

    def _notes(self) -> dict[int, int]:
        """What each worker noted last."""
        size = os.fstat(self._log).st_size
        return dict(NOTE.iter_unpack(os.pread(self._log, size - size % NOTE.size, 0)))

    def close(self) -> None:
        """End the workers; joblib would keep them for the next call. A run that is not over is given up."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib warns of calls that nobody waits for
            if self._results is not None:
                self._results.close()
        if self._executor is not None:
            end = getattr(self._executor, "terminate", self._executor.shutdown)  # joblib's own also tidies up
            end(kill_workers=True)
        remove_empty_folders()
        for descriptor in (*self._lifeline, self._log):
            os.close(descriptor)


def remove_empty_folders() -> None:
    """Remove what joblib makes for every call, to put big arrays there, and keeps until the program ends."""
    for root in {os.environ.get("JOBLIB_TEMP_FOLDER") or "/dev/shm", "/dev/shm", gettempdir()}:
        for folder in Path(root).glob(f"joblib_memmapping_folder_{os.getpid()}_*"):
            with suppress(OSError):  # there is something in it
                folder.rmdir()


def broken_pool() -> type[Exception]:
    """What loky raises when a worker died, or could not read a call."""
    from joblib.externals.loky import BrokenProcessPool

    return BrokenProcessPool  # type: ignore[no-any-return]


@cache
def settled(ties: Ties) -> int:
    """Settle into a worker process before its first call, and return the log."""
    settle_under(open_of(ties.parent, ties.lifeline, os.O_RDONLY))
    return open_of(ties.parent, ties.log, os.O_WRONLY | os.O_APPEND)


def open_of(process: int, descriptor: int, mode: int) -> int:
    """Open what another process has open."""
    try:
        return os.open(f"/proc/{process}/fd/{descriptor}", mode)
    except FileNotFoundError:  # the parent is gone
        os._exit(1)


def arrive(ties: Ties) -> int:
    """The first call of a worker: who it is."""
    if os.getpid() == ties.parent:  # which must not settle in: it would lose Ctrl-C
        raise RacerError("joblib: a call of a worker came to its parent")
    settled(ties)
    time.sleep(PAUSE)
    return os.getpid()


def perform_noted(ties: Ties, function: Function, index: int, item: Any, epoch: float) -> bytes:
    """Perform one item in a worker process, note it in the log, and return the pickled result."""
    from joblib.externals.loky.backend.reduction import dumps

    log, worker = settled(ties), os.getpid()
    os.write(log, NOTE.pack(worker, index))
    result = perform(function, index, item, worker, epoch)
    os.write(log, NOTE.pack(worker, NOTHING))
    return pickled_result(result, dumps)
