"""Calls beside a heartbeat: what the gaps between its beats were.

Where `primerace.heartbeat` watches a program at the pace of an animation, this one beats as often as a
thread can while it costs next to nothing, and knows of each gap how much of it the operating system caused.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from resource import RUSAGE_THREAD, getrusage
from threading import Thread, get_ident, get_native_id
from time import clock_gettime, perf_counter, pthread_getcpuclockid, sleep, thread_time

from primerace.gil.delay import RunDelay, in_seconds, wake_on_time

SHORTEST, LONGEST = 0.00002, 0.00038  # seconds of sleep between two beats, drawn at random
ASLEEP = 1  # voluntary switch of the heart from one beat to the next, where it finds the GIL free


@dataclass(frozen=True, slots=True)
class Gap:
    """The time from one beat to the next.

    Args:
        seconds: all of it.
        heart_wait: seconds that the heart waited for a core meanwhile.
        call_wait: seconds that the calling thread did.
        found_kept: whether the heart had to wait for the GIL when its sleep was over.
    """

    seconds: float
    heart_wait: float = 0.0
    call_wait: float = 0.0
    found_kept: bool = False

    def own(self, asking: bool) -> float:
        """The seconds that the operating system did not cause.

        Args:
            asking: whether the heart wakes up at each switch interval to ask for the GIL. Then it waits for a
                core while the call does, and the longer wait counts; otherwise one waits after the other.

        >>> Gap(1.0, 0.25, 0.5).own(asking=True), Gap(1.0, 0.25, 0.5).own(asking=False)
        (0.5, 0.25)
        """
        waited = max(self.heart_wait, self.call_wait) if asking else self.heart_wait + self.call_wait
        return max(0.0, self.seconds - waited)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Some calls in a row, and the heartbeat beside them.

    Args:
        calls: how many.
        wall_seconds: from the beginning of the first to the end of the last.
        thread_seconds: processor time of the calling thread meanwhile.
        gaps: the times without a beat, from the beginning to the end.
    """

    calls: int
    wall_seconds: float
    thread_seconds: float
    gaps: tuple[Gap, ...]

    def own(self, asking: bool) -> list[float]:
        """The seconds of each gap that the operating system did not cause; see `Gap.own`."""
        return [gap.own(asking) for gap in self.gaps]


def feel(call: Callable[[], object], interval: float, seconds: float) -> Pulse:
    """Call again and again for some seconds, once at least, beside a heartbeat.

    Args:
        call: what is called.
        interval: the switch interval of the interpreter meanwhile, in seconds.
        seconds: no call begins later than that.
    """
    with _switching_every(interval), Heart() as heart:
        calls = 0
        begin = perf_counter()
        busy = thread_time()
        while True:
            call()
            calls += 1
            end = perf_counter()
            if end - begin >= seconds:
                break
        busy = thread_time() - busy
    return Pulse(calls, end - begin, busy, tuple(heart.gaps(begin, end)))


@contextmanager
def _switching_every(interval: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat: when it was, and what the system had counted by then of both threads.

    A thread gives up its core of its own accord when it goes to sleep, and when it waits for the GIL: that is
    a voluntary switch.
    """

    stamp: float
    heart_wait: bytes
    call_wait: bytes
    call_busy: float
    heart_switches: int


class Heart:
    """A thread that beats while a block of code runs in this one, and for a moment before and after."""

    def __enter__(self) -> "Heart":
        self._beats: list[Beat] = []
        self._caller = get_native_id()
        self._busy = pthread_getcpuclockid(get_ident())
        self._stop = False
        self._thread = Thread(target=self._beat, name="heart", daemon=True)
        self._thread.start()
        while not self._beats:
            sleep(LONGEST)
        return self

    def __exit__(self, *_: object) -> None:
        last = perf_counter()
        while self._beats[-1].stamp <= last:
            sleep(LONGEST)
        self._stop = True
        self._thread.join()

    def _beat(self) -> None:
        wake_on_time()
        pause = Random().uniform
        with RunDelay(get_native_id()) as heart, RunDelay(self._caller) as call:
            while not self._stop:
                switches = getrusage(RUSAGE_THREAD).ru_nvcsw
                busy = clock_gettime(self._busy)
                self._beats.append(Beat(perf_counter(), heart.read(), call.read(), busy, switches))
                sleep(pause(SHORTEST, LONGEST))

    def gaps(self, begin: float, end: float) -> Iterator[Gap]:
        """The gaps between these times, for which a beat before and a beat after exist.

        The system counts a wait when it ends, which may be some beats after it began. So the call waited in a
        gap for no longer than it was not busy.
        """
        previous = begin
        for before, after in pairwise(self._beats):
            if after.stamp > begin:
                seconds = min(after.stamp, end) - previous
                heart_wait = in_seconds(after.heart_wait) - in_seconds(before.heart_wait)
                call_wait = in_seconds(after.call_wait) - in_seconds(before.call_wait)
                idle = max(0.0, seconds - (after.call_busy - before.call_busy))
                found_kept = after.heart_switches - before.heart_switches > ASLEEP
                yield Gap(seconds, min(heart_wait, seconds), min(call_wait, idle), found_kept)
                previous = after.stamp
            if after.stamp >= end:
                return
