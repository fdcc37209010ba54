"""What the trials of one task have shown so far."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from primerace.duel.task import Task
from primerace.duel.verdict import CONFIDENCE, is_alarm, judge
from primerace.stats import Ratio, paired_ratio

FEWEST_PAIRS = 10  # of fewer a 99% interval is hardly more than their whole range


@dataclass
class Score:
    """The pairs of one task, or why there are none.

    Args:
        task: what both sides do.
        pairs: the seconds of the work, (A's, B's).
        loops: how often a lap does the work.
        laps: how many laps a trial has.
        digest: stands for the answers, which are to be the same in each trial; None where they don't count.
        opaque: the types in them whose values can't be compared.
        pair_seconds: about how long a pair of trials takes with all that surrounds the work.
        missing: why there is no verdict: a side lacks something, as an older build may.
        failed: the same, where a side went wrong or the answers differ.
        settled: the interval is as narrow as it has to be.
    """

    task: Task
    pairs: list[tuple[float, float]] = field(default_factory=list)
    loops: int = 1
    laps: int = 1
    digest: str | None = None
    opaque: Sequence[str] = ()
    pair_seconds: float = 0.0
    missing: str | None = None
    failed: str | None = None
    settled: bool = False

    @property
    def compared(self) -> bool:
        """Whether the values of all answers are the same in each trial."""
        return self.digest is not None and not self.opaque

    @property
    def ratio(self) -> Ratio | None:
        """B's time as a multiple of A's, with its 99% interval; None where there are too few pairs."""
        if self.missing or self.failed or len(self.pairs) < FEWEST_PAIRS:
            return None
        before, after = zip(*self.pairs, strict=True)
        return paired_ratio(after, before, confidence=CONFIDENCE)

    @property
    def medians(self) -> tuple[float, float]:
        """A's and B's seconds."""
        a, b = zip(*self.pairs, strict=True)
        return median(a), median(b)

    def verdict(self, threshold: float) -> str | None:
        """One of four; None where there is no ratio."""
        return None if self.ratio is None else judge(self.ratio, threshold)

    def alarms(self, threshold: float) -> bool:
        """Whether something failed, or B is slower by more than the threshold."""
        return self.failed is not None or (self.ratio is not None and is_alarm(self.ratio, threshold))

    def to_json(self, threshold: float) -> Mapping[str, Any]:
        """All of it as JSON can hold it."""
        ratio = self.ratio
        return {
            **asdict(self.task),
            "loops": self.loops,
            "laps": self.laps,
            "compared": self.compared,
            "opaque": self.opaque,
            "pairs": self.pairs,
            "ratio": None if ratio is None else {"value": ratio.value, "low": ratio.low, "high": ratio.high},
            "verdict": self.verdict(threshold),
            "missing": self.missing,
            "failed": self.failed,
        }
