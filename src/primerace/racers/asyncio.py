"""The four ways of asyncio: coroutines that do the work themselves, or hand it to a pool.

The crews are in coroutines.py and delegation.py. They are imported when one starts: asyncio takes longer to
import than all that other racers need, in every worker process as well.
"""

from primerace.children import no_processes
from primerace.racers.base import Crew, Racer


class Asyncio(Racer):
    """Coroutines that call the function directly."""

    name = "asyncio"
    summary = "coroutines that call the function and block their loop"

    def start(self, workers: int) -> Crew:
        from primerace.racers.coroutines import CoroutineCrew

        return CoroutineCrew(self.name, workers)


class AsyncioNap(Racer):
    """Coroutines that nap between divisions."""

    name = "asyncio-nap"
    summary = "coroutines that nap every 50,000 divisions; kernel python"
    kernels = frozenset({"python"})

    def start(self, workers: int) -> Crew:
        from primerace.racers.coroutines import NappingCrew

        return NappingCrew(self.name, workers)


class AsyncioThreads(Racer):
    """Threads, awaited."""

    name = "asyncio-threads"
    summary = "asyncio.to_thread"

    def start(self, workers: int) -> Crew:
        from primerace.racers.delegation import ToThreadCrew

        return ToThreadCrew(self.name, workers)


class AsyncioProcesses(Racer):
    """Processes, awaited."""

    name = "asyncio-processes"
    summary = "asyncio's run_in_executor with a ProcessPoolExecutor"

    def available(self) -> str | None:
        return no_processes(self.start_method)

    def start(self, workers: int) -> Crew:
        from primerace.racers.delegation import InExecutorCrew

        return InExecutorCrew(self.name, workers, self.start_method)
