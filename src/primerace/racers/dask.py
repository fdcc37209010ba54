"""dask.distributed: a cluster of this machine, or one that is running somewhere.

A crew is a client; dask_run.py is what it does in a run.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import resource_tracker
from typing import Any

from primerace.children import interrupts_held, no_processes, signals_held
from primerace.plain import one_line
from primerace.racers.base import Crew, Function, Outcome, Racer, RacerError
from primerace.racers.batching import Batches
from primerace.racers.dask_clusters import Site, own, quiet, running
from primerace.racers.dask_run import Run
from primerace.racers.dask_worker import dumps
from primerace.racers.engines import Engines
from primerace.racers.loops import LoopThread
from primerace.racers.parcels import pickled

OLDEST = (2025, 2)  # the first whose workers serve no page to other machines
LEAVING = 30.0  # seconds that a cluster of our own has to end, of which it needs 0.1


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
        return None if self.engines.address else no_processes(None)

    def start(self, workers: int) -> Crew:
        threads = self.engines.dask_threads
        if self.engines.address is None and (threads < 1 or workers % threads):
            raise RacerError(
                f"{self.name}: {workers} workers can't be divided into processes of {threads} threads each; "
                f"--dask-threads must divide the number of workers"
            )
        return DaskCrew(self.name, workers, self.engines)


class DaskCrew(Crew):
    def __init__(self, racer: str, workers: int, engines: Engines) -> None:
        super().__init__(racer)
        self._workers = workers
        self._numbers: dict[Any, int] = {}  # of the workers, which are a process and a thread of it
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
        self._check_idle()
        parcel = pickled(self.racer, function, items, dumps)
        self._idle = False
        run = Run(self.racer, self._site, self._numbers, parcel, self._batches(items))
        for result in self._loop.stream(partial(run.serve, self._leave)):
            yield self.checked(result, items)
        self._idle = True

    def _batches(self, items: Sequence[Any]) -> Batches:
        """On a cluster of more threads than asked for, what is handed out ahead would run at once."""
        return Batches(items, self._workers, ahead=self._site.threads == self._workers)
