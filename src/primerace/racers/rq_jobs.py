"""The jobs of a crew in RQ's queue: put there, looked for, and taken away.

A job is always in one place: in the queue, in the intermediate queue while a worker takes it, in the registry
of started jobs, or answered. Whatever is in none of them was lost, and can be put into the queue again.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rq import Queue, Worker
from rq.command import PUBSUB_CHANNEL_TEMPLATE
from rq.job import Job
from rq.serializers import JSONSerializer

from primerace.racers.base import Function
from primerace.racers.messages import function_text, item_text
from primerace.racers.rq_worker import CALL, DAY, WEEK, index_of

PORTION = 200  # jobs in one go
PORTION_BYTES = 1 << 22


class Jobs:
    """Those of one run.

    Args:
        racer: whose errors these are.
        client: of redis-py.
        queue: its name, which no other has.
        run: the how-manieth run of the crew.
        function: what is called.
        items: with what.
        epoch: when the run began.

    Raises:
        RacerError: the function or an item can't be sent.
    """

    def __init__(
        self,
        racer: str,
        client: Any,
        queue: str,
        run: int,
        function: Function,
        items: Sequence[Any],
        epoch: float,
    ) -> None:
        self.answers = f"{queue}:answers:{run}"
        self.undone = dict.fromkeys(range(len(items)), 0)  # item -> how often it was lost
        self.items = items
        self._client, self._epoch = client, epoch
        self._function = function_text(racer, function)
        self._sizes = [len(item_text(racer, index, item)) for index, item in enumerate(items)]
        self._queue = Queue(queue, connection=client, serializer=JSONSerializer)
        self._prefix = f"{queue.replace(':', '-')}-{run}"
        self._fed = 0
        self._doubtful: set[int] = set()

    def _id(self, index: int) -> str:
        return f"{self._prefix}-{index}"

    @property
    def to_feed(self) -> bool:
        """Whether there are items that were never in the queue."""
        return self._fed < len(self.items)

    def feed(self) -> None:
        """Put the next items into the queue."""
        end, size = self._fed, 0
        while end < len(self.items) and end - self._fed < PORTION and size < PORTION_BYTES:
            size += self._sizes[end]
            end += 1
        self.put(range(self._fed, end))
        self._fed = end

    def put(self, indexes: Iterable[int]) -> None:
        """Put these items into the queue."""
        jobs = [
            Queue.prepare_data(
                CALL,
                args=(self.answers, self._function, index, self.items[index], self._epoch),
                timeout=-1,
                result_ttl=0,
                failure_ttl=DAY,
                ttl=WEEK,
                description=f"item {index}",
                job_id=self._id(index),
            )
            for index in indexes
        ]
        pipeline = self._client.pipeline(transaction=False)
        self._queue.enqueue_many(jobs, pipeline=pipeline)
        pipeline.execute()

    def take_answers(self, seconds: float) -> list[str]:
        """All answers that are there, waiting up to so many seconds for the first; 0 is not to wait."""
        first = self._client.blpop([self.answers], seconds) if seconds else None
        if seconds and first is None:
            return []
        more = self._client.lpop(self.answers, PORTION) or []
        return [text.decode() for text in ([first[1]] if first else []) + more]

    def give_up(self, index: int) -> None:
        """Note that the worker which had this item is dead."""
        registry = self._queue.started_job_registry.key
        entries = [entry for entry in self._client.zrange(registry, 0, -1) if _index(entry) == index]
        if entries:
            self._client.zrem(registry, *entries)

    def elsewhere(self, in_hand: Collection[int]) -> set[str]:
        """The jobs that living workers have which are not the crew's own."""
        started = self._client.zrange(self._queue.started_job_registry.key, 0, -1)
        strangers = {_index(entry) for entry in started} - set(in_hand)
        return {self._id(index) for index in strangers - self._of_silent_workers(strangers)}

    def forget_workers(self) -> None:
        """Note that whatever was started or about to be started by any worker is lost."""
        self._client.delete(self._queue.started_job_registry.key, self._queue.intermediate_queue_key)

    def lost(self, in_hand: Collection[int]) -> list[int]:
        """The items that are nowhere, though they are not answered as far as we have read.

        An item that a worker seems to have taken before it died is lost when that is still so the next time.

        Args:
            in_hand: the items that the crew's own living workers have.
        """
        pipeline = self._client.pipeline()
        pipeline.lrange(self._queue.key, 0, -1)
        pipeline.lrange(self._queue.intermediate_queue_key, 0, -1)
        pipeline.zrangebyscore(self._queue.started_job_registry.key, time.time(), "+inf")
        queued, taken, started = ({_index(entry) for entry in each} for each in pipeline.execute())
        ours = set(in_hand)
        doubtful = (taken - started - ours) | self._of_silent_workers(started - ours)
        somewhere = queued | ours | (taken | started) - (doubtful & self._doubtful)
        self._doubtful = doubtful
        return [index for index in self.undone if index < self._fed and index not in somewhere]

    def _of_silent_workers(self, indexes: set[int]) -> set[int]:
        """Those whose worker does not listen to commands any more, as every living worker of RQ does."""
        silent = set()
        for index in indexes:
            worker = self._client.hget(Job.key_for(self._id(index)), "worker_name") or b""
            channel = PUBSUB_CHANNEL_TEMPLATE % worker.decode()
            if not dict(self._client.pubsub_numsub(channel)).get(channel.encode()):
                silent.add(index)
        return silent


def _index(entry: bytes) -> int:
    """The item of an entry, which is a job or a job and its execution."""
    return index_of(entry.decode().partition(":")[0])


def remove(client: Any, queue: str, workers: Iterable[str], spared: Collection[str] = ()) -> None:
    """Delete every key that bears the name of the queue, and what RQ's common sets know of it.

    Args:
        client: of redis-py.
        queue: its name, which no other has.
        workers: the names of the crew's own.
        spared: jobs that others have in hand, whose keys RQ deletes when they are done.
    """
    here = Queue(queue, connection=client)
    registry, token = here.started_job_registry.key, queue.rpartition(":")[2]
    found = [key.decode() for key in client.scan_iter(match=f"*{token}*", count=1000)]
    keys = [key for key in found if key != registry and set(spared).isdisjoint(key.split(":"))]
    for begin in range(0, len(keys), PORTION):
        client.unlink(*keys[begin : begin + PORTION])
    started = [entry.decode() for entry in client.zrange(registry, 0, -1)]
    over = [entry for entry in started if entry.partition(":")[0] not in spared]
    if over:
        client.zrem(registry, *over)
    client.srem(Queue.redis_queues_keys, here.key)
    names = [Worker.redis_worker_namespace_prefix + worker for worker in workers]
    if names:
        client.srem(Worker.redis_workers_keys, *names)
