"""The clusters that Dask's racer works on: one of its own, or one that is running somewhere.

Both are context managers for the racer's event loop, and yield a connected client.
"""

import asyncio
import logging
import os
import signal
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from primerace.plain import one_line
from primerace.racers.base import START_SECONDS, RacerError
from primerace.racers.engines import without_password
from primerace.racers.folders import temporary_folder

PATIENCE = 5.0  # seconds for what should answer at once

SETTINGS = {
    "distributed.nanny.pre-spawn-environ": {},  # these would be set in this process, for all that start later
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.worker-ttl": None,  # a function that holds the GIL silences its worker
    "distributed.scheduler.work-stealing-interval": "50ms",
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.deploy.lost-worker-timeout": "1h",  # a worker that died is started again, however slowly
}
ARRIVAL = "import primerace.racers.dask_worker"  # what must be possible in every worker
SCHEDULER = {"dashboard": False, "dashboard_address": "127.0.0.1:0", "allowed_failures": 0}


@dataclass(frozen=True)
class Site:
    """A client of a cluster.

    Args:
        client: of dask.distributed, asynchronous.
        where: the cluster in words, for messages.
        threads: how many it had at first.
        patience: seconds for which it may be without any worker.
        cluster: where it is our own.
    """

    client: Any
    where: str
    threads: int
    patience: float
    cluster: Any = None

    def pids(self) -> Sequence[int]:
        """The worker processes of a cluster of our own."""
        nannies = self.cluster.workers.values() if self.cluster else ()
        return [nanny.pid for nanny in nannies if nanny.pid]


@asynccontextmanager
async def own(workers: int, threads: int) -> AsyncIterator[Site]:
    """Start a cluster on this machine: worker processes of so many threads each.

    Nothing listens but on the loopback interface, and no page of statistics is served.
    """
    dask: Any = import_module("dask")
    distributed: Any = import_module("distributed")
    async with AsyncExitStack() as stack:
        stack.enter_context(kept("PYTHONHASHSEED", "__DASK_PARENT_PID"))
        folder = stack.enter_context(temporary_folder("primerace-dask-"))
        with dask.config.set({**SETTINGS, "temporary-directory": folder}):
            local = distributed.LocalCluster(
                n_workers=workers // threads,
                threads_per_worker=threads,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs=SCHEDULER,
                silence_logs=logging.CRITICAL,
                local_directory=folder,
                memory_limit=0,
                preload=["primerace.racers.dask_worker"],
                asynchronous=True,
            )
            cluster = await stack.enter_async_context(local)
        visitor = distributed.Client(cluster, asynchronous=True, set_as_default=False)
        client = await stack.enter_async_context(visitor)
        site = Site(client, "on this machine", workers, START_SECONDS, cluster)
        stack.callback(kill, site)
        yield site


def kill(site: Site) -> None:
    """Kill the worker processes of our own cluster, which take their time to leave, and start no others."""
    for nanny in site.cluster.workers.values():
        nanny.close_gracefully()
        if nanny.pid:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)


@asynccontextmanager
async def running(address: str, workers: int) -> AsyncIterator[Site]:
    """Connect with a running scheduler.

    Raises:
        RacerError: it does not answer, has too few workers, or they can't import primerace.
    """
    distributed: Any = import_module("distributed")
    where = f"at {without_password(address) or repr(address)}"
    client = distributed.Client(address, asynchronous=True, set_as_default=False, timeout=PATIENCE)
    try:
        with mismatches_in_one_line(where), connecting(where):
            await asyncio.wait_for(client, PATIENCE)
        with connecting(where):
            threads = await asyncio.wait_for(client.nthreads(), PATIENCE)
            total = sum(threads.values())
            if total < workers:
                raise RacerError(
                    f"dask: {workers} workers are more than the {total} threads of the cluster {where}"
                )
            await arrive(client, where)
        yield Site(client, where, total, PATIENCE)
    finally:
        await leave(client)


@contextmanager
def connecting(where: str) -> Iterator[None]:
    """Tell in one sentence why a cluster can't be used; what answers there may be anything."""
    try:
        yield
    except RacerError:
        raise
    except TimeoutError as error:
        raise RacerError(f"dask: no scheduler of Dask answers {where} within {PATIENCE:.0f} s") from error
    except Exception as error:
        why = one_line(f"{type(error).__name__}: {error}")
        raise RacerError(f"dask: no scheduler of Dask answers {where}: {why}") from error


async def arrive(client: Any, where: str) -> None:
    """See that the workers can import what they will need."""
    try:
        await asyncio.wait_for(client.run(exec, ARRIVAL), PATIENCE)
    except TimeoutError as error:
        raise RacerError(f"dask: the workers {where} do not answer within {PATIENCE:.0f} s") from error
    except ImportError as error:
        why = one_line(str(error))
        raise RacerError(
            f"dask: the workers {where} can't import it ({why}): install primerace there as it is here"
        ) from error


async def leave(client: Any) -> None:
    """Close the client, which releases its tasks; a scheduler that does not answer is left to itself."""
    with suppress(TimeoutError, OSError):
        await asyncio.wait_for(client.close(), PATIENCE / 2)


@contextmanager
def quiet() -> Iterator[None]:
    """Have Dask log nothing meanwhile: what goes wrong becomes an error of ours."""
    import_module("distributed")  # makes the handlers
    handlers = list(logging.getLogger("distributed").handlers)

    def nothing(_: logging.LogRecord) -> bool:
        return False

    for handler in handlers:
        handler.addFilter(nothing)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(nothing)


@contextmanager
def kept(*variables: str) -> Iterator[None]:
    """Restore variables of the environment, which Dask sets here for its workers."""
    before = {name: os.environ.get(name) for name in variables}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def mismatches_in_one_line(where: str) -> Iterator[None]:
    """Warn in one line of packages whose versions differ, where Dask draws a table."""
    from distributed.versions import VersionMismatchWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for each in caught:
        if issubclass(each.category, VersionMismatchWarning):
            rows = [line for line in str(each.message).splitlines() if line.startswith("| ")]
            names = ", ".join(row.split("|")[1].strip() for row in rows[1:])
            warnings.warn(f"dask: other versions {where} than here: {names}", each.category, stacklevel=2)
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
