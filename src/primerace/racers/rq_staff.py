"""The worker processes of RQ as their crew sees them: hired, replaced where they died, dismissed."""

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

from primerace.children import context, exit_in_words, interrupts_held
from primerace.racers.desks import NOTHING


@dataclass(frozen=True)
class Worker:
    """A worker process.

    Args:
        number: its place, from 0.
        name: what RQ calls it; no worker before it had that name.
        process: itself.
    """

    number: int
    name: str
    process: BaseProcess

    @property
    def status(self) -> str:
        """How it ended."""
        return exit_in_words(self.process.exitcode)


class Staff:
    """All of them.

    Args:
        url: of the Redis server.
        queue: from which they take jobs.
        size: how many they are.
        start_method: how processes are started; None is Python's default.
    """

    def __init__(self, url: str, queue: str, size: int, start_method: str | None) -> None:
        self.ready = f"{queue}:ready"  # a list, to which each adds its name when it is ready
        self._url, self._queue, self._size = url, queue, size
        self._context = context(start_method)
        self._desks: Any = self._context.RawArray("q", [NOTHING] * size)
        self._numbers: dict[str, int] = {}  # of all that ever were, by name
        self.workers: list[Worker] = []

    def hire(self) -> None:
        """Start all of them; they are not ready yet."""
        with interrupts_held(self._context):
            for number in range(self._size):
                self.workers.append(self._hire(number))

    def _hire(self, number: int) -> Worker:
        from primerace.racers.rq_worker import work

        name = f"{self._queue}:{len(self._numbers)}"
        self._numbers[name] = number
        self._desks[number] = NOTHING
        process = self._context.Process(  # type: ignore[attr-defined]
            target=work,
            args=(self._url, self._queue, name, self.ready, self._desks, number),
            name=f"rq-{number}",
            daemon=True,
        )
        process.start()
        return Worker(number, name, process)

    def dead(self) -> list[Worker]:
        """Those that ended."""
        return [worker for worker in self.workers if worker.process.exitcode is not None]

    def replace(self, worker: Worker) -> None:
        """Hire another one in the place of a dead one."""
        with interrupts_held(self._context):
            self.workers[worker.number] = self._hire(worker.number)

    def item_of(self, worker: Worker) -> int | None:
        """The item that this worker has, or had when it died."""
        index = self._desks[worker.number]
        return None if index == NOTHING else index

    def in_hand(self) -> set[int]:
        """The items that the workers have."""
        return set(self._desks) - {NOTHING}

    def number(self, name: str) -> int:
        """The number of the worker of that name; those that joined from outside count on."""
        return self._numbers.setdefault(name, max(self._size, *(1 + each for each in self._numbers.values())))

    def names(self) -> list[str]:
        """The names of all that ever were."""
        return list(self._numbers)

    def pids(self) -> Sequence[int]:
        """Their process numbers."""
        return [worker.process.pid for worker in self.workers if worker.process.pid]

    def dismiss(self) -> None:
        """Kill them."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
        self.workers = []
