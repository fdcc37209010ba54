"""Tasks of Celery over Redis, which is also where Celery stores the results.

The racer starts one worker of Celery, whose pool ('prefork' or 'threads') is the crew. Messages are JSON:
pickle is refused. Further workers, here or on other machines, join and leave by Celery's own command:

    celery -A primerace.racers.celery -b URL worker
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

from primerace.children import no_processes, signals_held
from primerace.racers.base import TRIES, Crew, Function, Outcome, Racer, RacerError, WorkerDied
from primerace.racers.celery_keys import BROKER, GIL_SECONDS
from primerace.racers.celery_run import Run
from primerace.racers.celery_staff import Staff
from primerace.racers.engines import Engines
from primerace.racers.messages import result_from
from primerace.racers.redis import no_redis, open_server, unique_name

if TYPE_CHECKING:
    from primerace.racers.celery_line import Answer

GLANCE = 0.5  # seconds to wait for an answer
LOOK = 1.0  # seconds between looks for what died or got lost
STALLED = 20.0  # seconds after which a worker that takes nothing of what is there is replaced


class Celery(Racer):
    """Workers of Celery."""

    name = "celery"
    summary = "workers of Celery, a task queue, over Redis"

    def available(self) -> str | None:
        if find_spec("celery") is None:
            return "needs celery: pip install 'primerace[celery]'"
        return no_redis(self.engines.broker) or no_processes(self.start_method)

    def start(self, workers: int) -> Crew:
        return CeleryCrew(self.name, workers, self.engines)


class CeleryCrew(Crew):
    def __init__(self, racer: str, workers: int, engines: Engines) -> None:
        super().__init__(racer)
        self.queue = unique_name()
        self._workers = workers
        self._patience = GIL_SECONDS if engines.celery_pool == "threads" else 0.0  # with what seems lost
        self._numbers: dict[tuple[str, int, int], int] = {}  # of workers: their node, process and thread
        self._runs = 0
        self._idle = False
        self._deaths = 0
        self._heard = self._looked = perf_counter()  # when Redis answered, and when was looked around
        self._moved = self._heard  # when an answer came, or a new worker
        self._open = ExitStack()
        try:
            self._server = self._open.enter_context(open_server(racer, engines.broker))
            self._staff = Staff(racer, self._server.celery_url, self.queue, engines.celery_pool, workers)
            self._open.callback(self._staff.close)
            self._open_line()
            self._open.callback(self._staff.close)  # before the line, which takes off the server what is left
            self._staff.wait()
        except BaseException:
            self.close()
            raise
        self._idle = True

    def _open_line(self) -> None:
        """Import what is needed for it while the worker does the same."""
        from primerace.racers.celery_line import Line

        try:
            self._line = Line(self._server, self.queue)
        except lost_connection() as error:
            raise self._server.lost(error) from error
        self._open.callback(self._line.close)

    def pids(self) -> Sequence[int]:
        return self._staff.pids()

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        self._check_idle()
        self._runs += 1
        run = Run(self.racer, f"{self.queue}.{self._runs}.", function, items)
        self._idle = False
        for name, stored in self._answers(run):
            index = run.index_of(name)
            if index not in run.undone:
                continue  # answered before
            node, process, thread, text = self._told(index, stored, run)
            outcome = self.checked(result_from(text), items)
            run.done(index)
            yield outcome.seen_here(self._number(node, process, thread), run.epoch)
        with suppress(*lost_connection()):
            self._line.tidy_up()
        self._idle = True

    def _answers(self, run: Run) -> "Iterator[Answer]":
        """Send all items and yield what is answered, some perhaps twice, until none is undone."""
        self._moved = perf_counter()
        while run.undone:
            try:
                tasks = run.batch()
                if tasks:
                    self._line.send(tasks)
                    run.sent(tasks)
                answers = self._line.receive(GLANCE)
                if perf_counter() > self._looked + LOOK:
                    answers += self._look_around(run, quiet=not answers)
                    self._heard = perf_counter()
            except lost_connection() as error:
                self._wait_for_redis(error, run)
            else:
                if answers:
                    self._deaths, self._moved = 0, perf_counter()
                yield from answers

    def _look_around(self, run: Run, quiet: bool) -> "list[Answer]":
        """Replace a worker that died, send again what got lost; return answers that were missed."""
        self._looked = perf_counter()
        self._replace_the_dead(run)
        if not self._line.still_open():  # the server has come back empty
            self._line.open()
            run.send_again(run.out)
        if not quiet:
            return []
        answers = self._line.stored(run.names(run.out))
        held = self._held(run)
        if not self._line.queued():
            run.miss(run.out - held, self._patience)
        elif not held and self._looked > self._moved + STALLED:
            self._staff.kill()
        return answers

    def _held(self, run: Run) -> set[int]:
        """The items that workers have in hand."""
        return {run.index_of(name) for name in self._line.held() if run.has(name)}

    def _replace_the_dead(self, run: Run) -> None:
        status = self._staff.replaced()
        if status is None:
            return
        self._deaths += 1
        if self._deaths > TRIES:
            raise self._death(status, self._held(run), run)
        self._line.shorten_leases()
        self._moved = perf_counter()

    def _told(self, index: int, stored: Any, run: Run) -> Any:
        """What a worker said of an item, and who it was.

        Raises:
            WorkerDied: the item was given up since each worker that began it died.
            RacerError: Celery itself gave it up.
        """
        if stored["status"] != "SUCCESS":
            error = stored["result"]
            why = f"{error.get('exc_type')}: {error.get('exc_message')}" if isinstance(error, dict) else error
            raise RacerError(f"{self.racer}: item {index} was given up: {why}")
        if stored["result"][-1] is None:
            unlucky = {name for name, tries in self._line.tries().items() if tries >= TRIES - 1}
            indices = {run.index_of(name) for name in unlucky if run.has(name)} & run.undone
            raise self._death(f"{TRIES} times in a row", {index, *indices}, run)
        return stored["result"]

    def _death(self, status: str, indices: set[int], run: Run) -> WorkerDied:
        error = WorkerDied(self.racer, None, status, [(index, run.items[index]) for index in sorted(indices)])
        error.add_note(self._staff.last_words())
        return error

    def _number(self, *who: Any) -> int:
        """The number of a worker: the first are for our own and their successors, others count on."""
        if who not in self._numbers:
            ours = self._is_ours(who)
            at_work = self._staff.pids()
            self._numbers = {
                other: number
                for other, number in self._numbers.items()
                if not self._is_ours(other) or other[1] in at_work
            }
            taken = set(self._numbers.values())
            first = 0 if ours else self._workers
            self._numbers[who] = next(number for number in count(first) if number not in taken)
        return self._numbers[who]

    def _is_ours(self, who: Any) -> bool:
        return bool(who[0].startswith(f"{self.queue}@"))

    def _wait_for_redis(self, error: Exception, run: Run) -> None:
        while self._server.comes_back(self._heard):
            with suppress(*lost_connection()):
                return self._line.open()
        raise self._server.lost(error, [(index, run.items[index]) for index in sorted(run.undone)])

    def close(self) -> None:
        with signals_held():
            self._open.close()


def lost_connection() -> tuple[type[Exception], ...]:
    """What is raised where a server can't be reached any more."""
    from kombu.exceptions import KombuError
    from redis.exceptions import RedisError

    return RedisError, KombuError, OSError


def __getattr__(name: str) -> Any:
    """The application, `app`, is made when Celery's command asks for it."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from primerace.racers.celery_app import make_app

    return make_app(os.environ.get(BROKER, "redis://127.0.0.1:6379/0"))
