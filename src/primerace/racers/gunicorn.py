"""Gunicorn: every item is an HTTP request to `primerace.web`, over connections on loopback that are kept.

One connection is one worker: each process of Gunicorn gets as many connections as it has threads. They are
gthread workers also where a process has one thread, because sync workers close their connection after every
answer. The times of a call are those of the server's Server-Timing header, so that what HTTP costs shows as
overhead.

A request may be sent again, since asking twice changes nothing. So the death of a process costs time and no
answer: Gunicorn's master starts another one on the same socket.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from operator import index
from queue import SimpleQueue
from threading import Lock
from time import perf_counter
from typing import Any

from primerace.children import exit_in_words
from primerace.kernels import KERNELS
from primerace.racers.base import (
    START_SECONDS,
    TRIES,
    Crew,
    Failure,
    Function,
    NumberedItem,
    Outcome,
    Racer,
    RacerError,
    WorkerDied,
    do_nothing,
    not_done,
    perform,
)
from primerace.racers.gunicorn_server import Connection, Server

NAMES: dict[Function, str] = {kernel: name for name, kernel in KERNELS.items()} | {do_nothing: "nothing"}
DURATION = re.compile(rb"(call|cpu|start);dur=([0-9.]+)")


class Gunicorn(Racer):
    """HTTP requests to the WSGI application."""

    name = "gunicorn"
    summary = "HTTP requests to primerace.web under Gunicorn, on kept connections"
    kernels = frozenset(KERNELS)

    def available(self) -> str | None:
        if find_spec("gunicorn") is None:
            return "needs gunicorn: pip install 'primerace[web]'"
        return None

    def start(self, workers: int) -> Crew:
        threads = self.engines.web_threads
        if workers % threads:
            raise RacerError(
                f"{self.name}: {workers} workers can't be processes of {threads} threads each; "
                f"--web-threads must divide the number of workers"
            )
        return GunicornCrew(self.name, workers // threads, threads)


@dataclass(frozen=True)
class Run:
    """What a lane needs to take part in one run."""

    kernel: str
    function: Function
    jobs: deque[NumberedItem]
    epoch: float
    results: "SimpleQueue[Outcome | Failure | RacerError | None]" = field(default_factory=SimpleQueue)


class GunicornCrew(Crew):
    def __init__(self, racer: str, processes: int, threads: int) -> None:
        super().__init__(racer)
        workers = processes * threads
        self._run = Run("", do_nothing, deque(), 0.0)
        self._lanes: list[Lane] = []
        try:
            self._server = Server(processes, threads)
        except OSError as error:
            raise RacerError(f"{racer}: {processes} processes could not be started: {error}") from error
        self._executor = ThreadPoolExecutor(workers, racer)
        try:
            for port in self._server.ports:
                for _ in range(threads):
                    self._lanes.append(Lane(racer, len(self._lanes), port))
            list(self._executor.map(Lane.arrive, self._lanes))
        except BaseException as error:
            complaint = self._server.complaint()
            self.close()
            if isinstance(error, OSError | RuntimeError):
                raise RacerError(f"{racer}: Gunicorn does not answer: {error} ({complaint})") from error
            raise

    def pids(self) -> Sequence[int]:
        return self._server.pids()

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        if function not in NAMES:
            name = getattr(function, "__qualname__", function)
            raise RacerError(f"{self.racer}: only the kernels run behind HTTP, not {name}")
        self._run.jobs.clear()
        self._run = run = Run(NAMES[function], function, deque(enumerate(items)), perf_counter())
        missing = dict(enumerate(items))
        for lane in self._lanes:
            self._executor.submit(lane.work, run)
        working = len(self._lanes)
        try:
            while working:
                result = run.results.get()
                if result is None:
                    working -= 1
                elif isinstance(result, RacerError):
                    raise self._explained(result, missing)
                else:
                    outcome = self.checked(result, items)
                    del missing[outcome.index]
                    yield outcome
        finally:
            run.jobs.clear()

    def _explained(self, error: RacerError, missing: dict[int, Any]) -> RacerError:
        """The error, or that Gunicorn itself is gone and what it left undone."""
        exitcode = self._server.exitcode
        if isinstance(error, WorkerDied) or exitcode is None:
            return error
        left = not_done(missing.items())
        return RacerError(f"{self.racer}: Gunicorn ended ({exit_in_words(exitcode)}){left}")

    def close(self) -> None:
        """End Gunicorn, which ends every request; nobody waits for the answers."""
        self._run.jobs.clear()
        for lane in self._lanes:
            lane.given_up = True
        self._server.close()
        self._executor.shutdown(cancel_futures=True)
        for lane in self._lanes:
            lane.close()


def left(jobs: deque[NumberedItem]) -> Iterator[NumberedItem]:
    """The jobs that nobody has taken yet, one after the other."""
    with suppress(IndexError):
        while True:
            yield jobs.popleft()


class Lane:
    """One worker as its client sees it: a connection, and what goes over it."""

    def __init__(self, racer: str, number: int, port: int) -> None:
        self.racer, self.number, self.port = racer, number, port
        self.given_up = False
        self._turn = Lock()
        self._connection: Connection | None = None

    def arrive(self) -> None:
        """Connect, and wait until the process answers."""
        self._connection = Connection(self.port, START_SECONDS)
        self._connection.ask("/healthz", START_SECONDS)

    def work(self, run: Run) -> None:
        """Ask for item after item, until none is left."""
        try:
            with self._turn:  # a run that was given up may still wait for its last answer
                for place, item in left(run.jobs):
                    run.results.put(self._result(run, place, item))
        except RacerError as error:
            run.results.put(error)
        except Exception as error:
            run.results.put(RacerError(f"{self.racer}: an answer can't be read: {error!r}"))
        finally:
            run.results.put(None)

    def _result(self, run: Run, place: int, item: Any) -> Outcome | Failure:
        try:
            number = index(item)
        except Exception:  # no number that a path could hold: what the kernel does with it needs no server
            return perform(run.function, place, item, self.number, run.epoch)
        try:
            path = f"/is_prime/{number}?kernel={run.kernel}"
        except ValueError as error:
            raise RacerError(f"{self.racer}: item {place} can't be sent: {error}") from error
        head, body = self._ask(path, place, item)
        answer = json.loads(body)
        if "error" in answer:
            return Failure(place, answer["error"].removeprefix(f"kernel {run.kernel} raised "), "")
        took = {name: float(milliseconds) / 1e3 for name, milliseconds in DURATION.findall(head)}
        started = max(took[b"start"] - run.epoch, 0.0)
        return Outcome(place, answer["is_prime"], took[b"call"], took[b"cpu"], self.number, started)

    def _ask(self, path: str, place: int, item: Any) -> tuple[bytes, bytes]:
        """The answer; where a process dies of the question, from the one that takes its place."""
        for _ in range(TRIES):
            try:
                if self._connection is None:
                    self._connection = Connection(self.port, START_SECONDS)
                return self._connection.ask(path)
            except OSError as error:
                self.close()
                if self.given_up or isinstance(error, ConnectionRefusedError):
                    raise RacerError(f"{self.racer}: the connection was lost: {error}") from error
        raise WorkerDied(self.racer, self.number, f"{TRIES} times in this request", [(place, item)])

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
