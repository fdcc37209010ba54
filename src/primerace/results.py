"""What a race found: every raw lap, and the entries that summarise them; to and from JSON.

The schema "primerace/1" is read by others: keys may be added, none changes its meaning.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from primerace import schedule
from primerace.racers.base import Outcome
from primerace.stats import Ratio, paired_ratio

SCHEMA = "primerace/1"
BASELINE = "sequential"

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
        outcomes: what became of each item, in the order of completion.
    """

    round: int
    racer: str
    kernel: str | None
    workers: int
    seconds: float
    startup_seconds: float
    dispatch_seconds: float
    outcomes: Sequence[Outcome]

    @property
    def key(self) -> "Key":
        """Whose lap it is."""
        return self.racer, self.kernel, self.workers


@dataclass(frozen=True)
class Speedup:
    """How many times faster than a baseline, paired within rounds."""

    ratio: Ratio
    against: str

    def to_json(self) -> dict[str, Any] | None:
        """The schema's form: null where there are too few rounds for an interval."""
        if self.ratio.low is None:
            return None
        return {
            "value": self.ratio.value,
            "low": self.ratio.low,
            "high": self.ratio.high,
            "against": self.against,
        }


@dataclass(frozen=True)
class Entry:
    """What all laps of one contestant say together.

    `speedup` is against the sequential racer with the same kernel, `speedup_python` against the sequential
    racer with kernel python; either is None where that baseline did not race. `schedule_bound` is the
    speed-up that list scheduling allows for this order of the items. `disqualified` says why no time counts.
    """

    racer: str
    kernel: str | None
    workers: int
    laps: int
    median_seconds: float | None
    startup_seconds: float | None
    speedup: Speedup | None
    speedup_python: Speedup | None
    schedule_bound: float | None
    disqualified: str | None

    @property
    def name(self) -> str:
        """Racer and kernel in one word."""
        return self.racer if self.kernel is None else f"{self.racer}/{self.kernel}"

    @property
    def efficiency(self) -> float | None:
        """Speed-up per worker, against the same kernel run sequentially."""
        return None if self.speedup is None else self.speedup.ratio.value / self.workers

    def to_json(self) -> dict[str, Any]:
        """The schema's form."""
        return {
            "racer": self.racer,
            "kernel": self.kernel,
            "workers": self.workers,
            "laps": self.laps,
            "median_seconds": self.median_seconds,
            "startup_seconds": self.startup_seconds,
            "speedup": self.speedup and self.speedup.to_json(),
            "speedup_python": self.speedup_python and self.speedup_python.to_json(),
            "efficiency": self.efficiency,
            "schedule_bound": self.schedule_bound,
            "disqualified": self.disqualified,
        }


@dataclass(frozen=True)
class RaceResult:
    """A race: the machine, the job, every lap, and the entries from the fastest to the slowest.

    Args:
        machine: the facts of `primerace.machine.describe`.
        job: name, function, items, expected answers, order and seed of the race.
        laps: every lap, in the order in which they ran.
        entries: one for each contestant, disqualified ones last.
        unavailable: the racers that can't run here, with the reason.
    """

    machine: Mapping[str, Any]
    job: Mapping[str, Any]
    laps: Sequence[Lap]
    entries: Sequence[Entry]
    unavailable: Mapping[str, str] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        """How many rounds were begun."""
        return 1 + max((lap.round for lap in self.laps), default=-1)

    def to_json(self) -> dict[str, Any]:
        """The race in the schema primerace/1, as a dictionary."""
        return {
            "schema": SCHEMA,
            "kind": "race",
            "machine": dict(self.machine),
            "job": dict(self.job),
            "laps": [asdict(lap) for lap in self.laps],
            "entries": [entry.to_json() for entry in self.entries],
            "unavailable": [{"racer": name, "reason": why} for name, why in self.unavailable.items()],
        }

    def dumps(self) -> str:
        """The race in the schema primerace/1, as text."""
        return json.dumps(self.to_json(), indent=1, default=repr)


def summarize(
    laps: Sequence[Lap],
    contestants: Sequence[Key],
    disqualified: Mapping[Key, str],
    order: Sequence[int],
    seed: int,
) -> list[Entry]:
    """One entry for each contestant, the fastest first, disqualified ones last.

    Args:
        laps: every lap.
        contestants: the (racer, kernel, workers) that were to race.
        disqualified: why a contestant does not count.
        order: the order in which the items are handed out, as indices into the job's items.
        seed: makes the intervals repeatable.
    """
    by_contestant: dict[Key, dict[int, Lap]] = {key: {} for key in contestants}
    for lap in laps:
        by_contestant[lap.key][lap.round] = lap
    sound = {key: laps for key, laps in by_contestant.items() if laps and key not in disqualified}

    def speedup(key: Key, kernel: str | None) -> Speedup | None:
        base = sound.get((BASELINE, kernel, 1), {})
        both = sorted(sound[key].keys() & base.keys())
        if not both:
            return None
        ratio = paired_ratio([base[n].seconds for n in both], [sound[key][n].seconds for n in both], seed)
        return Speedup(ratio, BASELINE if kernel is None else f"{BASELINE}/{kernel}")

    def schedule_bound(kernel: str | None, workers: int) -> float | None:
        base = sound.get((BASELINE, kernel, 1))
        return None if base is None else schedule.bound(item_costs(list(base.values()), order), workers)

    def entry(key: Key) -> Entry:
        racer, kernel, workers = key
        mine = list(by_contestant[key].values())
        counts = key in sound
        return Entry(
            racer=racer,
            kernel=kernel,
            workers=workers,
            laps=len(mine),
            median_seconds=median(lap.seconds for lap in mine) if counts else None,
            startup_seconds=median(lap.startup_seconds for lap in mine) if counts else None,
            speedup=speedup(key, kernel) if counts else None,
            speedup_python=speedup(key, "python") if counts and kernel is not None else None,
            schedule_bound=schedule_bound(kernel, workers),
            disqualified=disqualified.get(key),
        )

    entries = [entry(key) for key in contestants]
    return sorted(entries, key=lambda entry: (entry.median_seconds is None, entry.median_seconds or 0.0))


def item_costs(laps: Sequence[Lap], order: Sequence[int]) -> list[float]:
    """The median seconds of each item over these laps, in the order in which items are handed out."""
    seconds: dict[int, list[float]] = {index: [] for index in order}
    for lap in laps:
        for outcome in lap.outcomes:
            seconds[outcome.index].append(outcome.seconds)
    return [median(values) for values in seconds.values() if values]
