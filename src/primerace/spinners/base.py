"""What every spinner is: a concurrency model that animates a line while a call is in work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from primerace.spinners.line import Line
from primerace.spinners.work import Work


class SpinError(Exception):
    """Something that keeps a spinner or its work from coming to its end."""


@dataclass(frozen=True)
class Watched:
    """One call with a spinner beside it; all times are of `time.perf_counter`, which processes share.

    Args:
        answer: what the call returned.
        stamps: when each frame was drawn.
        begin: when the spinner was started, so that its first frame was due.
        started: when the call began.
        end: when the call was over.
    """

    answer: Any
    stamps: Sequence[float]
    begin: float
    started: float
    end: float


@dataclass(frozen=True)
class Model:
    """One concurrency model.

    Args:
        summary: what spins and what computes.
        busy: the kinds of work that make sense with it, the textbook's first.
        watch: makes the call with the spinner beside it.
        in_thread: whether the call runs in a thread of its own, which can't be stopped.
        unavailable: None, or the reason why it can't run here.
    """

    summary: str
    busy: Sequence[str]
    watch: Callable[[Line, Work], Watched]
    in_thread: bool = False
    unavailable: Callable[[], str | None] = lambda: None
