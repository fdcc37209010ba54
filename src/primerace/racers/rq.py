"""RQ: a job queue in Redis, whose worker processes take one job at a time.

Each item is a job. The crew starts RQ's SimpleWorker, which calls the function in its own process; RQ's
default worker forks for every job. Answers come back through a list in Redis, on which the crew waits. A
worker that dies is replaced, as RQ's worker pool does, and its item is put into the queue again.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

from primerace.children import no_processes, signals_held
from primerace.plain import shown
from primerace.racers.base import START_SECONDS, TRIES, Crew, Function, Outcome, Racer, RacerError, WorkerDied
from primerace.racers.messages import result_from
from primerace.racers.redis import PrivateServer, no_redis, open_server, unique_name
from primerace.racers.rq_staff import Staff, Worker

if TYPE_CHECKING:
    from primerace.racers.rq_jobs import Jobs

GLANCE = 0.5  # seconds between looks for workers that died
QUIET = 1.0  # seconds without an answer after which lost items are looked for


class Rq(Racer):
    """Worker processes of RQ."""

    name = "rq"
    summary = "worker processes of RQ, a job queue in Redis"

    def available(self) -> str | None:
        if find_spec("rq") is None:
            return "needs rq: pip install 'primerace[rq]'"
        return no_redis(self.engines.broker) or no_processes(self.start_method)

    def start(self, workers: int) -> Crew:
        return RqCrew(self.name, workers, self.start_method, self.engines.broker)


class RqCrew(Crew):
    def __init__(self, racer: str, workers: int, start_method: str | None, broker: str | None) -> None:
        super().__init__(racer)
        self.queue = unique_name()
        self._runs = 0
        self._jobs: Jobs | None = None  # of the latest run
        self._idle = False
        self._heard = perf_counter()  # when Redis answered last
        self._deaths = 0  # of workers without an item, since the last answer
        self._server = open_server(racer, broker)
        self._client = self._server.client()
        self._staff = Staff(self._server.url, self.queue, workers, start_method)
        try:
            self._staff.hire()
            self._wait_until_ready()
        except BaseException as error:
            self.close()
            if isinstance(error, redis_error()):
                raise self._server.lost(error) from error
            if isinstance(error, OSError):
                raise RacerError(f"{racer}: {workers} processes could not be started: {error}") from error
            raise
        self._idle = True

    def _wait_until_ready(self) -> None:
        deadline = perf_counter() + START_SECONDS
        waiting = {worker.name for worker in self._staff.workers}
        while waiting:
            arrived = self._client.blpop([self._staff.ready], GLANCE)
            if arrived:
                waiting.discard(arrived[1].decode())
            for worker in self._staff.dead():
                raise WorkerDied(self.racer, worker.number, worker.status, [])
            if perf_counter() > deadline:
                raise RacerError(
                    f"{self.racer}: {len(waiting)} workers did not come in {START_SECONDS:.0f} s"
                )

    def pids(self) -> Sequence[int]:
        return self._staff.pids()

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        from primerace.racers.rq_jobs import Jobs

        self._check_idle()
        epoch = perf_counter()
        self._runs += 1
        jobs = Jobs(self.racer, self._client, self.queue, self._runs, function, items, epoch)
        self._jobs, self._idle = jobs, False
        for text in self._texts(jobs):
            name, _, message = text.rpartition("\n")
            result = result_from(message)
            if result.index is not None and result.index not in jobs.undone:
                continue  # answered before
            outcome = self.checked(result, items)
            del jobs.undone[outcome.index]
            yield outcome.seen_here(self._staff.number(name), epoch)
        self._idle = True

    def _texts(self, jobs: "Jobs") -> Iterator[str]:
        """Hand out all items and yield what is answered, some perhaps twice, until none is undone."""
        self._heard = quiet_since = perf_counter()
        came_back = False
        while jobs.undone:
            try:
                if came_back:
                    self._start_over(jobs)
                    came_back = False
                texts = self._next(jobs)
                if texts or jobs.to_feed:
                    quiet_since = perf_counter()
                elif perf_counter() > quiet_since + QUIET:
                    texts = self._put_back_the_lost(jobs)
                    quiet_since = perf_counter()
            except redis_error() as error:
                self._wait_for_redis(error, jobs)
                came_back = True
            else:
                self._deaths = 0 if texts else self._deaths
                yield from texts

    def _next(self, jobs: "Jobs") -> list[str]:
        """What is answered by now; where all items are handed out, wait for it."""
        if jobs.to_feed:
            jobs.feed()
        self._replace_the_dead(jobs)
        texts = jobs.take_answers(0 if jobs.to_feed else GLANCE)
        self._heard = perf_counter()
        return texts

    def _replace_the_dead(self, jobs: "Jobs") -> None:
        """Put the items of dead workers into the queue again, and hire others."""
        for worker in self._staff.dead():
            index = self._staff.item_of(worker)
            if index in jobs.undone:
                self._blame(worker, index, jobs)
                jobs.give_up(index)
                jobs.put([index])
            else:
                self._deaths += 1
                if self._deaths > TRIES * len(self._staff.workers):
                    raise WorkerDied(self.racer, worker.number, worker.status, [])
            self._staff.replace(worker)

    def _blame(self, worker: Worker, index: int, jobs: "Jobs") -> None:
        """An item that kills its worker every time must not do so for ever."""
        jobs.undone[index] += 1
        if jobs.undone[index] == TRIES:
            status = f"{worker.status}; {TRIES} workers died of this item"
            raise WorkerDied(self.racer, worker.number, status, [(index, jobs.items[index])])

    def _put_back_the_lost(self, jobs: "Jobs") -> list[str]:
        """Put lost items into the queue again; return what is answered by now."""
        lost = jobs.lost(self._staff.in_hand())
        texts = jobs.take_answers(0)
        again = set(lost) - {result_from(text.rpartition("\n")[2]).index for text in texts}
        for index in again:
            jobs.undone[index] += 1
            if jobs.undone[index] == TRIES:
                item = shown(jobs.items[index])
                raise RacerError(
                    f"{self.racer}: item {index} ({item}) was lost {TRIES} times; its workers died?"
                )
        jobs.put(sorted(again))
        return texts

    def _wait_for_redis(self, error: Exception, jobs: "Jobs") -> None:
        if not isinstance(error, connection_errors()):
            raise self._lost(error, jobs)
        self._staff.dismiss()
        if not self._server.comes_back(self._heard):
            raise self._lost(error, jobs)

    def _lost(self, error: Exception, jobs: "Jobs") -> RacerError:
        return self._server.lost(error, [(index, jobs.items[index]) for index in jobs.undone])

    def _start_over(self, jobs: "Jobs") -> None:
        """Hand out again what is in the queue no more, which is all of it where Redis comes back empty."""
        jobs.forget_workers()
        jobs.put(jobs.lost(()))
        self._staff.hire()

    def close(self) -> None:
        """Kill the workers, and take away what they and the jobs left in a Redis that stays."""
        with signals_held():
            self._staff.dismiss()
            if not isinstance(self._server, PrivateServer):
                self._take_away()
            self._client.close()
            self._server.close()

    def _take_away(self) -> None:
        from primerace.racers.rq_jobs import remove

        with suppress(redis_error()):  # it is gone, and so are the keys
            spared = self._jobs.elsewhere(self._staff.in_hand()) if self._jobs else ()
            remove(self._client, self.queue, self._staff.names(), spared)


def redis_error() -> type[Exception]:
    """What redis-py raises."""
    from redis.exceptions import RedisError

    return RedisError


def connection_errors() -> tuple[type[Exception], ...]:
    """What redis-py raises where a server can't be reached."""
    from redis.exceptions import ConnectionError, TimeoutError

    return ConnectionError, TimeoutError
