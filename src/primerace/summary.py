"""From laps to entries: each contestant's median, speed-ups, schedule bound and explanation."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from primerace import schedule
from primerace.explanation import explain
from primerace.laps import AGAIN, BASELINE, Key, Lap, item_costs
from primerace.racers import RACERS
from primerace.results import Entry, Speedup
from primerace.stats import Ratio, paired_ratio, restlessness


class Summary:
    """All laps of a race, asked about one contestant at a time.

    Args:
        laps: every lap.
        disqualified: why a contestant does not count.
        order: the order in which the items are handed out, as indices into the job's items.
        seed: makes the intervals repeatable.
    """

    def __init__(
        self, laps: Sequence[Lap], disqualified: Mapping[Key, str], order: Sequence[int], seed: int
    ) -> None:
        self.disqualified = disqualified
        self.order = order
        self.seed = seed
        self._laps: dict[Key, dict[int, Lap]] = {}
        for lap in laps:
            self._laps.setdefault(lap.key, {})[lap.round] = lap

    def entry(self, key: Key) -> Entry:
        """What all laps of this contestant say together."""
        racer, kernel, workers = key
        laps = self.sound_laps(key)
        base = self.sound_laps((BASELINE, kernel, 1))
        costs = item_costs(base, self.order)
        divided = divides_items(racer)
        return Entry(
            racer=racer,
            kernel=kernel,
            workers=workers,
            laps=len(laps),
            median_seconds=median(lap.seconds for lap in laps) if laps else None,
            startup_seconds=median(lap.startup_seconds for lap in laps) if laps else None,
            dispatch_seconds=median(lap.dispatch_seconds for lap in laps) if laps else None,
            worker_bytes=_median(lap.worker_bytes for lap in laps),
            speedup=self.speedup(key, kernel),
            speedup_python=None if kernel is None else self.speedup(key, "python"),
            schedule_bound=schedule.bound(costs, workers) if base and not divided else None,
            explanation=None if divided else explain(base, laps, self.order),
            disqualified=self.disqualified.get(key),
            longest_gap_seconds=_median(lap.longest_gap_seconds for lap in laps),
            p99_gap_seconds=_median(lap.p99_gap_seconds for lap in laps),
        )

    def sound_laps(self, key: Key) -> list[Lap]:
        """The laps of this contestant; none where it is disqualified."""
        return [] if key in self.disqualified else list(self._laps.get(key, {}).values())

    def speedup(self, key: Key, kernel: str | None) -> Speedup | None:
        """Against the sequential racer with this kernel, or against its own twin in an A/A race."""
        racer, own_kernel, workers = key
        if racer.endswith(AGAIN) and kernel != own_kernel:
            return None
        if racer.endswith(AGAIN):
            base: Key = (racer.removesuffix(AGAIN), own_kernel, workers)
        else:
            base = (BASELINE, kernel, 1)
        ratio = self.ratio(base, key)
        name = base[0] if base[1] is None else f"{base[0]}/{base[1]}"
        return None if ratio is None else Speedup(ratio, name)

    def ratio(self, above: Key, below: Key) -> Ratio | None:
        """The seconds of one contestant over those of another, in the rounds that both ran."""
        left = {lap.round: lap for lap in self.sound_laps(above)}
        right = {lap.round: lap for lap in self.sound_laps(below)}
        both = sorted(left.keys() & right.keys())
        if not both:
            return None
        return paired_ratio([left[n].seconds for n in both], [right[n].seconds for n in both], self.seed)

    def noise(self) -> dict[str, float]:
        """How much each sequential baseline differs from itself between neighbouring rounds."""
        baselines = [key for key in self._laps if key[0] == BASELINE]
        return {
            BASELINE if kernel is None else f"{BASELINE}/{kernel}": restlessness(
                [lap.seconds for lap in self.sound_laps((racer, kernel, workers))]
            )
            for racer, kernel, workers in baselines
        }


def divides_items(racer: str) -> bool:
    """Whether its workers divide each item: then neither list scheduling nor its factors tell anything."""
    known = RACERS.get(racer.removesuffix(AGAIN))
    return known is not None and known.divides


def _median(values: Iterable[float | None]) -> float | None:
    """The median of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return median(known) if known else None
