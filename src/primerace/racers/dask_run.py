"""One run on a cluster of Dask: batches go out, each as a task under a key of its own, and results come back.

Dask runs again what a dead worker had in hand. On a cluster of our own it does not, and a run does: so it
knows which item it is that ends workers.
"""

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any

from primerace.plain import one_line
from primerace.racers.base import Failure, NumberedItem, Outcome, RacerError, WorkerDied, not_done
from primerace.racers.batching import Batches
from primerace.racers.dask_clusters import PATIENCE, Site
from primerace.racers.dask_worker import Report, dumps, work
from primerace.racers.loops import Put
from primerace.racers.parcels import unpickled

GLANCE = 2.0  # seconds without any answer until the scheduler is asked whether it is there
PAUSE = 0.2  # seconds between looks for workers that come back
GONE = (OSError, TimeoutError, CancelledError)  # without an answer from the cluster


@dataclass(frozen=True)
class Flight:
    """A batch that is handed out."""

    jobs: Sequence[NumberedItem]
    parcel: bytes


class Run:
    """All items of a run.

    Args:
        racer: whose errors these are.
        site: where the workers are.
        numbers: of the workers, which are a process and a thread of it; new ones are added.
        function: what is called, as bytes.
        batches: the items.
    """

    def __init__(
        self, racer: str, site: Site, numbers: dict[Any, int], function: bytes, batches: Batches
    ) -> None:
        self._racer, self._site, self._numbers = racer, site, numbers
        self._function, self._batches = function, batches
        self._name = f"primerace-{uuid.uuid4().hex}"
        self._flights: dict[asyncio.Task[Any], Flight] = {}
        self._epoch = perf_counter()

    async def serve(self, leave: asyncio.Event, put: Put) -> None:
        """Keep all workers busy until all items are done or it is time to leave, and put what comes back."""
        landed: set[asyncio.Task[Any]] = set()  # kept until others are handed out: to release comes second
        while not leave.is_set():
            while jobs := self._batches.take(len(self._flights)):
                flight = Flight(jobs, dumps(jobs))
                self._flights[asyncio.create_task(self._fly(flight.parcel))] = flight
            if not self._flights:
                return
            await asyncio.sleep(0)
            landed, _ = await asyncio.wait(self._flights, timeout=GLANCE, return_when=asyncio.FIRST_COMPLETED)
            if not landed:
                await self._look_around()
            for task in landed:
                _, report = task.result()
                for result in self._results(self._flights.pop(task), report):
                    put(result)
                    if isinstance(result, Failure):
                        return

    async def _fly(self, parcel: bytes) -> tuple[Any, Any]:
        """Have a batch done as a task of Dask: its future, which holds the task, and its report."""
        dask: Any = import_module("dask")
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TiB"}):
            future = self._site.client.submit(
                work,
                self._name,
                self._function,
                parcel,
                self._epoch,
                key=(self._name, uuid.uuid4().hex),
                pure=False,
            )
        try:
            return future, await future
        except (Exception, asyncio.CancelledError) as error:
            return future, error

    def _results(self, flight: Flight, report: Any) -> Sequence[Outcome | Failure]:
        """What came of the items of a batch; those that are not done go back."""
        if isinstance(report, import_module("distributed").KilledWorker):
            if self._batches.died(flight.jobs, report.allowed_failures + 1):
                raise WorkerDied(self._racer, None, "every time", flight.jobs)
            return ()
        if isinstance(report, BaseException):
            raise self._broken(report, [flight])
        self._batches.learn(report.done, report.seconds, len(flight.parcel) + len(report.results))
        self._batches.give_back(flight.jobs[report.done :])
        return [self._seen_from_here(each, report) for each in unpickled(self._racer, report.results)]

    def _seen_from_here(self, result: Outcome | Failure, report: Report) -> Outcome | Failure:
        """The result with the worker's number among ours."""
        if isinstance(result, Failure):
            return result
        worker = self._numbers.setdefault((report.worker, report.thread), len(self._numbers))
        return result.seen_here(worker, self._epoch)

    async def _look_around(self) -> None:
        """Where nothing comes for long, see whether the scheduler is there and has any workers."""
        end = perf_counter() + self._site.patience
        try:
            while not await asyncio.wait_for(self._site.client.nthreads(), PATIENCE):
                if perf_counter() > end:
                    raise TimeoutError("no worker is left")
                await asyncio.sleep(PAUSE)
        except (OSError, TimeoutError) as error:
            raise self._broken(error) from error

    def _broken(self, error: BaseException, landed: Sequence[Flight] = ()) -> RacerError:
        """The error for a cluster that can't go on, with the items that are not done."""
        word = "is gone" if isinstance(error, GONE) else "failed"
        flights = [*landed, *self._flights.values()]
        jobs = sorted([*(job for flight in flights for job in flight.jobs), *self._batches.left()])
        lost = isinstance(error, CancelledError)
        reason = "the connection was lost" if lost else one_line(f"{type(error).__name__}: {error}")
        where = self._site.where
        return RacerError(f"{self._racer}: the cluster {where} {word} ({reason}){not_done(jobs)}")
