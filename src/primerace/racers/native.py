"""Threads of OpenMP over the memory of a NumPy array: one call for the whole job, and no Python in it.

This is what the other threads could reach if handing out cost nothing. In return only numbers that fit into
64 bits can run, only with the kernels written in C, and all answers arrive together when the call returns.

OpenMP keeps the threads of the thread that calls it for the next call. So each crew has a thread of its own
that calls: the caller stays free for Ctrl-C, and the threads end with their crew.

In a forked child these threads don't exist, and GCC's OpenMP waits for them for ever where the thread that
forked is the one that had called it. A crew's own thread never forks, but no runtime promises that this is
enough: a child forked after its parent used OpenMP is refused.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from importlib import import_module
from operator import index
from time import perf_counter
from types import ModuleType
from typing import Any

from primerace import kernels
from primerace.plain import shown
from primerace.racers.base import Crew, Function, Outcome, Racer, RacerError, do_nothing, perform
from primerace.racers.threads import ThreadCrew

BITS = 64  # of a number in memory
IN_C = {kernels.released: "released", kernels.fast: "fast", do_nothing: "nothing"}

GLANCE = 0.1  # seconds: CPython 3.13t may notice a signal only when a wait is over
WAITING = "OMP_WAIT_POLICY"
FORKED = "its parent used OpenMP before this process was forked; with forkserver or spawn it can run"

_entered_by: int | None = None  # the process that entered OpenMP; a forked child inherits its number


@cache
def _load() -> ModuleType:
    """The compiled module. OpenMP reads its settings when it is loaded, which is when this is first called.

    Its idle threads would spin for a while, and take cores from whoever has work, unless they are told to
    sleep; a setting of the user's own stands.
    """
    own = os.environ.get(WAITING)
    os.environ[WAITING] = own or "passive"
    try:
        return import_module("primerace._native")
    finally:
        if own is None:
            del os.environ[WAITING]


class Native(Racer):
    """Threads of OpenMP."""

    name = "native"
    summary = "OpenMP threads over a NumPy array, one call for all items"
    kernels = frozenset({"released", "fast"})

    def available(self) -> str | None:
        if _entered_by not in (None, os.getpid()):
            return FORKED
        try:
            openmp = _load().has_openmp()
        except ImportError as error:
            return f"OpenMP can't be loaded: {error}"
        return None if openmp else "built without OpenMP"

    def start(self, workers: int) -> Crew:
        reason = self.available()
        if reason is not None:
            raise RacerError(f"{self.name}: {reason}")
        return NativeCrew(self.name, workers)


class NativeCrew(Crew):
    def __init__(self, racer: str, workers: int) -> None:
        global _entered_by
        super().__init__(racer)
        # OpenMP ends the whole program where it can't have its threads; starting as many here raises instead.
        ThreadCrew(racer, workers).close()
        _entered_by = os.getpid()
        self._workers = workers
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=racer)
        self._call: Call | None = None
        try:
            self._check_team()
            self._perform(Call("nothing", [0] * workers))
        except BaseException:
            self.close()
            raise

    def _check_team(self) -> None:
        """Refuse to race with fewer threads than were asked for."""
        team = self._in_thread(_load().team, self._workers)
        if team < self._workers:
            few = f"OpenMP gives only {team} of {self._workers} threads"
            raise RacerError(f"{self.racer}: {few} (OMP_THREAD_LIMIT?)")

    def run(self, function: Function, items: Sequence[Any]) -> Iterator[Outcome]:
        epoch = perf_counter()
        if function not in IN_C:
            name = getattr(function, "__name__", function)
            raise RacerError(f"{self.racer}: only the kernels released and fast run natively, not {name}")
        numbers = [self._word(function, place, item, epoch) for place, item in enumerate(items)]
        yield from self._perform(Call(IN_C[function], numbers), epoch)

    def _word(self, function: Function, place: int, item: Any, epoch: float) -> int:
        """The item as an unsigned word; 0, which is not prime either, stands for every negative number."""
        try:
            number = index(item)
        except Exception:
            number = None
        if number is not None and number < 1 << BITS:
            return max(number, 0)
        if number is None or function is kernels.released:
            self.checked(perform(function, place, item, 0, epoch), [item] * (place + 1))
        raise RacerError(f"{self.racer}: item {place} ({shown(item)}) is no integer of at most {BITS} bits")

    def _perform(self, call: "Call", epoch: float = 0.0) -> list[Outcome]:
        self._call = call
        try:
            self._in_thread(call.perform, self._workers)
        except BaseException:
            call.give_up()
            raise
        if call.given_up:
            raise RacerError(f"{self.racer}: the run was given up")
        return call.outcomes(epoch)

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns in the thread of the crew."""
        try:
            future = self._executor.submit(function, *arguments)
            while not future.done():
                wait([future], GLANCE)
            return future.result()
        except RuntimeError as error:
            raise RacerError(f"{self.racer}: a thread could not be started: {error}") from error

    def close(self) -> None:
        """Give up what runs; a thread notices within some milliseconds."""
        if self._call is not None:
            self._call.give_up()
        self._executor.shutdown()


class Call:
    """The memory of one call: numbers in, answers and times out.

    Args:
        kernel: its name in `_native`.
        numbers: integers from 0 to 2**64 - 1.
    """

    def __init__(self, kernel: str, numbers: Sequence[int]) -> None:
        import numpy as np

        self.kernel = kernel
        self.numbers = np.array(numbers, np.uint64)
        self.answers = np.zeros(len(numbers), np.uint8)
        self.worker = np.zeros(len(numbers), np.int32)
        self.wall, self.cpu, self.started = np.zeros((3, len(numbers)))
        self.stop = np.zeros(1, np.uint8)
        self.begin = 0.0

    def perform(self, workers: int) -> None:
        """Run it to the end, in this thread and those of OpenMP."""
        run = _load().run
        self.begin = perf_counter()
        times = self.wall, self.cpu, self.started
        run(self.kernel, self.numbers, workers, self.stop, self.answers, *times, self.worker)

    def give_up(self) -> None:
        """Have the threads leave what is not done yet."""
        self.stop[0] = 1

    @property
    def given_up(self) -> bool:
        """Whether some numbers may have no answer."""
        return bool(self.stop[0])

    def outcomes(self, epoch: float) -> list[Outcome]:
        """What became of each number, in the order of completion."""
        silent = self.kernel == "nothing"
        answers = [None] * len(self.numbers) if silent else self.answers.astype(bool).tolist()
        started = (self.started + (self.begin - epoch)).tolist()
        columns = answers, self.wall.tolist(), self.cpu.tolist(), self.worker.tolist(), started
        order = (self.started + self.wall).argsort(kind="stable").tolist()
        rows = list(zip(*columns, strict=True))
        return [Outcome(place, *rows[place]) for place in order]
