"""The spinner as a process: a pipe stops it, and waiting for the pipe is its clock.

Nearly what the thread is, but nothing is shared: the times of the frames come back through the pipe. The
work waits until the process is there, since its start is another question. An Event of multiprocessing
would hang its setter if the process that waits for it is killed.
"""

from multiprocessing.connection import Connection
from time import perf_counter

from primerace.children import context, exit_in_words, interrupts_held, settle_in
from primerace.spinners.base import SpinError, Watched
from primerace.spinners.line import Line
from primerace.spinners.work import Work


def watch(line: Line, work: Work) -> Watched:
    """Animate the line in a child process while this one is busy."""
    processes = context(None)
    ours, theirs = processes.Pipe()
    spinner = processes.Process(  # type: ignore[attr-defined]
        target=animate, args=(line, theirs), name="spinner", daemon=True
    )
    with line.showing(spinner), ours:
        with interrupts_held(processes):
            spinner.start()
        theirs.close()
        try:
            ours.recv()
            begin = perf_counter()
            ours.send(None)
            started = perf_counter()
            answer = work()
            end = perf_counter()
            ours.send(None)
            stamps = ours.recv()
        except (EOFError, OSError):
            spinner.join()
            raise SpinError(f"the spinner's process died ({exit_in_words(spinner.exitcode)})") from None
        finally:
            spinner.kill()
            spinner.join()
    return Watched(answer, stamps, begin, started, end)


def animate(line: Line, parent: Connection) -> None:
    """The life of the child: say that it is here, draw from one word of the parent to the next, tell when."""
    settle_in()
    stamps: list[float] = []
    parent.send(None)
    parent.recv()
    line.animate(parent.poll, stamps)
    parent.recv()
    parent.send(stamps)
