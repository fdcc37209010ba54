"""Threads, fed by hand through queues.

The shape is the textbook's: a queue of jobs, a queue of results, and one poison pill for each worker
behind the last job. A worker that takes a pill answers with DONE, and the run is over when every worker
has. An empty job queue says nothing: the last items may still be in work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any

from primerace.racers.base import Crew, Failure, Function, NumberedItem, Outcome, Racer, RacerError, perform

PILL = None
DONE = None


@dataclass(frozen=True)
class Run:
    """What a worker needs to take part in one run."""

    function: Function
    jobs: SimpleQueue[NumberedItem | None]
    results: SimpleQueue[Outcome | Failure | None]
    epoch: float


class Threads(Racer):
    """Threads that take jobs from a queue."""

    name = "threads"
    summary = "threads fed through queues, ended by poison pills"

    def start(self, workers: int) -> Crew:
        return ThreadCrew(self.name, workers)


class ThreadCrew(Crew):
    def __init__(self, racer: str, workers: int) -> None:
        super().__init__(racer)
        self._inboxes: list[SimpleQueue[Run | None]] = []
        self._threads: list[Thread] = []
        self._jobs: SimpleQueue[NumberedItem | None] = SimpleQueue()
        for worker in range(workers):
            self._start(worker)

    def _start(self, worker: int) -> None:
        inbox: SimpleQueue[Run | None] = SimpleQueue()
        thread = Thread(target=work, args=(worker, inbox), name=f"{self.racer}-{worker}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self.close()
            raise RacerError(f"{self.racer}: thread {worker + 1} could not be started: {error}") from error
        self._inboxes.append(inbox)
        self._threads.append(thread)

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        self._jobs = SimpleQueue()
        results: SimpleQueue[Outcome | Failure | None] = SimpleQueue()
        for job in enumerate(items):
            self._jobs.put(job)
        for _ in self._threads:
            self._jobs.put(PILL)
        run = Run(function, self._jobs, results, perf_counter())
        for inbox in self._inboxes:
            inbox.put(run)
        working = len(self._threads)
        while working:
            result = results.get()
            if result is DONE:
                working -= 1
            else:
                yield self.checked(result, items)

    def close(self) -> None:
        """Give up what no worker has taken yet, and wait for what is in work: a thread can't be killed."""
        try:
            while True:
                self._jobs.get_nowait()
        except Empty:
            pass
        for inbox in self._inboxes:
            self._jobs.put(PILL)
            inbox.put(None)
        for thread in self._threads:
            thread.join()


def work(worker: int, inbox: "SimpleQueue[Run | None]") -> None:
    """The life of a worker: run after run, until None comes instead of a run."""
    while run := inbox.get():
        while job := run.jobs.get():
            index, item = job
            run.results.put(perform(run.function, index, item, worker, run.epoch))
        run.results.put(DONE)
