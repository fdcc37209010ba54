"""One call with a spinner beside it: how smoothly it spun, and what the spinner cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from primerace import machine
from primerace.heartbeat import Rhythm
from primerace.spinners import MODELS
from primerace.spinners.line import INTERVAL, Line
from primerace.spinners.work import SLEEP, Work

FROZEN = 0.5  # share of the call: one gap that long, and it is a freeze
SHORTEST = 5  # frames due: with less, nobody can tell a freeze from the wait for the next frame


@dataclass(frozen=True)
class Spin:
    """What was seen.

    Args:
        model: the concurrency model.
        work: what kept it busy.
        answer: what the call returned; None for a sleep.
        rhythm: of the frames.
        busy_seconds: wall time of the call with the spinner beside it, hand-over included.
    """

    model: str
    work: Work
    answer: Any
    rhythm: Rhythm
    busy_seconds: float

    @property
    def frozen(self) -> bool | None:
        """Whether the spinner stood still for at least half of the call; None where that can't be told."""
        if self.rhythm.due < SHORTEST:
            return None
        return self.rhythm.longest_gap_seconds >= FROZEN * self.busy_seconds

    def to_json(self, alone: float) -> Mapping[str, Any]:
        """The form of `spin --json`.

        Args:
            alone: wall seconds of the same work without a spinner.
        """
        rhythm, sleeps = self.rhythm, self.work.busy == SLEEP
        return {
            "model": self.model,
            "busy": self.work.busy,
            "n": None if sleeps else self.work.argument,
            "seconds": self.work.argument if sleeps else None,
            "answer": self.answer,
            "frames_drawn": rhythm.beats,
            "frames_due": rhythm.due,
            "interval_seconds": INTERVAL,
            "median_gap_seconds": rhythm.median_gap_seconds,
            "p99_gap_seconds": rhythm.p99_gap_seconds,
            "longest_gap_seconds": rhythm.longest_gap_seconds,
            "busy_seconds": self.busy_seconds,
            "busy_seconds_alone": alone,
            "machine": machine.describe(),
        }


def observe(model: str, work: Work, line: Line) -> Spin:
    """Make the call with a spinner beside it.

    Args:
        model: a name of MODELS.
        work: what to do, of a kind that the model takes.
        line: where the spinner is drawn.

    Raises:
        SpinError: a process that takes part died.
    """
    seen = MODELS[model].watch(line, work)
    rhythm = Rhythm.of(seen.stamps, seen.begin, seen.end, INTERVAL)
    return Spin(model, work, seen.answer, rhythm, seen.end - seen.started)


def seconds_alone(work: Work) -> float:
    """Wall seconds of the same work in the main thread, with no spinner and no loop."""
    started = perf_counter()
    work()
    return perf_counter() - started
