"""Processes, fed by hand through a queue.

The shape is that of threads.py: a queue of jobs, one poison pill for each worker behind the last job, and
the workers themselves say when they are done. The queue is a pipe that the parent fills and whose reading
end the workers share under a lock. Results come back through one pipe for each worker, so that a worker
killed while it writes spoils nobody else's pipe.
"""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from threading import Thread
from time import perf_counter
from typing import Any

from primerace.children import context, exit_in_words, interrupts_held, no_processes, settle_in
from primerace.racers.base import (
    Crew,
    Failure,
    Function,
    NumberedItem,
    Outcome,
    Racer,
    RacerError,
    WorkerDied,
    perform,
)
from primerace.racers.desks import NOTHING, in_flight
from primerace.racers.parcels import pickled, unpickled

PILL = None
READY = "ready"
DONE = "done"
GULP = 1 << 16  # bytes to take out of the queue at once where a run is given up
GLANCE = 1.0  # seconds between looks for workers that died while somebody else holds their pipe open
PATIENCE = 2.0  # seconds that an idle worker has to leave before it is killed


class Processes(Racer):
    """Processes that take jobs from a queue."""

    name = "processes"
    summary = "processes fed through a queue, ended by poison pills"

    def available(self) -> str | None:
        return no_processes(self.start_method)

    def start(self, workers: int) -> Crew:
        return ProcessCrew(self.name, workers, self.start_method)


@dataclass(frozen=True)
class Worker:
    """A worker as its parent sees it."""

    number: int
    process: BaseProcess
    pipe: Connection


class ProcessCrew(Crew):
    def __init__(self, racer: str, workers: int, start_method: str | None) -> None:
        super().__init__(racer)
        self._workers: list[Worker] = []
        self._desks: Any = ()
        self._items: Sequence[Any] = ()
        self._feeder: Thread | None = None
        self._idle = False
        self._queue, self._jobs = context(start_method).Pipe(duplex=False)
        try:
            self._start(workers, context(start_method))
            list(self._until_all_say(READY))
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise RacerError(f"{racer}: {workers} processes could not be started: {error}") from error
            raise
        self._idle = True

    def _start(self, workers: int, context: BaseContext) -> None:
        self._desks = context.RawArray("q", [NOTHING] * workers)
        self._turn = context.Lock()
        with interrupts_held(context):
            self._hire_all(workers, context)

    def _hire_all(self, workers: int, context: BaseContext) -> None:
        for number in range(workers):
            self._hire(number, context, work)

    def _hire(self, number: int, context: BaseContext, life: Callable[..., None]) -> None:
        ours, theirs = context.Pipe()
        process = context.Process(  # type: ignore[attr-defined]
            target=life,
            args=(number, theirs, self._queue, self._turn, self._desks),
            name=f"{self.racer}-{number}",
            daemon=True,
        )
        process.start()
        theirs.close()
        self._workers.append(Worker(number, process, ours))

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        self._check_idle()
        parcel = pickled(self.racer, function, items)
        self._items, self._idle = items, False
        self._feeder = Thread(target=feed, args=(self._jobs, items, len(self._workers)), daemon=True)
        epoch = perf_counter()
        for worker in self._workers:
            self._tell(worker, (parcel, epoch))
        self._feeder.start()
        for result in self._until_all_say(DONE):
            yield self.checked(result, items)
        self._feeder.join()
        self._idle = True

    def pids(self) -> Sequence[int]:
        return [worker.process.pid for worker in self._workers if worker.process.pid]

    def _tell(self, worker: Worker, message: object) -> None:
        try:
            worker.pipe.send(message)
        except OSError:
            raise self._death_of(worker) from None

    def _until_all_say(self, word: str) -> Iterator[Outcome | Failure]:
        """Yield what the workers send, until each of them has sent this word."""
        busy = {worker.pipe: worker for worker in self._workers}
        looked = perf_counter()
        while busy:
            ready = wait(list(busy), GLANCE)
            if perf_counter() > looked + GLANCE:
                ready += _deserted(busy)
                looked = perf_counter()
            for pipe in ready:
                worker = busy[pipe]  # type: ignore[index]
                try:
                    parcel = worker.pipe.recv_bytes()
                except (EOFError, OSError):
                    raise self._death_of(worker) from None
                message = unpickled(self.racer, parcel)
                if message == word:
                    del busy[worker.pipe]
                else:
                    yield message

    def _death_of(self, worker: Worker) -> WorkerDied:
        worker.process.join()
        desk = self._desks[worker.number : worker.number + 1]
        status = exit_in_words(worker.process.exitcode)
        return WorkerDied(self.racer, worker.number, status, in_flight(desk, self._items))

    def close(self) -> None:
        """Let idle workers leave; where a run was given up, kill them."""
        for worker in self._workers:
            if self._idle:
                with suppress(OSError):  # it may have died
                    worker.pipe.send(None)
            else:
                worker.process.kill()
        for worker in self._workers:
            if self._idle:
                worker.process.join(PATIENCE)
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._drain()
        self._jobs.close()
        self._queue.close()

    def _drain(self) -> None:
        """Let the feeder end: a full pipe, which nobody reads any more, would block it for ever."""
        while self._feeder and self._feeder.is_alive():
            if self._queue.poll(0.01):
                os.read(self._queue.fileno(), GULP)


def _deserted(busy: dict[Connection, Worker]) -> list[Connection]:
    """Pipes of dead workers that somebody else, a grandchild, still holds open: nothing will come."""
    dead = [pipe for pipe, worker in busy.items() if worker.process.exitcode is not None and not pipe.poll()]
    for pipe in dead:
        pipe.close()
    return dead


def feed(jobs: Connection, items: Sequence[Any], workers: int) -> None:
    """Put every item into the queue, then the pills; the parent's thread for it, since a full pipe blocks."""
    with suppress(OSError):  # nobody reads any more: the run was given up
        for job in enumerate(items):
            jobs.send(job)
        for _ in range(workers):
            jobs.send(PILL)


def work(number: int, pipe: Connection, jobs: Connection, turn: Any, desks: Any) -> None:
    """The life of a worker."""
    settle_in()
    for function, epoch in runs(pipe):
        while job := take(jobs, turn):
            index, item = job
            desks[number] = index
            answer(pipe, perform(function, index, item, number, epoch))
            desks[number] = NOTHING


def runs(pipe: Connection) -> Iterator[tuple[Function, float]]:
    """Run after run, each its function and when it began, until None comes instead of a run."""
    try:
        pipe.send(READY)
    except BrokenPipeError:  # the parent has been killed meanwhile
        return
    while run := pipe.recv():
        parcel, epoch = run
        try:
            function = pickle.loads(parcel)
        except Exception as error:
            pipe.send(Failure.of(None, error))
            return
        yield function, epoch
        pipe.send(DONE)


def take(jobs: Connection, turn: Any) -> NumberedItem | None:
    """The next job, or a pill."""
    with turn:
        job: NumberedItem | None = jobs.recv()
    return job


def answer(pipe: Connection, result: Outcome | Failure) -> None:
    """Send a result; an answer that can't be pickled becomes a failure."""
    try:
        pipe.send(result)
    except Exception as error:
        pipe.send(Failure.of(result.index, error))
