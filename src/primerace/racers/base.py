"""What every racer is: something that starts a crew of workers, which runs a job's items.

A racer is one concurrency model. Its crew is a context manager: leaving the block ends every worker,
whatever happened inside. `run` yields an Outcome as each item completes, in the order of completion.
"""

import os
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter, thread_time
from typing import Any, ClassVar, Self

from primerace import traces
from primerace.plain import shown
from primerace.racers.engines import Engines

Function = Callable[[Any], Any]
NumberedItem = tuple[int, Any]  # an item after its index in the job

NAMED = 10  # items that a message names
TRIES = 3  # of an item whose workers die
START_SECONDS = 60.0  # that workers may take until they are there, on a busy machine
OWN_ENGINES = Engines()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item's answer, and what it took.

    Args:
        index: the item's place in the job.
        answer: what the function returned.
        seconds: wall time of the call.
        cpu_seconds: processor time of the calling thread during the call; below `seconds` where it waited.
            Where workers divided the item, the time of all of them.
        worker: which worker ran it, from 0; where workers divided the item, the one that settled it.
        started: when the call began, in seconds since the lap began.
    """

    index: int
    answer: Any
    seconds: float
    cpu_seconds: float
    worker: int
    started: float

    def seen_here(self, worker: int, epoch: float) -> "Outcome":
        """What a worker of any machine has done, as the one of this number, in a lap that began at `epoch`.

        The clock of another machine tells nothing here: what it says is cut to the lap.
        """
        latest = perf_counter() - epoch - self.seconds
        return replace(self, worker=worker, started=max(0.0, min(self.started, latest)))


@dataclass(frozen=True, slots=True)
class Failure:
    """One item whose call raised: as text, since exceptions don't always survive a trip between processes.

    The index is None where the worker could not even load the function.
    """

    index: int | None
    error: str
    traceback: str

    @classmethod
    def of(cls, index: int | None, error: BaseException) -> "Failure":
        """The failure of item `index` through `error`."""
        return cls(index, traces.summary(error), "".join(traceback.format_exception(error)))


class RacerError(Exception):
    """Something that keeps a racer from finishing its job."""


class FunctionError(RacerError):
    """The function raised: the message names the exception and the item, a note holds the traceback."""

    def __init__(self, racer: str, index: int, item: Any, failure: Failure) -> None:
        super().__init__(f"{racer}: item {index} ({shown(item)}) raised {failure.error}")
        self.racer, self.index, self.item = racer, index, item
        self.add_note(failure.traceback)


class WorkerDied(RacerError):
    """A worker ended on its own: the message names the racer, the exit status and the items in flight."""

    def __init__(
        self, racer: str, worker: int | None, status: str, in_flight: Sequence[NumberedItem]
    ) -> None:
        flying = named(in_flight) or "none"
        who = "a worker" if worker is None else f"worker {worker}"
        super().__init__(f"{racer}: {who} died ({status}); items in flight: {flying}")
        self.racer, self.worker, self.status = racer, worker, status
        self.in_flight = [index for index, _ in in_flight]


def named(items: Iterable[NumberedItem]) -> str:
    """The first of these items, each an index and a value, as messages name them.

    >>> named([(3, 7), (4, 9)]), named(enumerate(range(12)))[-21:]
    ('item 3 (7), item 4 (9)', 'item 9 (9) and 2 more')
    """
    every = list(items)
    first = ", ".join(f"item {index} ({shown(item)})" for index, item in every[:NAMED])
    return first + (f" and {len(every) - NAMED} more" if len(every) > NAMED else "")


def not_done(items: Iterable[NumberedItem]) -> str:
    """The end of a message that says which items are not done; nothing where all are.

    >>> not_done([(3, 7), (4, 9)]), not_done([])
    ('; items not done: item 3 (7), item 4 (9)', '')
    """
    names = named(items)
    return names and f"; items not done: {names}"


_forks = 0  # between the first process and this one; to ask for the process id is a system call


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


def perform(
    function: Function,
    index: int,
    item: Any,
    worker: int,
    epoch: float,
    interruptible: bool = False,
) -> Outcome | Failure:
    """Call the function with one item; what it raises becomes a Failure, so that no worker dies of it.

    A function that forks comes back in two processes: the copy ends here, else it would run the race as well.
    Where it is interruptible, in the caller's own thread, Ctrl-C and SIGTERM are the caller's.
    """
    before = _forks
    started = perf_counter()
    cpu_started = thread_time()
    try:
        answer = function(item)
        cpu_seconds = thread_time() - cpu_started
        seconds = perf_counter() - started
    except BaseException as error:
        if interruptible and not traces.is_users(error):
            raise
        return Failure.of(index, error)
    finally:
        if _forks != before:
            os._exit(0)
    return Outcome(index, answer, seconds, cpu_seconds, worker, started - epoch)


def do_nothing(item: Any) -> None:
    """The empty function that measures what handing out and collecting alone costs."""


@dataclass(frozen=True)
class Introduction:
    """A function that is brought to a worker, which imports its module, and that is not called there."""

    function: Function

    def __call__(self, item: Any) -> None:
        pass

    def __repr__(self) -> str:
        return repr(getattr(self.function, "__qualname__", self.function))


class Crew(ABC):
    """A racer's started workers."""

    def __init__(self, racer: str) -> None:
        self.racer = racer
        self._idle = True  # else a run is on, or was given up

    @abstractmethod
    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        """Yield an outcome as each item completes.

        Raises:
            FunctionError: the function raised.
            WorkerDied: a worker ended before it was done.
            RacerError: the job can't be run by this racer at all, and nothing was started; or an answer
                can't be read. A crew of processes that gave up a run takes no other.
        """

    @abstractmethod
    def close(self) -> None:
        """End every worker; what is not finished by now is given up."""

    def pids(self) -> Sequence[int]:
        """The worker processes; none where the workers share the caller's process."""
        return ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_idle(self) -> None:
        if not self._idle:
            raise RacerError(f"{self.racer}: this crew gave up a run and can't take another")

    def checked(self, result: Outcome | Failure, items: Sequence[Any]) -> Outcome:
        """The outcome, or the error that the failure stands for."""
        if isinstance(result, Outcome):
            return result
        if result.index is None:
            raise RacerError(f"{self.racer}: a worker could not load the function: {result.error}")
        raise FunctionError(self.racer, result.index, items[result.index], result)


class Racer(ABC):
    """One concurrency model.

    Args:
        start_method: how processes are started, for the racers that start any; None is Python's default.
        engines: of the racers that hand the job to one.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    kernels: ClassVar[frozenset[str] | None] = None  # None: all of them
    single: ClassVar[bool] = False  # always exactly one worker
    divides: ClassVar[bool] = False  # all workers take part in each item: no schedule of whole items

    def __init__(self, start_method: str | None = None, engines: Engines = OWN_ENGINES) -> None:
        self.start_method = start_method
        self.engines = engines

    def available(self) -> str | None:
        """None, or the reason why this racer can't run here."""
        return None

    def for_kernel(self, kernel: str | None) -> "Racer":
        """This racer as it runs that kernel, where kernels are run in different ways."""
        return self

    @abstractmethod
    def start(self, workers: int) -> Crew:
        """Start warm workers.

        Raises:
            RacerError: they could not be started; none is left running.
        """
