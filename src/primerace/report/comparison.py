"""Two results side by side: contestant by contestant, and which facts of the machine differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from primerace.laps import BASELINE, Key
from primerace.results import RaceResult
from primerace.stats import Ratio, independent_ratio

UNREMARKABLE = {"measured"}  # facts that differ between any two results


class Row(NamedTuple):
    """One contestant in both results; the ratios are after against before, above 1 where it is slower now.

    `ratio` compares seconds, which were measured at different times. `relative` compares seconds divided by
    those of the sequential baseline in the same round, which takes the machine's own changes out; None
    where a result lacks that baseline.
    """

    key: Key
    before: float
    after: float
    ratio: Ratio
    relative: Ratio | None


@dataclass(frozen=True)
class Comparison:
    """What two results have in common, and what differs.

    Args:
        rows: the contestants that are sound in both.
        only_before: the contestants that are sound only in the first.
        only_after: the contestants that are sound only in the second.
        facts: what differs of machine and job, as pairs of before and after.
    """

    rows: Sequence[Row]
    only_before: Sequence[Key]
    only_after: Sequence[Key]
    facts: Mapping[str, tuple[Any, Any]]


def compare_results(before: RaceResult, after: RaceResult) -> Comparison:
    """Compare all laps of two results; who is disqualified in one of them does not count there."""
    left, right = _sound_laps(before), _sound_laps(after)
    return Comparison(
        rows=[_row(key, left, right) for key in left if key in right],
        only_before=[key for key in left if key not in right],
        only_after=[key for key in right if key not in left],
        facts={**_differing(before.machine, after.machine), **_differing(_task(before), _task(after))},
    )


Laps = Mapping[Key, Mapping[int, float]]  # seconds by contestant and round


def _sound_laps(result: RaceResult) -> Laps:
    sound = {entry.key for entry in result.entries if entry.disqualified is None}
    seconds: dict[Key, dict[int, float]] = {}
    for lap in result.laps:
        if lap.key in sound:
            seconds.setdefault(lap.key, {})[lap.round] = lap.seconds
    return seconds


def _row(key: Key, left: Laps, right: Laps) -> Row:
    before, after = list(left[key].values()), list(right[key].values())
    before_relative, after_relative = _relative(key, left), _relative(key, right)
    relative = (
        independent_ratio(after_relative, before_relative) if before_relative and after_relative else None
    )
    return Row(key, median(before), median(after), independent_ratio(after, before), relative)


def _relative(key: Key, laps: Laps) -> list[float]:
    """Seconds against the sequential baseline in the same round; empty for the baseline itself."""
    base = laps.get((BASELINE, key[1], 1), {})
    if key[0] == BASELINE:
        return []
    return [seconds / base[number] for number, seconds in laps[key].items() if number in base]


def _task(result: RaceResult) -> dict[str, Any]:
    return {f"job {key}": result.job[key] for key in ("name", "function", "items", "order")}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = [key for key in {**before, **after} if key not in UNREMARKABLE]
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def comparison_remarks(comparison: Comparison) -> Iterator[str]:
    """Who is in one result only, and which facts differ, a line each."""
    for place, keys in (("first", comparison.only_before), ("second", comparison.only_after)):
        for racer, kernel, workers in keys:
            name = racer if kernel is None else f"{racer}/{kernel}"
            yield f"only in the {place}: {name} with {workers}"
    for fact, (before, after) in comparison.facts.items():
        yield f"differs: {fact}: {before!r} -> {after!r}"[:300]
