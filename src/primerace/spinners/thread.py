"""The spinner as a thread: an Event stops it, and waiting for the Event is its clock."""

from threading import Event, Thread
from time import perf_counter

from primerace.spinners.base import Watched
from primerace.spinners.line import Line
from primerace.spinners.work import Work


def watch(line: Line, work: Work) -> Watched:
    """Animate the line in a thread while the main thread is busy."""
    done = Event()
    stamps: list[float] = []
    spinner = Thread(target=line.animate, args=(done.wait, stamps), name="spinner", daemon=True)
    with line.showing(spinner):
        begin = perf_counter()
        spinner.start()
        started = perf_counter()
        try:
            answer = work()
        finally:
            end = perf_counter()
            done.set()
            spinner.join()
    return Watched(answer, stamps, begin, started, end)
