"""dask.distributed: a cluster of this machine, or one that is running somewhere.

A crew is a client. It hands out batches (batching.py), each as a task under a key of its own, and takes the
results as tasks complete. Dask runs again what a dead worker had in hand. On a cluster of our own it does
not, and this crew does: so it knows which item it is that ends workers.
"""

import asyncio
import pickle
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import resource_tracker
from time import perf_counter
from typing import Any

from primerace.plain import one_line
from primerace.racers.base import Crew, Failure, Function, Outcome, Racer, RacerError, WorkerDied, not_done
from primerace.racers.batching import Batches, Job
from primerace.racers.children import interrupts_held, pickled, signals_held, unavailable
from primerace.racers.dask_clusters import PATIENCE, Site, own, quiet, running
from primerace.racers.dask_worker import Report, dumps, work
from primerace.racers.engines import Engines
from primerace.racers.loops import LoopThread, Put

OLDEST = (2025, 2)  # the first whose workers serve no page to other machines
GLANCE = 2.0  # seconds without any answer until the scheduler is asked whether it is there
PAUSE = 0.2  # seconds between looks for workers that come back
LEAVING = 30.0  # seconds that a cluster of our own has to end, of which it needs 0.1
GONE = (OSError, TimeoutError, CancelledError)  # without an answer from the cluster


class Dask(Racer):
    """Workers of a cluster of Dask."""

    name = "dask"
    summary = "tasks of dask.distributed on a local cluster, or on a running one"

    def available(self) -> str | None:
        try:
            found = version("distributed")
        except PackageNotFoundError:
            return "needs dask.distributed: pip install 'primerace[dask]'"
        if tuple(map(int, found.split(".")[:2])) < OLDEST:
            return f"needs dask.distributed 2025.2 or newer, not {found}"
        return None if self.engines.address else unavailable(None)

    def start(self, workers: int) -> Crew:
        threads = self.engines.dask_threads
        if self.engines.address is None and (threads < 1 or workers % threads):
            raise RacerError(
                f"{self.name}: {workers} workers can't be divided into processes of {threads} threads each"
            )
        return DaskCrew(self.name, workers, self.engines)


@dataclass(frozen=True)
class Run:
    """What is the same for all batches of a run."""

    name: str
    function: bytes
    batches: Batches
    epoch: float


@dataclass(frozen=True)
class Flight:
    """A batch that is handed out."""

    jobs: Sequence[Job]
    parcel: bytes


Flights = dict["asyncio.Task[Any]", Flight]


class DaskCrew(Crew):
    def __init__(self, racer: str, workers: int, engines: Engines) -> None:
        super().__init__(racer)
        self._workers = workers
        self._numbers: dict[Any, int] = {}
        self._idle = False
        self._leave = asyncio.Event()
        self._quiet = ExitStack()
        resource_tracker.ensure_running()  # it lets interrupts through again when it starts
        with interrupts_held():  # also in the threads and processes that come of the loop's thread
            self._loop = LoopThread(racer)
        self._entered: Future[Site] = Future()
        self._is_own = engines.address is None
        self._visit = asyncio.run_coroutine_threadsafe(self._stay(engines), self._loop.loop)
        try:
            self._quiet.enter_context(quiet())
            self._site = self._entered.result()
        except BaseException as error:
            self.close()
            if isinstance(error, Exception) and not isinstance(error, RacerError):
                reason = one_line(f"{type(error).__name__}: {error}")
                raise RacerError(f"{racer}: {workers} workers could not be started: {reason}") from error
            raise
        self._idle = True

    async def _stay(self, engines: Engines) -> None:
        """Be at the site until the crew leaves."""
        if engines.address is None:
            site = own(self._workers, engines.dask_threads)
        else:
            site = running(engines.address, self._workers)
        try:
            async with site as opened:
                self._entered.set_result(opened)
                await self._leave.wait()
        except BaseException as error:
            if self._entered.done():
                raise
            self._entered.set_exception(error)

    def close(self) -> None:
        """Leave the site: a cluster of our own ends, a running one forgets our tasks."""
        self._loop.loop.call_soon_threadsafe(self._leave.set)
        with signals_held():
            if self._is_own or self._entered.done():  # else nobody opened yet: the loop's end calls us off
                with suppress(TimeoutError):
                    self._visit.exception(LEAVING)
            self._loop.close()
            self._quiet.close()

    def pids(self) -> Sequence[int]:
        return self._site.pids()

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        if not self._idle:
            raise RacerError(f"{self.racer}: this crew gave up a run and can't take another")
        parcel = pickled(self.racer, function, items, dumps)
        self._idle = False
        name = f"primerace-{uuid.uuid4().hex}"
        run = Run(name, parcel, self._batches(items), perf_counter())
        for result in self._loop.stream(partial(self._serve, run)):
            yield self.checked(result, items)
        self._idle = True

    def _batches(self, items: Sequence[Any]) -> Batches:
        """On a cluster of more threads than asked for, what is handed out ahead would run at once."""
        return Batches(items, self._workers, ahead=self._site.threads == self._workers)

    async def _serve(self, run: Run, put: Put) -> None:
        """Keep all workers busy until all items are done, and put what comes back."""
        flights: Flights = {}
        landed: set[asyncio.Task[Any]] = set()  # kept until others are handed out: to release comes second
        while not self._leave.is_set():
            while jobs := run.batches.take(len(flights)):
                flight = Flight(jobs, dumps(jobs))
                flights[asyncio.create_task(self._fly(run, flight.parcel))] = flight
            if not flights:
                return
            await asyncio.sleep(0)
            landed, _ = await asyncio.wait(flights, timeout=GLANCE, return_when=asyncio.FIRST_COMPLETED)
            if not landed:
                await self._look_around(run, flights)
            for task in landed:
                _, report = task.result()
                for result in self._results(run, flights, flights.pop(task), report):
                    put(result)
                    if isinstance(result, Failure):
                        return

    async def _fly(self, run: Run, parcel: bytes) -> tuple[Any, Any]:
        """Have a batch done as a task of Dask: its future, which holds the task, and its report."""
        dask: Any = import_module("dask")
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"}):
            future = self._site.client.submit(
                work,
                run.name,
                run.function,
                parcel,
                run.epoch,
                key=(run.name, uuid.uuid4().hex),
                pure=False,
            )
        try:
            return future, await future
        except (Exception, asyncio.CancelledError) as error:
            return future, error

    def _results(
        self, run: Run, flights: Flights, flight: Flight, report: Any
    ) -> Sequence[Outcome | Failure]:
        """What came of the items of a batch; those that are not done go back."""
        if isinstance(report, import_module("distributed").KilledWorker):
            if run.batches.died(flight.jobs, report.allowed_failures + 1):
                raise WorkerDied(self.racer, None, "every time", flight.jobs)
            return ()
        if isinstance(report, BaseException):
            raise self._broken(run, [flight, *flights.values()], report)
        run.batches.learn(report.done, report.seconds, len(flight.parcel) + len(report.results))
        run.batches.give_back(flight.jobs[report.done :])
        return [self._seen_from_here(run, each, report) for each in self._unpickled(report)]

    def _unpickled(self, report: Report) -> Sequence[Outcome | Failure]:
        try:
            results: Sequence[Outcome | Failure] = pickle.loads(report.results)
        except Exception as error:
            raise RacerError(f"{self.racer}: an answer can't be unpickled: {error!r}") from error
        return results

    def _seen_from_here(self, run: Run, result: Outcome | Failure, report: Report) -> Outcome | Failure:
        """The result with the worker's number among ours."""
        if isinstance(result, Failure):
            return result
        worker = self._numbers.setdefault((report.worker, report.thread), len(self._numbers))
        return result.seen_here(worker, run.epoch)

    async def _look_around(self, run: Run, flights: Flights) -> None:
        """Where nothing comes for long, see whether the scheduler is there and has any workers."""
        end = perf_counter() + self._site.patience
        try:
            while not await asyncio.wait_for(self._site.client.nthreads(), PATIENCE):
                if perf_counter() > end:
                    raise TimeoutError("no worker is left")
                await asyncio.sleep(PAUSE)
        except (OSError, TimeoutError) as error:
            raise self._broken(run, list(flights.values()), error) from error

    def _broken(self, run: Run, flights: Sequence[Flight], error: BaseException) -> RacerError:
        """The error for a cluster that can't go on, with the items that are not done."""
        word = "is gone" if isinstance(error, GONE) else "failed"
        jobs = sorted([*(job for flight in flights for job in flight.jobs), *run.batches.left()])
        lost = isinstance(error, CancelledError)
        reason = "the connection was lost" if lost else one_line(f"{type(error).__name__}: {error}")
        where = self._site.where
        return RacerError(f"{self.racer}: the cluster {where} {word} ({reason}){not_done(jobs)}")
