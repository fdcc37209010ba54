"""The application of the racer `celery`: what its workers run, and how they stay in touch.

A message is acknowledged once its answer is stored. Redis hands out again what was not acknowledged within
the visibility timeout, an hour by default. Here that is a lease of a few seconds, which a worker renews for
what it has in hand for as long as it lives: an item of a dead worker is soon with another one, an item that
lasts is not handed out twice. One that was already answered is not run again. Where the pool is threads of
the worker itself, a function that holds the GIL keeps it from renewing: there a lease lasts longer.

A race has a queue of its own. A worker that was started by hand looks which races are open, and takes from
the queues of all of them. No exchange is declared, since each would leave a key behind.
"""

import json
import os
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from signal import SIGKILL
from threading import get_ident
from typing import Any

from billiard.util import set_pdeathsig
from celery import Celery, Task, bootsteps, signals
from celery.apps.worker import Worker
from celery.concurrency.prefork import TaskPool as Processes
from celery.platforms import SecurityWarning
from celery.worker.state import reserved_requests
from kombu.entity import Exchange, Queue
from redis.exceptions import RedisError

from primerace.children import settle_under
from primerace.racers.base import TRIES, Failure, perform
from primerace.racers.celery_keys import BROKER, GIL_SECONDS, OPEN, PREFIX, count_death, open_races, renew
from primerace.racers.messages import function_from, result_text
from primerace.racers.redis import CONNECT_SECONDS

LEASE = 3  # seconds
LOOK = 0.5  # seconds between two looks at leases, races and the pool
TASK = "primerace.perform"
WAITING = "waiting"  # the queue, always empty, of workers that look for races


def make_app(broker: str, stores: bool = True) -> Any:
    """The application on that Redis.

    Args:
        broker: its URL, as Celery writes it.
        stores: whether answers are stored there, as a worker must.
    """
    backend = backend_url(broker) if stores else None
    app = Celery("primerace", broker=broker, backend=backend, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_deduplicate_successful_tasks=True,
        worker_prefetch_multiplier=1,
        worker_lost_wait=0.2,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "global_keyprefix": PREFIX,
            "visibility_timeout": LEASE,
            "unacked_restore_interval": LOOK,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": LEASE,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
        },
        result_backend_transport_options={"global_keyprefix": PREFIX},
        result_expires=OPEN,
        result_backend_always_retry=True,
        task_default_queue=WAITING,
        task_default_exchange="",
        task_queues=[queue_of(WAITING)],
    )
    app.task(name=TASK, bind=True)(perform_item)
    app.steps["consumer"].add(Attendance)
    app.Worker = app.subclass_with_self(QuietWorker, name="Worker")
    return app


def backend_url(broker: str) -> str:
    """The same server as Celery's result backend, which wants to be told that certificates are checked.

    >>> backend_url("rediss://localhost/0")
    'rediss://localhost/0?ssl_cert_reqs=CERT_REQUIRED'
    """
    if not broker.startswith("rediss://") or "ssl_cert_reqs=" in broker:
        return broker
    return f"{broker}{'&' if '?' in broker else '?'}ssl_cert_reqs=CERT_REQUIRED"


class QuietWorker(Worker):  # type: ignore[misc]
    """A worker that does not talk to others, which takes a second at the start and leaves keys behind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        silence = dict.fromkeys(("without_gossip", "without_mingle", "without_heartbeat"), True)
        super().__init__(*args, **(options | silence))


def queue_of(name: str) -> Any:
    """The queue of that name."""
    return Queue(name, Exchange(""), name)  # type: ignore[no-untyped-call]


class Attendance(bootsteps.StartStopStep):  # type: ignore[misc]
    """What a worker does all the time: renew its leases, look after its pool, and look for races."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self._follows = WAITING in consumer.app.amqp.queues.consume_from
        self._races: set[str] = set()
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        self._attend(consumer)
        self._timer = consumer.timer.call_repeatedly(LOOK, self._attend, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _attend(self, consumer: Any) -> None:
        maintain = getattr(consumer.pool, "maintain_pool", None)
        if maintain is not None:  # Celery itself does it every 5 seconds
            maintain()
        with suppress(RedisError, OSError):  # the consumer itself finds the way back to a lost server
            renew_leases(consumer, list(reserved_requests))
            if self._follows:
                self._follow(consumer, open_races(consumer.app.backend.client))

    def _follow(self, consumer: Any, races: set[str]) -> None:
        for queue in races - self._races:
            consumer.add_task_queue(queue, exchange="", routing_key=queue)
        for queue in self._races - races:
            consumer.cancel_task_queue(queue)
        self._races = races


def renew_leases(consumer: Any, requests: Iterable[Any]) -> None:
    """Renew those of what this worker has in hand."""
    tags = [request.message.delivery_tag for request in requests]
    renew(consumer.app.backend.client, tags, 0 if isinstance(consumer.pool, Processes) else GIL_SECONDS)


@signals.task_received.connect  # type: ignore[untyped-decorator]
def renew_at_once(sender: Any, request: Any, **_: Any) -> None:
    """Renew the lease before the function has the GIL."""
    if not isinstance(sender.pool, Processes):
        with suppress(RedisError, OSError):
            renew_leases(sender, [request])


def perform_item(task: Task, function: str, index: int, item: str, epoch: float) -> list[Any]:
    """Perform one item.

    Returns:
        The worker (its node, process and thread), and what became of the item; None if it is given up.
    """
    who = [task.request.hostname, os.getpid(), get_ident()]
    delivery = task.request.delivery_info
    if delivery.get("redelivered"):
        queue = delivery["routing_key"]
        if count_death(task.backend.client, queue, task.request.id) >= TRIES:
            return [*who, None]
    try:
        call = function_from(function)
    except Exception as error:
        return [*who, result_text(Failure.of(None, error))]
    return [*who, result_text(perform(call, index, json.loads(item), 0, epoch))]


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def die_with_worker(**_: Any) -> None:
    """A process of a pool ends with its worker, however that ended."""
    with suppress(OSError):  # not on this system
        set_pdeathsig(SIGKILL)


def main() -> None:
    """A worker of one race: it says `ready` when it is, and ends when its standard input closes."""
    queue, pool, workers = sys.argv[1:]
    settle_under(sys.stdin.fileno())
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore", SecurityWarning)  # that the superuser starts it
    app = make_app(os.environ[BROKER])
    app.amqp.queues.add(queue_of(queue))

    def say_ready(**_: Any) -> None:
        os.write(answer, b"ready\n")
        os.close(answer)

    signals.worker_ready.connect(say_ready)
    worker = app.Worker(
        hostname=f"{queue}@{os.uname().nodename}",
        pool_cls=pool,
        concurrency=int(workers),
        queues=[queue],
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
