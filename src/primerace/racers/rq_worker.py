"""What runs in the worker processes of RQ: the call of one item, and RQ's SimpleWorker fitted to a crew.

The call is all that a worker needs which somebody starts by hand. Loaded only where RQ is.
"""

import logging
import sys
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker, get_current_job
from rq.job import Job
from rq.serializers import JSONSerializer

from primerace.children import settle_in
from primerace.racers.base import Failure, perform
from primerace.racers.desks import NOTHING
from primerace.racers.messages import function_from, result_text
from primerace.racers.redis import CONNECT_SECONDS

HOUR, DAY, WEEK = 3600, 86_400, 604_800  # seconds that keys live which nobody takes away
CALL = f"{__name__}.call_item"


def call_item(answers: str, function: str, index: int, item: Any, epoch: float) -> None:
    """The job of RQ: call the function with one item, and add what came of it to the list of answers."""
    job = get_current_job()
    assert job is not None
    try:
        call = function_from(function)
    except Exception as error:
        result: Any = Failure.of(None, error)
    else:
        result = perform(call, index, item, 0, epoch)
    pipeline = job.connection.pipeline(transaction=False)
    pipeline.rpush(answers, f"{job.worker_name}\n{result_text(result)}")
    pipeline.expire(answers, HOUR)  # the answer may come when nobody waits for it any more
    pipeline.execute()


def index_of(job_id: str) -> int:
    """The item that a job is about."""
    return int(job_id.rpartition("-")[2])


class CrewWorker(SimpleWorker):
    """A worker whose crew sees to signals, to deaths and to what was left behind."""

    desks: Any
    number: int
    ready: str

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        super().bootstrap(*arguments, **options)
        self.get_redis_server_version()  # type: ignore[no-untyped-call]
        self.connection.rpush(self.ready, self.name)

    def execute_job(self, job: Job, queue: Queue) -> None:
        self.desks[self.number] = index_of(job.id)
        super().execute_job(job, queue)
        self.desks[self.number] = NOTHING

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """No job is taken for abandoned because it takes long."""
        return DAY

    def _install_signal_handlers(self) -> None:
        """They are set before."""

    def subscribe(self) -> None:
        """Commands from elsewhere would take a thread."""

    def unsubscribe(self) -> None:
        """See subscribe."""

    def run_maintenance_tasks(self) -> None:
        """The crew looks for what was lost."""


def work(url: str, queue: str, name: str, ready: str, desks: Any, number: int) -> None:
    """The life of a worker process: job after job, until it is killed or Redis is gone."""
    settle_in()
    for logger in ("rq.worker", "rq.job"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)  # the crew says what went wrong
    connection = Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, retry=Retry(NoBackoff(), 0))
    try:
        worker = CrewWorker(
            [queue], name, connection=connection, serializer=JSONSerializer, log_job_description=False
        )
        worker.desks, worker.number, worker.ready = desks, number, ready
        worker.work(logging_level=None)
    except RedisError:
        sys.exit(1)
