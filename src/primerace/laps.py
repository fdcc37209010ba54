"""A lap: one run of the job by one crew."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from primerace.racers.base import Outcome

BASELINE = "sequential"  # the racer that all others are compared with
AGAIN = " (again)"  # behind a racer's name: the same contestant once more, in an A/A race

Key = tuple[str, str | None, int]  # racer, kernel, workers


@dataclass(frozen=True)
class Lap:
    """One run of the job by one crew.

    Args:
        round: the round that it belongs to, from 0.
        racer: the racer's name.
        kernel: the kernel's name; None for a user's own function.
        workers: how many workers the crew had.
        seconds: wall time from the first item handed out to the last answer collected.
        startup_seconds: wall time to start the crew.
        dispatch_seconds: wall time of the same crew for the same items with a function that does nothing.
        worker_bytes: memory of each worker process (PSS: shared pages counted in part); None without any.
        outcomes: what became of each item, in the order of completion.
        longest_gap_seconds: longest time that a thread beside the crew could not run; None if not asked for.
        p99_gap_seconds: no more than 1% of the gaps between the beats of that thread are longer.
    """

    round: int
    racer: str
    kernel: str | None
    workers: int
    seconds: float
    startup_seconds: float
    dispatch_seconds: float
    worker_bytes: int | None
    outcomes: Sequence[Outcome]
    longest_gap_seconds: float | None = None
    p99_gap_seconds: float | None = None

    @property
    def key(self) -> Key:
        """Whose lap it is."""
        return self.racer, self.kernel, self.workers


def item_costs(laps: Sequence[Lap], order: Sequence[int]) -> list[float]:
    """The median seconds of each item over these laps, in the order in which items are handed out."""
    seconds: dict[int, list[float]] = {index: [] for index in order}
    for lap in laps:
        for outcome in lap.outcomes:
            seconds[outcome.index].append(outcome.seconds)
    return [median(values) for values in seconds.values() if values]
