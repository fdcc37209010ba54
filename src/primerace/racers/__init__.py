"""The racers: one concurrency model a file, and this registry of them all."""

from primerace.racers.asyncio import Asyncio, AsyncioNap, AsyncioProcesses, AsyncioThreads
from primerace.racers.base import Crew, FunctionError, Outcome, Racer, RacerError, WorkerDied
from primerace.racers.celery import Celery
from primerace.racers.dask import Dask
from primerace.racers.greenlets import Gevent
from primerace.racers.gunicorn import Gunicorn
from primerace.racers.interpreters import Interpreters
from primerace.racers.joblib import Joblib
from primerace.racers.native import Native
from primerace.racers.pools import ProcessPool, ThreadPool
from primerace.racers.processes import Processes
from primerace.racers.rq import Rq
from primerace.racers.sequential import Sequential
from primerace.racers.split import Split
from primerace.racers.threads import Threads

__all__ = [
    "CORE",
    "RACERS",
    "Crew",
    "FunctionError",
    "Outcome",
    "Racer",
    "RacerError",
    "WorkerDied",
]

RACERS: dict[str, type[Racer]] = {
    racer.name: racer
    for racer in (
        Sequential,
        Threads,
        Processes,
        ThreadPool,
        ProcessPool,
        Asyncio,
        AsyncioNap,
        AsyncioThreads,
        AsyncioProcesses,
        Gevent,
        Interpreters,
        Native,
        Split,
        Joblib,
        Dask,
        Celery,
        Rq,
        Gunicorn,
    )
}

# Who races where the command line names nobody: the models that most programs choose from.
CORE = ("sequential", "threads", "processes", "thread-pool", "process-pool", "asyncio")
