"""One number's divisors divided among workers: for the latency of a single number.

All other racers give whole items to their workers, and the longest item bounds them all. Here every worker
takes part in every item: it takes chunk after chunk of the odd divisors, dealt from the smallest to whoever
is free, so that the work is even and a small factor is found at once. Who finds a divisor ends the dealing,
which the others notice when they come for their next chunk.

The workers are threads. For the kernel `python`, which the GIL would keep from running in parallel, they are
processes, and the counter of the chunks is in memory that they share.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import isqrt
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from operator import index
from queue import SimpleQueue
from threading import Lock
from time import perf_counter
from typing import Any, Protocol

from primerace import _trial, kernels, trial
from primerace.children import no_processes, settle_in
from primerace.racers.base import (
    Crew,
    Failure,
    Function,
    NumberedItem,
    Outcome,
    Racer,
    RacerError,
    do_nothing,
    perform,
)
from primerace.racers.desks import NOTHING
from primerace.racers.parcels import pickled
from primerace.racers.processes import DONE, READY, ProcessCrew, answer
from primerace.racers.threads import PILL, Run, ThreadCrew

CHUNK = 1 << 16  # divisors: 0.1 ms of work in C, 2 ms in Python
ENDED = -1  # instead of a number of chunks
LIMIT = 1 << 64  # for the compiled kernels

NoDivisor = Callable[[int, int, int], bool]
PARTS: dict[Function, NoDivisor] = {
    kernels.python: trial.no_divisor,
    kernels.held: _trial.held_no_divisor,
    kernels.released: _trial.released_no_divisor,
}


class Split(Racer):
    """Workers that divide each item among themselves."""

    name = "split"
    summary = "each number's divisors divided among threads (kernel python: processes)"
    kernels = frozenset({"python", "held", "released"})
    divides = True

    def for_kernel(self, kernel: str | None) -> Racer:
        return SplitProcesses(self.start_method) if kernel == "python" else self

    def start(self, workers: int) -> Crew:
        return SplitThreadCrew(self.name, workers)


class SplitProcesses(Split):
    """The same with processes."""

    def available(self) -> str | None:
        reason = no_processes(self.start_method)
        return reason and f"kernel python takes processes: {reason}"

    def start(self, workers: int) -> Crew:
        return SplitProcessCrew(self.name, workers, self.start_method)


class Counter(Protocol):
    """A number that several workers see: a RawValue among processes, a Count among threads."""

    value: int


@dataclass
class Count:
    """A counter among threads."""

    value: int = 0


@dataclass(frozen=True)
class Deck:
    """The chunks of one number's odd divisors, dealt from the smallest to whoever is free.

    Args:
        dealt: how many chunks are dealt, or ENDED.
        turn: the lock of the counter.
    """

    dealt: Counter
    turn: AbstractContextManager[Any]

    def deal(self) -> int | None:
        """The next chunk, from 0; None once the answer is known."""
        with self.turn:
            chunk = self.dealt.value
            if chunk == ENDED:
                return None
            self.dealt.value = chunk + 1
        return chunk

    def end(self) -> None:
        """Deal no more: the flag at which all workers leave."""
        with self.turn:
            self.dealt.value = ENDED


@dataclass(frozen=True)
class Share:
    """What one of several workers does for each item.

    Args:
        function: the kernel, or the empty function.
        worker: which worker this is, from 0.
        deck: the chunks that all workers take from.
    """

    function: Function
    worker: int
    deck: Deck

    def __call__(self, item: Any) -> Any:
        """Whether no divisor was in this share; what is not worth dividing the first worker answers alone."""
        if self.function is do_nothing:
            return do_nothing(item)
        n = _worth_dividing(self.function, item)
        if n is None:
            return self.function(item) if self.worker == 0 else True
        last = isqrt(n)
        while (chunk := self.deck.deal()) is not None and (first := 3 + 2 * CHUNK * chunk) <= last:
            if not PARTS[self.function](n, first, first + 2 * CHUNK - 2):
                self.deck.end()
                return False
        return True


def _worth_dividing(function: Function, item: Any) -> int | None:
    """The item, where it is an odd integer of several chunks; else the kernel itself answers, or raises."""
    try:
        n = index(item)
    except Exception:
        return None
    fits = function is kernels.python or n < LIMIT
    return n if fits and n % 2 and n >= (2 * CHUNK) ** 2 else None


def combined(reports: Sequence[Outcome | Failure]) -> Outcome | Failure:
    """The outcome of an item from the reports of all workers, in the order in which they came."""
    outcomes = []
    for report in reports:
        if isinstance(report, Failure):
            return report
        outcomes.append(report)
    # Who found a divisor settles the item, else who was the last to find none.
    settler = next((each for each in outcomes if not each.answer), outcomes[-1])
    started = min(each.started for each in outcomes)
    ended = max(each.started + each.seconds for each in outcomes)
    cpu_seconds = sum(each.cpu_seconds for each in outcomes)
    return Outcome(settler.index, settler.answer, ended - started, cpu_seconds, settler.worker, started)


def _check(racer: str, function: Function) -> None:
    """Refuse what has no divisors to divide."""
    if function not in PARTS and function is not do_nothing:
        name = getattr(function, "__name__", function)
        raise RacerError(f"{racer}: only the kernels python, held and released divide numbers, not {name}")


class SplitThreadCrew(ThreadCrew):
    """Threads that each get every item."""

    def __init__(self, racer: str, workers: int) -> None:
        self._deck = Deck(Count(), Lock())
        super().__init__(racer, workers)

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        _check(self.racer, function)
        epoch = perf_counter()
        try:
            for place, item in enumerate(items):
                self._deck = Deck(Count(), Lock())
                yield self.checked(combined(self._reports(function, place, item, epoch)), items)
        finally:
            self._deck.end()  # nobody waits for the rest of a run that was given up

    def _reports(self, function: Function, place: int, item: Any, epoch: float) -> list[Outcome | Failure]:
        results: SimpleQueue[Outcome | Failure | None] = SimpleQueue()
        for worker, inbox in enumerate(self._inboxes):
            jobs: SimpleQueue[NumberedItem | None] = SimpleQueue()
            jobs.put((place, item))
            jobs.put(PILL)
            inbox.put(Run(Share(function, worker, self._deck), jobs, results, epoch))
        reports: list[Outcome | Failure] = []
        working = len(self._inboxes)
        while working:
            report = results.get()
            if report is None:
                working -= 1
            else:
                reports.append(report)
        return reports

    def close(self) -> None:
        """End the dealing, so that nobody waits for more than a chunk."""
        self._deck.end()
        super().close()


class SplitProcessCrew(ProcessCrew):
    """Processes that each get every item through a pipe of their own."""

    def _start(self, workers: int, context: BaseContext) -> None:
        self._dealt: Any = context.RawValue("q", 0)
        super()._start(workers, context)

    def _hire_all(self, workers: int, context: BaseContext) -> None:
        for number in range(workers):
            self._hire(number, context, partial(work, self._dealt))

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        _check(self.racer, function)
        self._check_idle()
        parcel = pickled(self.racer, function, items)
        self._items, self._idle = items, False
        epoch = perf_counter()
        for place, item in enumerate(items):
            self._dealt.value = 0
            self._desks[:] = [place] * len(self._workers)
            for worker in self._workers:
                self._tell(worker, (parcel, place, item, epoch))
            yield self.checked(combined(list(self._until_all_say(DONE))), items)
        self._desks[:] = [NOTHING] * len(self._workers)
        self._idle = True


def work(dealt: Counter, number: int, pipe: Connection, jobs: Connection, turn: Any, desks: Any) -> None:
    """The life of a worker process: item after item, until None comes instead of one."""
    settle_in()
    pipe.send(READY)
    while task := pipe.recv():
        parcel, place, item, epoch = task
        share = Share(pickle.loads(parcel), number, Deck(dealt, turn))
        answer(pipe, perform(share, place, item, number, epoch))
        pipe.send(DONE)
