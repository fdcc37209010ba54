"""Subinterpreters, each with a GIL of its own: threads that run Python in parallel, inside one process.

Like processes they share no objects: what crosses is pickled. Like threads they can't be killed, so the item
in hand is waited for, and what crashes one of them ends the whole process. An extension module must say that
it supports them: the compiled kernels do, NumPy does not.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from importlib import import_module
from io import FileIO
from multiprocessing import connection
from typing import Any

from primerace.pipes import pipe
from primerace.racers.base import Crew, Failure, Function, Outcome, Racer, RacerError, perform
from primerace.racers.parcels import pickled, pickled_result, unpickled
from primerace.racers.pools import Call, Completed, PoolCrew

SEAT = 4  # bytes of a worker's number
CAUSED = "\n\nThe above exception was the direct cause of the following exception:\n\n"  # in a traceback
GLANCE = 0.1  # seconds between looks for interpreters that could not start


class Interpreters(Racer):
    """An InterpreterPoolExecutor."""

    name = "interpreters"
    summary = "concurrent.futures.InterpreterPoolExecutor"

    def available(self) -> str | None:
        return no_interpreters()

    def start(self, workers: int) -> Crew:
        return InterpreterCrew(self.name, workers)


def no_interpreters() -> str | None:
    """None where there can be further interpreters, else the reason."""
    return None if sys.version_info >= (3, 14) else "needs Python 3.14"


class InterpreterCrew(PoolCrew):
    def __init__(self, racer: str, workers: int) -> None:
        super().__init__(racer)
        pools = import_module("concurrent.futures.interpreter")
        self._executor = pools.InterpreterPoolExecutor(workers, racer)
        try:
            self._warm_up(workers)
        except BaseException:
            self.close()
            raise

    def _warm_up(self, workers: int) -> None:
        """Start every interpreter: each has a call that ends only when all of them have arrived."""
        with pipe() as (arrivals, arrive), pipe() as (seats, seat):
            ends = arrive.fileno(), seats.fileno()
            calls = [self._executor.submit(sit_down, *ends, sys.path) for _ in range(workers)]
            try:
                self._await(workers, arrivals, calls)
            finally:
                for number in range(workers):
                    seat.write(number.to_bytes(SEAT))
                wait(calls)

    def _await(self, workers: int, arrivals: FileIO, calls: Sequence[Future[None]]) -> None:
        arrived = 0
        while arrived < workers:
            failed = [call for call in calls if call.done()]
            if failed:
                error = failed[0].exception()
                raise RacerError(
                    f"{self.racer}: {workers} interpreters could not be started: {error}"
                ) from error
            if connection.wait([arrivals.fileno()], GLANCE):
                arrived += len(arrivals.read(workers))

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        pickled(self.racer, function, items)
        yield from super().run(function, items)

    def _call(self, function: Function, index: int, item: Any, epoch: float) -> Call:
        return perform_inside, function, index, item, epoch

    def _result(self, future: Completed, index: int) -> Any:
        try:
            parcel = future.result()
        except Exception as error:  # what the function raises does not come this way
            failure = Failure.of(None, error)
            return replace(failure, error=told_cause(error) or failure.error)
        result: Outcome | Failure = unpickled(self.racer, parcel)
        return result


def told_cause(error: BaseException) -> str:
    """Why a call could not be read in its interpreter: only the text of a traceback comes back from there.

    Its last exception says no more than that it could not be read; the one before says why.
    """
    why, _, _ = str(error.__cause__).rpartition(CAUSED)
    return why.splitlines()[-1] if why else ""


_seat = 0  # in an interpreter: its number


def sit_down(arrive: int, seats: int, path: list[str]) -> None:
    """What an interpreter does first: say that it is there, and wait for a number."""
    global _seat
    sys.path[:] = path
    os.write(arrive, b".")
    _seat = int.from_bytes(os.read(seats, SEAT))


def perform_inside(function: Function, index: int, item: Any, epoch: float) -> bytes:
    """Perform one item in an interpreter, and pickle the result."""
    return pickled_result(perform(function, index, item, _seat, epoch))
