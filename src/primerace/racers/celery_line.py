"""The racer's end of the line to Celery's workers: it sends tasks, and takes the answers.

Tasks are sent in batches, each one round trip to the server. Celery's Redis backend publishes what it stores:
one subscription brings all answers of a race, where Celery's own AsyncResult subscribes to each. What is
published may get lost on the way; what is stored stays until it was taken.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from primerace.racers.celery_app import TASK, make_app, queue_of
from primerace.racers.celery_keys import (
    PREFIX,
    close_race,
    in_hand,
    open_race,
    open_races,
    renew,
    result_key,
    still_open,
    tries,
)
from primerace.racers.redis import Server

LEFT = 200  # answers that are taken before they are removed from the server

Answer = tuple[str, Any]  # a task, and what Celery stored for it


class Line:
    """A line to the workers of one queue.

    Args:
        server: the Redis between them.
        queue: the race's.
    """

    def __init__(self, server: Server, queue: str) -> None:
        self._queue = queue
        self._app = make_app(server.celery_url, stores=False)
        self._owed: set[str] = set()  # tasks that are not answered
        self._taken: list[str] = []  # answers to remove
        self.client = server.client()
        self._connection: Any = None
        self._subscription: Any = None
        self._producer: Any = None
        try:
            self.open()
        except BaseException:
            self.close()
            raise

    def open(self) -> None:
        """Open the line, also after it broke."""
        self._hang_up()
        self._subscription = self.client.pubsub()
        self._subscription.psubscribe(result_key(f"{self._queue}.*"))
        self._subscription.get_message(timeout=None)  # until then answers could be missed
        self._connection = self._app.connection_for_write()
        self._producer = self._app.amqp.Producer(self._connection, auto_declare=False)
        open_race(self.client, self._queue)
        open_races(self.client)  # which clears away what a killed program left

    def send(self, tasks: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Send tasks, each a name and the arguments."""
        task, queue = self._app.tasks[TASK], queue_of(self._queue)
        self.client.ping()  # which gives up at once where nobody answers
        with self._producer.batch():
            for name, arguments in tasks:
                self._owed.add(name)
                task.apply_async(
                    arguments,
                    task_id=name,
                    queue=queue,
                    producer=self._producer,
                    retry=False,
                    argsrepr="",
                    kwargsrepr="",
                )

    def receive(self, seconds: float) -> list[Answer]:
        """The next answer, if it comes in time."""
        message = self._subscription.get_message(timeout=seconds)
        if message is None or message["type"] != "pmessage":
            return []
        return self._answer(message["data"])

    def stored(self, names: Sequence[str]) -> list[Answer]:
        """Which of these tasks are answered."""
        if not names:
            return []
        texts = self.client.mget([result_key(name) for name in names])
        return [answer for text in texts if text is not None for answer in self._answer(text)]

    def _answer(self, text: bytes) -> list[Answer]:
        stored = json.loads(text)
        if stored["status"] not in ("SUCCESS", "FAILURE", "REVOKED"):
            return []
        self._owed.discard(stored["task_id"])
        self._taken.append(result_key(stored["task_id"]))
        if len(self._taken) >= LEFT:
            self.tidy_up()
        return [(stored["task_id"], stored)]

    def tidy_up(self) -> None:
        """Remove the answers that were taken."""
        taken, self._taken = self._taken, []
        if taken:
            self.client.unlink(*taken)

    def still_open(self) -> bool:
        """Whether the server still knows of the race."""
        return still_open(self.client, self._queue)

    def queued(self) -> int:
        """How many tasks wait in the queue."""
        return int(self.client.llen(PREFIX + self._queue))

    def held(self) -> set[str]:
        """The tasks that workers have in hand."""
        return set(in_hand(self.client, self._queue).values())

    def shorten_leases(self) -> None:
        """After the death of a worker: those that live renew theirs."""
        renew(self.client, in_hand(self.client, self._queue))

    def tries(self) -> dict[str, int]:
        """How many workers left a task undone, for those that did."""
        return tries(self.client, self._queue)

    def _hang_up(self) -> None:
        for end in (self._subscription, self._connection):
            if end is not None:
                with suppress(Exception):  # a line that broke may not even close
                    end.close()

    def close(self) -> None:
        """Take everything of the race off the server."""
        self._hang_up()
        with suppress(RedisError, OSError):  # the server is gone, and so is what it had
            self._taken += map(result_key, self._owed)
            self.tidy_up()
            close_race(self.client, self._queue)
        self.client.close()
        self._app.close()
