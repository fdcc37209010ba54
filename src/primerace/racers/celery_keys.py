"""What the races of Celery have on a server.

All keys begin with PREFIX, also those of kombu and of Celery's result backend: what another program has there
is not touched, be it one with Celery. The set of races says which queues there are. A race shows signs of
life; what is left of one that does so no more, since its program was killed, is removed by whoever looks.
"""

import json
from collections.abc import Iterable
from time import time
from typing import Any

BROKER = "CELERY_BROKER_URL"  # Celery's own variable, which its option --broker sets
PREFIX = "primerace:celery:"
RACES = f"{PREFIX}races"
# As kombu calls them. Who restores what is overdue has the mutex, for a few seconds also after it was killed.
UNACKED, LEASES, MUTEX = (f"{PREFIX}{name}" for name in ("unacked", "unacked_index", "unacked_mutex"))
OPEN = 60  # seconds after which a race that shows no sign of life is over, and its answers are gone
GIL_SECONDS = 20  # that a function may keep the GIL of a worker whose pool shares its process


def result_key(task_id: str) -> str:
    """Where Celery stores the result of a task."""
    return f"{PREFIX}celery-task-meta-{task_id}"


def open_race(client: Any, queue: str) -> None:
    """Let workers know of a race."""
    with client.pipeline() as pipe:
        pipe.set(f"{PREFIX}{queue}:open", 1, ex=OPEN)
        pipe.sadd(RACES, queue)
        pipe.execute()


def still_open(client: Any, queue: str) -> bool:
    """Whether the server still knows of a race, whose sign of life this is."""
    return bool(client.expire(f"{PREFIX}{queue}:open", OPEN))


def in_hand(client: Any, queue: str) -> dict[str, str]:
    """The tasks of a race that workers have taken, by the tag that kombu gave to each delivery."""
    deliveries = {tag: json.loads(text) for tag, text in client.hgetall(UNACKED).items()}
    return {
        tag.decode(): message["headers"].get("id", "")
        for tag, (message, _, routing_key) in deliveries.items()
        if routing_key == queue
    }


def renew(client: Any, tags: Iterable[str], ahead: float = 0.0) -> None:
    """Let the leases of these deliveries begin so many seconds from now, if they have not ended."""
    begins = dict.fromkeys(tags, time() + ahead)
    if begins:
        client.zadd(LEASES, begins, xx=True)


def tries(client: Any, queue: str) -> dict[str, int]:
    """How many workers left a task undone, for those that did."""
    found = client.hgetall(f"{PREFIX}{queue}:tries")
    return {task.decode(): int(number) for task, number in found.items()}


def close_race(client: Any, queue: str) -> None:
    """Remove all that a race has on the server."""
    tags = in_hand(client, queue)
    with client.pipeline() as pipe:
        if tags:
            pipe.hdel(UNACKED, *tags)
            pipe.zrem(LEASES, *tags)
        pipe.delete(PREFIX + queue, f"{PREFIX}{queue}:open", f"{PREFIX}{queue}:tries")
        pipe.srem(RACES, queue)
        pipe.exists(RACES)
        *_, others = pipe.execute()
    if not others:
        client.delete(MUTEX)


def open_races(client: Any) -> set[str]:
    """The queues of all races under way; what is left of others is removed."""
    found = set()
    for queue in (name.decode() for name in client.smembers(RACES)):
        if client.exists(f"{PREFIX}{queue}:open"):
            found.add(queue)
        else:
            close_race(client, queue)
    return found


def count_death(client: Any, queue: str, task: str) -> int:
    """Count one more worker that left a task undone; how many these are."""
    with client.pipeline() as pipe:
        pipe.hincrby(f"{PREFIX}{queue}:tries", task)
        pipe.expire(f"{PREFIX}{queue}:tries", OPEN)
        return int(pipe.execute()[0])
