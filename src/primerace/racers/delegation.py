"""CPU work that an event loop hands to a pool, and awaits: the loop stays responsive.

The pools are those of pools.py. `asyncio.to_thread` uses the loop's default executor, which has 32 threads or
so; here it is one of as many threads as there are workers.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from primerace.racers.base import RacerError
from primerace.racers.loops import LoopThread, Put
from primerace.racers.pools import Call, Completed, PoolCrew, ProcessPoolCrew, ThreadPoolCrew


class AwaitedCrew(PoolCrew):
    """A pool whose calls are submitted and awaited in an event loop."""

    _loop: LoopThread

    def _completed(self, calls: Sequence[Call]) -> Iterator[tuple[int, Completed]]:
        async def await_all(put: Put) -> None:
            tasks = []
            for index, call in enumerate(calls):
                task = asyncio.create_task(self._delegate(call))
                task.add_done_callback(partial(_put, put, index))
                tasks.append(task)
            await asyncio.gather(*tasks, return_exceptions=True)

        return self._loop.stream(await_all)

    @abstractmethod
    async def _delegate(self, call: Call) -> Any:
        """Hand the call to the pool and await its result."""

    def close(self) -> None:
        super().close()
        self._loop.close()


def _put(put: Put, index: int, done: Completed) -> None:
    put((index, done))


class ToThreadCrew(AwaitedCrew, ThreadPoolCrew):
    def __init__(self, racer: str, workers: int) -> None:
        self._loop = LoopThread(racer)
        super().__init__(racer, workers)
        self._loop.loop.set_default_executor(self._executor)

    async def _delegate(self, call: Call) -> Any:
        return await asyncio.to_thread(*call)


class InExecutorCrew(AwaitedCrew, ProcessPoolCrew):
    """The loop's thread starts after the processes: a process that has threads had better not fork."""

    def __init__(self, racer: str, workers: int, start_method: str | None) -> None:
        super().__init__(racer, workers, start_method)
        try:
            self._loop = LoopThread(racer)
        except RacerError:
            super(AwaitedCrew, self).close()
            raise

    async def _delegate(self, call: Call) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, *call)
