"""An event loop in a thread of its own: what all racers of asyncio share.

The caller may have a loop that is running, as every notebook has, and a thread can run only one. The thread
also leaves Ctrl-C to the caller, who waits at a queue and is free to act on it at once.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

from primerace.racers.base import RacerError

DONE = None

Put = Callable[[Any], None]


class LoopThread:
    """A running event loop.

    Args:
        racer: whose loop it is, for the thread's name and for errors.

    Raises:
        RacerError: no loop or no thread could be started.

    >>> async def two(put):
    ...     put(1)
    ...     await asyncio.sleep(0)
    ...     put(2)
    >>> loop = LoopThread("asyncio")
    >>> list(loop.stream(two))
    [1, 2]
    >>> loop.close()
    """

    def __init__(self, racer: str) -> None:
        try:
            self.loop = asyncio.new_event_loop()
        except OSError as error:
            raise RacerError(f"{racer}: an event loop could not be started: {error}") from error
        self._end = asyncio.Event()
        self._thread = Thread(target=self._live, name=f"{racer}-loop", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self.loop.close()
            raise RacerError(f"{racer}: a thread could not be started: {error}") from error

    def _live(self) -> None:
        """Run the loop until the end; the runner then cancels whatever is still going on, and closes it."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._end.wait())

    def stream(self, produce: Callable[[Put], Coroutine[Any, Any, None]]) -> Iterator[Any]:
        """Run this coroutine in the loop and yield what it puts, as it puts it; never None."""
        results: SimpleQueue[Any] = SimpleQueue()
        producing = asyncio.run_coroutine_threadsafe(produce(results.put), self.loop)
        producing.add_done_callback(lambda _: results.put(DONE))
        while (result := results.get()) is not DONE:
            yield result
        producing.result()

    def close(self) -> None:
        """Cancel what is going on and end the thread; what blocks the loop is waited for."""
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
