"""The racers: one concurrency model a file, and this registry of them all."""

from primerace.racers.base import Crew, FunctionError, Outcome, Racer, RacerError, WorkerDied
from primerace.racers.pools import ProcessPool, ThreadPool
from primerace.racers.processes import Processes
from primerace.racers.sequential import Sequential
from primerace.racers.threads import Threads

__all__ = [
    "RACERS",
    "Crew",
    "FunctionError",
    "Outcome",
    "Racer",
    "RacerError",
    "WorkerDied",
]

RACERS: dict[str, type[Racer]] = {
    racer.name: racer for racer in (Sequential, Threads, Processes, ThreadPool, ProcessPool)
}
