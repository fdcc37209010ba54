"""What a race found: every raw lap, and the entries that summarise them; written as JSON.

The schema "primerace/1" is read by others: keys may be added, none changes its meaning.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from primerace.explanation import Explanation
from primerace.laps import BASELINE, Key, Lap
from primerace.stats import Ratio
from primerace.writing import write_whole

SCHEMA = "primerace/1"


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
    speed-up that list scheduling allows for this order of the items, `explanation` takes the speed-up apart.
    `dispatch_seconds` is what an empty function costs for all items, `worker_bytes` the memory of a worker
    process. `disqualified` says why no time counts. `longest_gap_seconds` and `p99_gap_seconds` are medians
    of what the heartbeat beside each lap found; None where none was asked for.
    """

    racer: str
    kernel: str | None
    workers: int
    laps: int
    median_seconds: float | None
    startup_seconds: float | None
    dispatch_seconds: float | None
    worker_bytes: float | None
    speedup: Speedup | None
    speedup_python: Speedup | None
    schedule_bound: float | None
    explanation: Explanation | None
    disqualified: str | None
    longest_gap_seconds: float | None = None
    p99_gap_seconds: float | None = None

    @property
    def key(self) -> Key:
        """What identifies the contestant among the laps."""
        return self.racer, self.kernel, self.workers

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
            "dispatch_seconds": self.dispatch_seconds,
            "worker_bytes": self.worker_bytes,
            "speedup": self.speedup and self.speedup.to_json(),
            "speedup_python": self.speedup_python and self.speedup_python.to_json(),
            "efficiency": self.efficiency,
            "schedule_bound": self.schedule_bound,
            "explanation": self.explanation and asdict(self.explanation),
            "disqualified": self.disqualified,
            "longest_gap_seconds": self.longest_gap_seconds,
            "p99_gap_seconds": self.p99_gap_seconds,
        }


@dataclass(frozen=True)
class RaceResult:
    """A race: the machine, the job, every lap, and the entries from the fastest to the slowest.

    Args:
        machine: the facts of `primerace.machine.describe`.
        job: name, function, items, expected answers, order and seed of the race.
        laps: every lap, in the order in which they ran.
        entries: one for each contestant, disqualified ones last.
        noise: how much each baseline differs from itself between neighbouring rounds, as a share.
        unavailable: the racers that can't run here, with the reason.
    """

    machine: Mapping[str, Any]
    job: Mapping[str, Any]
    laps: Sequence[Lap]
    entries: Sequence[Entry]
    noise: Mapping[str, float] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)

    kind: ClassVar[str] = "race"

    @property
    def rounds(self) -> int:
        """How many rounds were begun."""
        return 1 + max((lap.round for lap in self.laps), default=-1)

    def to_json(self) -> dict[str, Any]:
        """The result in the schema primerace/1, as a dictionary."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "machine": dict(self.machine),
            "job": dict(self.job),
            "laps": [asdict(lap) for lap in self.laps],
            "entries": [entry.to_json() for entry in self.entries],
            "noise": dict(self.noise),
            "unavailable": [{"racer": name, "reason": why} for name, why in self.unavailable.items()],
        }

    def dumps(self) -> str:
        """The result in the schema primerace/1, as text."""
        return json.dumps(self.to_json(), indent=1, default=repr)

    def save(self, path: str | Path) -> None:
        """Write the file anew, whole or not at all; a link keeps its target, a device or a pipe its place."""
        write_whole(path, (self.dumps() + "\n").encode())

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from primerace.report.notebook import fragment

        return fragment(self)


@dataclass(frozen=True)
class SweepResult(RaceResult):
    """A race over several numbers of workers."""

    kind: ClassVar[str] = "sweep"

    def curves(self) -> dict[tuple[str, str | None], list[Entry]]:
        """The entries of each racer and kernel by their number of workers, without the baselines."""
        curves: dict[tuple[str, str | None], list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: entry.workers):
            if entry.racer != BASELINE and entry.median_seconds is not None:
                curves.setdefault((entry.racer, entry.kernel), []).append(entry)
        return curves


class ResultError(ValueError):
    """A file that is no result of primerace; the message says why."""
