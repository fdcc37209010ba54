"""Two results side by side: contestant by contestant, and which facts of the machine differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from primerace.laps import Key
from primerace.results import RaceResult
from primerace.stats import Ratio, paired_ratio

UNREMARKABLE = {"measured"}  # facts that differ between any two results


@dataclass(frozen=True)
class Comparison:
    """What two results have in common, and what differs.

    Args:
        rows: the contestants that are in both.
        only_before: the contestants that are only in the first.
        only_after: the contestants that are only in the second.
        facts: what differs of machine and job, as pairs of before and after.
    """

    class Row(NamedTuple):
        """One contestant in both results; the ratio is after against before, above 1 where it is slower."""

        key: Key
        before: float
        after: float
        ratio: Ratio

    rows: Sequence[Row]
    only_before: Sequence[Key]
    only_after: Sequence[Key]
    facts: Mapping[str, tuple[Any, Any]]


def compare_results(before: RaceResult, after: RaceResult) -> Comparison:
    """Compare the laps of two results.

    Laps are paired in the order of their rounds as far as both reach. They ran at different times, so that
    pairing cancels nothing here; the interval says what both results' own spread allows to say.
    """
    left, right = _seconds(before), _seconds(after)
    rows = []
    for key in left:
        if key in right:
            rounds = min(len(left[key]), len(right[key]))
            ratio = paired_ratio(right[key][:rounds], left[key][:rounds])
            rows.append(Comparison.Row(key, median(left[key]), median(right[key]), ratio))
    return Comparison(
        rows=rows,
        only_before=[key for key in left if key not in right],
        only_after=[key for key in right if key not in left],
        facts={**_differing(before.machine, after.machine), **_differing(_task(before), _task(after))},
    )


def _seconds(result: RaceResult) -> dict[Key, list[float]]:
    seconds: dict[Key, list[float]] = {}
    for lap in sorted(result.laps, key=lambda lap: lap.round):
        seconds.setdefault(lap.key, []).append(lap.seconds)
    return seconds


def _task(result: RaceResult) -> dict[str, Any]:
    return {f"job {key}": result.job[key] for key in ("name", "function", "items", "order")}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = [key for key in {**before, **after} if key not in UNREMARKABLE]
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}
