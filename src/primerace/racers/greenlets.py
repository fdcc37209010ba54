"""Greenlets of gevent: cooperative concurrency without new syntax, and no parallelism at all.

A greenlet gives way where it waits, which CPU work never does. All of them live in one child process: gevent
replaces blocking functions of the standard library, and that must not reach the other racers. Jobs come and
results go as in processes.py.
"""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from time import thread_time
from typing import Any

from primerace.children import exit_in_words, no_processes, settle_in
from primerace.racers.base import Crew, Failure, Function, NumberedItem, Outcome, Racer, WorkerDied, perform
from primerace.racers.desks import NOTHING, in_flight
from primerace.racers.processes import PILL, ProcessCrew, Worker, answer, runs, take


class Gevent(Racer):
    """Greenlets in a child process."""

    name = "gevent"
    summary = "greenlets of gevent, all in one child process"

    def available(self) -> str | None:
        if find_spec("gevent") is None:
            return "needs gevent: pip install 'primerace[gevent]'"
        return no_processes(self.start_method)

    def start(self, workers: int) -> Crew:
        return GreenletCrew(self.name, workers, self.start_method)


class GreenletCrew(ProcessCrew):
    """One process, with a desk for each of its greenlets."""

    def _hire_all(self, workers: int, context: BaseContext) -> None:
        self._hire(0, context, work)

    def _death_of(self, worker: Worker) -> WorkerDied:
        worker.process.join()
        status = exit_in_words(worker.process.exitcode)
        return WorkerDied(self.racer, None, status, in_flight(self._desks, self._items))


def work(number: int, pipe: Connection, jobs: Connection, turn: Any, desks: Any) -> None:
    """The life of the process."""
    settle_in()
    become_cooperative()
    keep_time()
    import gevent

    for function, epoch in runs(pipe):
        queue = iter(lambda: take(jobs, turn), PILL)
        greenlets = [
            gevent.spawn(work_off, function, queue, pipe, worker, desks, epoch)
            for worker in range(len(desks))
        ]
        gevent.joinall(greenlets, raise_error=True)


def become_cooperative() -> None:
    """Have blocking functions give way to other greenlets, also in modules that are imported already."""
    from gevent import monkey

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a forked child inherits modules that gevent would rather see first
        monkey.patch_all()


def keep_time() -> None:
    """Have every greenlet add up the processor time of others while it gives way: the clock is the thread's.

    A switch is traced with the greenlet that gives way and the one that goes on.
    """

    def note(_: str, pair: tuple[Any, Any]) -> None:
        now = thread_time()
        one, other = pair
        one.left = now
        other.away = away(other) + now - getattr(other, "left", now)

    import_module("greenlet").settrace(note)


def away(greenlet: Any) -> float:
    """The processor time of others, in seconds, while this greenlet had given way."""
    seconds: float = getattr(greenlet, "away", 0.0)
    return seconds


def perform_in_turns(
    function: Function, index: int, item: Any, worker: int, epoch: float
) -> Outcome | Failure:
    """Perform one item in this greenlet; the processor time is its own."""
    from gevent import getcurrent

    me = getcurrent()
    before = away(me)
    result = perform(function, index, item, worker, epoch)
    if isinstance(result, Failure):
        return result
    return replace(result, cpu_seconds=result.cpu_seconds - (away(me) - before))


def work_off(
    function: Function,
    queue: Iterator[NumberedItem],
    pipe: Connection,
    worker: int,
    desks: Any,
    epoch: float,
) -> None:
    """The work of one greenlet; between two items the others have their turn."""
    from gevent import sleep

    for index, item in queue:
        desks[worker] = index
        answer(pipe, perform_in_turns(function, index, item, worker, epoch))
        desks[worker] = NOTHING
        sleep(0)
