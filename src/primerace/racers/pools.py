"""The executors of concurrent.futures: less code than threads.py and processes.py, the same shape.

The workers of an executor start when they are needed. Here all of them are needed at once, at a barrier,
so that a crew is warm before its first item.
"""

import multiprocessing
import os
import pickle
import signal
import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import count
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from time import perf_counter
from typing import Any, Protocol

from primerace.children import context, exit_in_words, interrupts_held, no_processes, settle_in
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
from primerace.racers.parcels import pickled

Call = tuple[Any, ...]  # a function and its arguments


class Completed(Protocol):
    """A future that is done, of concurrent.futures or of asyncio."""

    def result(self) -> Any:
        """What the call returned; what it raised is raised."""


class ThreadPool(Racer):
    """A ThreadPoolExecutor."""

    name = "thread-pool"
    summary = "concurrent.futures.ThreadPoolExecutor"

    def start(self, workers: int) -> Crew:
        return ThreadPoolCrew(self.name, workers)


class ProcessPool(Racer):
    """A ProcessPoolExecutor."""

    name = "process-pool"
    summary = "concurrent.futures.ProcessPoolExecutor"

    def available(self) -> str | None:
        return no_processes(self.start_method)

    def start(self, workers: int) -> Crew:
        return ProcessPoolCrew(self.name, workers, self.start_method)


class PoolCrew(Crew):
    """What all pools share: submit all calls, then take the results as they complete."""

    _executor: Executor

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        epoch = perf_counter()
        calls = [self._call(function, index, item, epoch) for index, item in enumerate(items)]
        for index, future in self._completed(calls):
            yield self.checked(self._result(future, index), items)

    @abstractmethod
    def _call(self, function: Function, index: int, item: Any, epoch: float) -> Call:
        """What a worker has to do for this item."""

    def _completed(self, calls: Sequence[Call]) -> Iterator[tuple[int, Completed]]:
        """Submit the calls and yield the place and the future of each as it completes."""
        pending = {self._executor.submit(*call): index for index, call in enumerate(calls)}
        for future in as_completed(pending):
            yield pending[future], future

    def _result(self, future: Completed, index: int) -> Any:
        return future.result()

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)


class ThreadPoolCrew(PoolCrew):
    def __init__(self, racer: str, workers: int) -> None:
        super().__init__(racer)
        self._seat = threading.local()
        self._seats = count()
        self._executor = ThreadPoolExecutor(workers, racer, self._sit_down)
        barrier = threading.Barrier(workers)
        try:
            for arrival in [self._executor.submit(barrier.wait) for _ in range(workers)]:
                arrival.result()
        except BaseException as error:
            barrier.abort()
            self.close()
            if isinstance(error, RuntimeError):
                raise RacerError(f"{racer}: {workers} threads could not be started: {error}") from error
            raise

    def _sit_down(self) -> None:
        self._seat.number = next(self._seats)

    def _call(self, function: Function, index: int, item: Any, epoch: float) -> Call:
        return self._perform, function, index, item, epoch

    def _perform(self, function: Function, index: int, item: Any, epoch: float) -> Outcome | Failure:
        return perform(function, index, item, self._seat.number, epoch)


class ProcessPoolCrew(PoolCrew):
    def __init__(self, racer: str, workers: int, start_method: str | None) -> None:
        super().__init__(racer)
        self._items: Sequence[Any] = ()
        self._parcel = b""
        self._staff: dict[int, BaseProcess] = {}
        self._idle = False
        before = set(multiprocessing.active_children())
        try:
            self._start(workers, context(start_method))
        except BaseException as error:
            for process in set(multiprocessing.active_children()) - before:
                process.kill()
            if hasattr(self, "_executor"):
                self._executor.shutdown(cancel_futures=True)
            if isinstance(error, OSError | BrokenProcessPool):
                raise RacerError(f"{racer}: {workers} processes could not be started: {error}") from error
            raise
        self._staff = self._processes()
        self._idle = True

    def _start(self, workers: int, context: BaseContext) -> None:
        self._desks = context.RawArray("q", [NOTHING] * workers)
        self._pids = context.RawArray("q", workers)
        self._barrier = context.Barrier(workers, timeout=START_SECONDS)
        self._seats = context.Value("i", 0)
        places = (self._seats, self._desks, self._pids, self._barrier)
        self._executor = ProcessPoolExecutor(workers, context, sit_down, places)
        with interrupts_held(context):
            arrivals = [self._executor.submit(os.getpid) for _ in range(workers)]
        for arrival in arrivals:
            arrival.result()

    def pids(self) -> Sequence[int]:
        return list(self._pids)

    def _processes(self) -> dict[int, BaseProcess]:
        """The living workers by their number."""
        living = {process.pid: process for process in multiprocessing.active_children()}
        return {number: living[pid] for number, pid in enumerate(self._pids) if pid in living}

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        self._check_idle()
        self._parcel = pickled(self.racer, function, items)
        self._items, self._idle = items, False
        try:
            yield from super().run(function, items)
        except BrokenProcessPool as error:
            raise self._why_broken(error) from None
        self._idle = True

    def _call(self, function: Function, index: int, item: Any, epoch: float) -> Call:
        return perform_seated, self._parcel, index, item, epoch

    def _result(self, future: Completed, index: int) -> Any:
        try:
            return future.result()
        except BrokenProcessPool:
            raise
        except Exception as error:  # the answer can't be pickled
            return Failure.of(index, error)

    def _why_broken(self, error: BrokenProcessPool) -> RacerError:
        """The executor gives a traceback where it broke on an answer it could not read, else a worker died.

        It ends the other workers by SIGTERM, so whoever ended otherwise broke it. Where nobody did, it was a
        SIGTERM from elsewhere: the worker is unknown, and all items in hand count as in flight.
        """
        self._executor.shutdown()
        if "Traceback" in str(error.__cause__):  # from Python 3.15 on a death has a cause as well
            why = str(error.__cause__).strip(" \n\"'").splitlines()[-1]
            return RacerError(f"{self.racer}: an answer can't be unpickled: {why}")
        ends = {number: process.exitcode for number, process in self._staff.items()}
        dead = [number for number, end in ends.items() if end != -signal.SIGTERM]
        if len(dead) == 1 or len(ends) == 1:
            number = (dead or list(ends))[0]
            desk = self._desks[number : number + 1]
            return WorkerDied(self.racer, number, exit_in_words(ends[number]), in_flight(desk, self._items))
        status = exit_in_words(ends[dead[0]] if dead else -signal.SIGTERM)
        return WorkerDied(self.racer, None, status, in_flight(self._desks, self._items))

    def close(self) -> None:
        """Let idle workers leave; where a run was given up, kill them."""
        if not self._idle:
            for process in self._processes().values():
                process.kill()
        super().close()


_seat: tuple[int, Any] = (0, [NOTHING])  # in a worker process: its number, and the desks of all


def sit_down(seats: Any, desks: Any, pids: Any, barrier: Any) -> None:
    """What a worker process does first: take a number, then wait until all have one."""
    global _seat
    settle_in()
    with seats.get_lock():
        number = seats.value
        seats.value += 1
    _seat = number, desks
    pids[number] = os.getpid()
    barrier.wait()


def perform_seated(parcel: bytes, index: int, item: Any, epoch: float) -> Outcome | Failure:
    """Perform one item in a worker process."""
    try:
        function = pickle.loads(parcel)
    except Exception as error:
        return Failure.of(None, error)
    number, desks = _seat
    desks[number] = index
    result = perform(function, index, item, number, epoch)
    desks[number] = NOTHING
    return result
