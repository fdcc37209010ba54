"""The two tables of an explanation, as text: why each racer has its speed-up, and what it costs."""

from collections.abc import Iterator, Sequence
from math import inf

from primerace.laps import BASELINE, item_costs
from primerace.report import rows
from primerace.report.heading import counted
from primerace.report.rows import duration, timed
from primerace.results import Entry, RaceResult
from primerace.scaling import break_even, cost

FACTOR_COLUMNS = (
    "racer",
    "kernel",
    "speed-up =",
    "schedule x",
    "hardware x",
    "waiting x",
    "overhead",
    "rest",
)
COST_COLUMNS = (
    "racer",
    "kernel",
    "start-up",
    "dispatch\nper item",
    "memory\nper worker",
    "pickled\nper item",
    "pays from\na job of",
    "COST: beats one\nreleased thread",
    "COST: beats one\nfast thread",
)


def factor_rows(result: RaceResult) -> Iterator[Sequence[str]]:
    """Speed-up = schedule x hardware x waiting x overhead x rest, for each contestant."""
    for entry in timed(result.entries):
        if entry.workers == 1:
            continue
        part = entry.explanation
        if part is None:
            yield entry.racer, entry.kernel or rows.NONE, rows.why_unexplained(entry), *[rows.NONE] * 5
        else:
            factors = (part.schedule, part.hardware, part.waiting, part.overhead)
            rest = f"{part.unexplained - 1:+.1%}"
            yield (
                entry.racer,
                entry.kernel or rows.NONE,
                *map(rows.number, (part.speedup, *factors)),
                rest,
            )


def cost_rows(result: RaceResult) -> Iterator[Sequence[str]]:
    """What each racer costs, and what it takes to beat one thread or to pay at all."""
    pickled = result.job.get("pickled_bytes") or [0]
    for entry in timed(result.entries):
        if entry.racer == BASELINE:
            continue
        single = _baseline(result, entry.kernel)
        items = max(1, len(result.job["items"]))
        yield (
            entry.racer,
            entry.kernel or rows.NONE,
            duration(entry.startup_seconds),
            duration(None if entry.dispatch_seconds is None else entry.dispatch_seconds / items),
            rows.size(entry.worker_bytes),
            rows.size(sum(pickled) / len(pickled)) if entry.worker_bytes else rows.NONE,
            _pays_from(entry, single),
            *(_cost_in_words(result, entry, rival) for rival in ("released", "fast")),
        )


def _pays_from(entry: Entry, single: Entry | None) -> str:
    """A size only where the interval shows a gain at all, or there are too few rounds for one."""
    if single is None or single.median_seconds is None or entry.speedup is None:
        return rows.NONE
    ratio = entry.speedup.ratio
    if ratio.low is not None and not ratio.shows_gain:
        return "never" if ratio.shows_loss else "no gain shown"
    seconds = break_even(entry, single.median_seconds)
    return "never" if seconds == inf else duration(seconds)


def _baseline(result: RaceResult, kernel: str | None) -> Entry | None:
    keys = {(entry.racer, entry.kernel): entry for entry in timed(result.entries)}
    return keys.get((BASELINE, kernel))


def _cost_in_words(result: RaceResult, entry: Entry, rival: str) -> str:
    single, own = _baseline(result, rival), _baseline(result, entry.kernel)
    if single is None or single.median_seconds is None or own is None:
        return rows.NONE  # it did not race
    found = cost(entry, _costs_of(result, own), single.median_seconds, result.machine["cores"])
    if found.workers is None:
        return f"never ({found.reason})"
    mark = " (extrapolated)" if found.extrapolated else ""
    return f"{counted(found.workers, 'worker')}{mark}"


def _costs_of(result: RaceResult, single: Entry) -> list[float]:
    """The seconds of each item, which add up to the median lap: the medians of items add up to less."""
    laps = [lap for lap in result.laps if lap.key == single.key]
    costs = item_costs(laps, result.job["sequence"])
    stretch = (single.median_seconds or 0.0) / sum(costs) if sum(costs) else 1.0
    return [seconds * stretch for seconds in costs]
