r"""The line in the terminal on which the spinner turns: `\|/-` and a message, ten frames a second.

Where there is no terminal that can move its cursor, a frame is a dot, and nothing but text is written. Every
write goes straight to the file descriptor, whole: frames come from threads and from other processes too.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import TextIO

from primerace.heartbeat import until_next

FRAMES = r"\|/-"
INTERVAL = 0.1  # seconds from one frame to the next
HIDE, SHOW, CLEAR = "\x1b[?25l", "\x1b[?25h", "\r\x1b[K"  # the cursor, the line
PLAIN_COLUMNS = 80  # of a terminal that does not say how wide it is


@dataclass(frozen=True)
class Line:
    """Where the frames are drawn.

    Args:
        descriptor: the file that is written to.
        live: whether it is a terminal that can move its cursor.
        message: what stands beside the spinner; short enough for one line.
    """

    descriptor: int
    live: bool
    message: str

    @classmethod
    def on(cls, stream: TextIO, message: str) -> "Line":
        """A line at the end of what this stream shows."""
        descriptor = stream.fileno()
        live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        columns = os.get_terminal_size(descriptor).columns if live else 0
        return cls(
            descriptor, live, message[: (columns or PLAIN_COLUMNS) - len("| ") - 1] if live else message
        )

    @contextmanager
    def showing(self, spinner: object) -> Iterator[None]:
        """Show the spinner object, and the line until the block is left; then it is cleared."""
        self._write(f"spinner object: {spinner}\n")
        try:
            self._write(HIDE if self.live else f"{self.message} ")
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Clear the line and give the cursor back."""
        with suppress(OSError):
            self._write(CLEAR + SHOW if self.live else "\n")

    def animate(self, wait: Callable[[float], bool], stamps: list[float]) -> None:
        """Draw frame after frame.

        Args:
            wait: waits that many seconds, unless it is told before that this is the end; then it is True.
            stamps: takes the time of each frame.
        """
        for frame in count():
            self.draw(frame, stamps)
            if wait(self.until_next(stamps)):
                return

    def draw(self, frame: int, stamps: list[float]) -> None:
        """Draw one frame and note when; a reader that has left is found out elsewhere."""
        stamps.append(perf_counter())
        with suppress(OSError):
            self._write(f"\r{FRAMES[frame % len(FRAMES)]} {self.message}" if self.live else ".")

    def until_next(self, stamps: list[float]) -> float:
        """Seconds until the next frame is due."""
        return until_next(stamps[0], perf_counter(), INTERVAL)

    def _write(self, text: str) -> None:
        os.write(self.descriptor, text.encode())
