"""The spinner as a task of an event loop, which is cancelled when the work is done.

One thread runs the task and whatever else is in the loop, by turns: the spinner turns only while the work
awaits something. Work that is handed to a thread, a process or another interpreter lets it.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from time import perf_counter
from types import FrameType
from typing import Any

from primerace import napping
from primerace.spinners.base import Watched
from primerace.spinners.line import Line
from primerace.spinners.work import SLEEP, Work

Await = Callable[[Work], Awaitable[Any]]


def watcher(do: Await) -> Callable[[Line, Work], Watched]:
    """What makes the call as `do` says, in a loop with the spinner."""

    def watch(line: Line, work: Work) -> Watched:
        with _interrupts_raised():
            return asyncio.run(_watch(line, work, do))

    return watch


@contextmanager
def _interrupts_raised() -> Iterator[None]:
    """Let Ctrl-C raise at once: asyncio would only cancel the task, which blocking work never notices."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _say_nothing(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Errors are raised; all that asyncio would tell here is that a signal raised one inside a task."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


async def _watch(line: Line, work: Work, do: Await) -> Watched:
    asyncio.get_running_loop().set_exception_handler(_say_nothing)
    stamps: list[float] = []
    spinner = asyncio.create_task(animate(line, stamps))
    with line.showing(spinner):
        async with _cancelled_at_the_end(spinner):
            begin = perf_counter()
            answer = await do(work)
            end = perf_counter()
    return Watched(answer, stamps, begin, begin, end)


@asynccontextmanager
async def _cancelled_at_the_end(spinner: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        spinner.cancel()
        with suppress(asyncio.CancelledError):
            await spinner


async def animate(line: Line, stamps: list[float]) -> None:
    """Draw frame after frame until it is cancelled."""
    for frame in count():
        line.draw(frame, stamps)
        await asyncio.sleep(line.until_next(stamps))


async def directly(work: Work) -> Any:
    """Sleep as a coroutine should; call a kernel, which awaits nothing and so blocks the loop."""
    return await asyncio.sleep(work.argument) if work.busy == SLEEP else work()


async def blocking(work: Work) -> Any:
    """The mistake: a blocking call in a coroutine."""
    return work()


async def with_naps(work: Work) -> bool:
    """Await the coroutine that gives the loop a turn every 50,000 divisions."""
    return await napping.is_prime(work.argument)


async def in_thread(work: Work) -> Any:
    """Hand the call to a thread."""
    return await asyncio.to_thread(work)
