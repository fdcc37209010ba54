"""What runs in Dask's workers: a batch of items at a time."""

import logging
import pickle
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from time import perf_counter
from typing import Any

from primerace.children import settle_in
from primerace.racers.base import Failure, Function, NumberedItem, Outcome, perform
from primerace.racers.batching import TARGET

_numbers = count()
_thread = threading.local()


@dataclass(frozen=True)
class Report:
    """What became of a batch; the items behind the last result were not begun.

    Args:
        worker: the name of the worker process in its cluster.
        thread: the number of its thread, from 0.
        results: as bytes.
        done: how many results.
        seconds: what they took all in all.
    """

    worker: Any
    thread: int
    results: bytes
    done: int
    seconds: float


def dask_setup(_: Any) -> None:
    """What a worker process of ours does first; Dask calls it by this name."""
    settle_in()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the crew says what went wrong


def work(run: str, function: bytes, batch: bytes, epoch: float) -> Report:
    """Work on a batch until it is done, or longer than a batch should take.

    Args:
        run: whose batch it is; a function lives as long as a run.
        function: pickled.
        batch: the jobs, pickled.
        epoch: when the lap began.
    """
    from distributed import get_worker

    begun = perf_counter()
    worker = get_worker()
    try:
        results = _results(_loaded(run, function), pickle.loads(batch), epoch)
    except Exception as error:
        results = [Failure.of(None, error)]
    parcel, thread = _pickled(results), _number() % worker.state.nthreads
    return Report(worker.name, thread, parcel, len(results), perf_counter() - begun)


def _results(function: Function, jobs: Sequence[NumberedItem], epoch: float) -> list[Outcome | Failure]:
    results: list[Outcome | Failure] = []
    end = perf_counter() + TARGET
    for index, item in jobs:
        results.append(perform(function, index, item, 0, epoch))
        if isinstance(results[-1], Failure) or perf_counter() > end:
            break
    return results


@lru_cache(8)
def _loaded(run: str, function: bytes) -> Function:
    found: Function = pickle.loads(function)
    return found


def _number() -> int:
    """The number of this thread in its process."""
    if not hasattr(_thread, "number"):
        _thread.number = next(_numbers)
    number: int = _thread.number
    return number


def _pickled(results: Sequence[Outcome | Failure]) -> bytes:
    """The results as bytes; an answer that can't be pickled becomes a failure."""
    try:
        return dumps(results)
    except Exception:
        return dumps([_sendable(result) for result in results])


def _sendable(result: Outcome | Failure) -> Outcome | Failure:
    try:
        dumps(result)
    except Exception as error:
        return Failure.of(result.index, error)
    return result


def dumps(value: Any) -> bytes:
    """Pickle as Dask does: what has no name that others can import goes as code.

    >>> pickle.loads(dumps(lambda n: n + 1))(6)
    7
    """
    from cloudpickle import dumps

    return bytes(dumps(value))
