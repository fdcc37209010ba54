"""Coroutines that do the work themselves: cooperative concurrency, and no parallelism at all.

All coroutines share one thread, so that the job takes as long as in a for loop. `asyncio` calls the function
as it is, and the loop stands still until the call returns. `asyncio-nap` gives the reference algorithm as a
coroutine that lets the others have their turn in between: the loop stays responsive, at a price.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from time import perf_counter, thread_time
from typing import Any

from primerace import napping, trial
from primerace.racers.base import Crew, Failure, Function, NumberedItem, Outcome, perform
from primerace.racers.loops import LoopThread, Put


class CoroutineCrew(Crew):
    """Coroutines that take jobs from one iterator; between two jobs the others have their turn."""

    def __init__(self, racer: str, workers: int) -> None:
        super().__init__(racer)
        self._workers = workers
        self._loop = LoopThread(racer)

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        epoch = perf_counter()

        async def work_all(put: Put) -> None:
            jobs = enumerate(items)
            workers = [self._work(function, jobs, worker, epoch, put) for worker in range(self._workers)]
            await asyncio.gather(*workers)

        for result in self._loop.stream(work_all):
            yield self.checked(result, items)

    async def _work(
        self, function: Function, jobs: Iterator[NumberedItem], worker: int, epoch: float, put: Put
    ) -> None:
        for index, item in jobs:
            put(await self._perform(function, index, item, worker, epoch))
            await asyncio.sleep(0)

    async def _perform(
        self, function: Function, index: int, item: Any, worker: int, epoch: float
    ) -> Outcome | Failure:
        return perform(function, index, item, worker, epoch)

    def close(self) -> None:
        """Give up the run; the call that blocks the loop is waited for."""
        self._loop.close()


class NappingCrew(CoroutineCrew):
    """Coroutines that await the reference algorithm's napping twin; other functions are called directly."""

    async def _perform(
        self, function: Function, index: int, item: Any, worker: int, epoch: float
    ) -> Outcome | Failure:
        if function is not trial.is_prime:
            return perform(function, index, item, worker, epoch)
        return await perform_awaiting(napping.is_prime, index, item, worker, epoch)


async def perform_awaiting(
    function: Callable[[Any], Awaitable[Any]], index: int, item: Any, worker: int, epoch: float
) -> Outcome | Failure:
    """Await the function with one item, as `perform` calls one; the time of naps counts as wall time only."""
    started = perf_counter()
    timed = Timed(function(item))
    try:
        answer = await timed
    except Exception as error:
        return Failure.of(index, error)
    return Outcome(index, answer, perf_counter() - started, timed.cpu_seconds, worker, started - epoch)


class Timed:
    """An awaitable that adds up the processor time between its naps, when others have the thread."""

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self._awaitable = awaitable
        self.cpu_seconds = 0.0

    def __await__(self) -> Generator[Any, None, Any]:
        steps = self._awaitable.__await__()
        while True:
            begin = thread_time()
            try:
                nap = next(steps)
            except StopIteration as end:
                return end.value
            finally:
                self.cpu_seconds += thread_time() - begin
            yield nap
