"""What would change the advice: a bigger job, bigger items, more cores, another Python, a quiet machine."""

from collections.abc import Iterator
from math import inf
from typing import Any

from primerace import schedule
from primerace.advising.rule import Choice
from primerace.advising.sizing import Sample
from primerace.laps import BASELINE, item_costs
from primerace.report.findings import noisy
from primerace.report.rows import duration, number
from primerace.results import Entry, RaceResult
from primerace.scaling import break_even

MORE_CORES = (4, 8, 16, 32, 64)
NEARLY = 0.98  # of the highest bound: more cores than give that are not worth naming
MUCH = 0.1  # share of the time from which on a cost is worth a sentence


def outlook(result: RaceResult, sample: Sample, choice: Choice) -> list[str]:
    """Sentences, each about one change; only of what was measured or follows from it."""
    entries = {entry.racer: entry for entry in result.entries if entry.median_seconds is not None}
    single = entries.pop(BASELINE, None)
    if single is None or single.median_seconds is None:
        return []
    whole = single.median_seconds * sample.scale
    chosen = entries.get(choice.model or "")
    candidate = chosen or entries.get(_candidate(result))
    return [
        *(_about_noise(result) if choice.model == BASELINE else ()),
        *(_about_bigger_jobs(entries, single.median_seconds, whole, choice)),
        *(_about_start(chosen, sample) if chosen else ()),
        *(_about_handing_out(candidate) if candidate else ()),
        *(_about_cores(candidate, result, sample, whole) if candidate else ()),
        *_about_gil(result),
    ]


def _candidate(result: RaceResult) -> str:
    """The model that the GIL leaves a chance."""
    gil: dict[str, Any] = result.job.get("gil") or {}
    without = gil.get("verdict") == "not-applicable" and not gil["evidence"].get("gil_enabled")
    return "thread-pool" if without or gil.get("verdict") == "releases" else "process-pool"


def _about_noise(result: RaceResult) -> Iterator[str]:
    if noisy(result):
        yield "A quiet machine: on this restless one a small gain can't be shown."


def _about_bigger_jobs(
    entries: dict[str, Entry], single: float, whole: float, choice: Choice
) -> Iterator[str]:
    """From which size on the models pay that are faster once they run."""
    for name, entry in entries.items():
        if name == choice.model or entry.speedup is None or not entry.speedup.ratio.shows_gain:
            continue
        size = break_even(entry, single)
        if whole < size < inf:
            yield (
                f"A bigger job: {name} pays from about {duration(size)} of work on, start-up included; this "
                f"job has {duration(whole)}."
            )


def _about_start(chosen: Entry, sample: Sample) -> Iterator[str]:
    startup = chosen.startup_seconds or 0.0
    share = startup / (startup + (chosen.median_seconds or 0.0) * sample.scale)
    if share > MUCH:
        yield f"A pool that is kept for many jobs: its start is {share:.0%} of the time of this one."


def _about_handing_out(candidate: Entry) -> Iterator[str]:
    if candidate.median_seconds and candidate.dispatch_seconds:
        share = candidate.dispatch_seconds / candidate.median_seconds
        if share > MUCH:
            yield (
                f"Bigger items, or bigger chunks of them: handing out and collecting are {share:.0%} of the "
                f"time of {candidate.racer}."
            )


def _about_cores(candidate: Entry, result: RaceResult, sample: Sample, whole: float) -> Iterator[str]:
    """Amdahl's law with start-up and handing out as the serial part, and the schedule of these items."""
    laps = [lap for lap in result.laps if lap.racer == BASELINE]
    costs = item_costs(laps, result.job["sequence"]) * max(1, round(sample.scale))
    serial = (candidate.startup_seconds or 0.0) + (candidate.dispatch_seconds or 0.0) * sample.scale
    bounds = {
        cores: whole / (serial + whole / min(schedule.bound(costs, cores), _most_threads(candidate, result)))
        for cores in MORE_CORES
        if cores > result.machine["cores"]
    }
    if not bounds:
        return
    if max(bounds.values()) < 1 + MUCH:
        yield f"Not more cores: {candidate.racer} could not save a tenth of the time with any number of them."
        return
    enough = next(cores for cores, bound in bounds.items() if bound > NEARLY * max(bounds.values()))
    words = ", ".join(f"{number(bound)}x on {cores}" for cores, bound in bounds.items() if cores <= enough)
    limits = "start-up, handing out and uneven items set the limit"
    yield f"More cores: {candidate.racer} at most {words}; {limits}."


def _most_threads(candidate: Entry, result: RaceResult) -> float:
    """What the GIL allows threads."""
    gil: dict[str, Any] = result.job.get("gil") or {}
    if candidate.racer != "thread-pool" or gil.get("verdict") not in ("holds", "yields", "mixed"):
        return inf
    if gil["verdict"] != "mixed":
        return 1.0
    share: float = gil["evidence"]["at_long"]["share"]
    return 1 / max(1e-9, 1 - share)


def _about_gil(result: RaceResult) -> Iterator[str]:
    gil: dict[str, Any] = result.job.get("gil") or {}
    if result.machine["gil_enabled"] and gil.get("verdict") in ("holds", "yields", "mixed"):
        yield (
            "Free-threaded Python: without the GIL threads could run this in parallel, without pickling and "
            "without processes, if all that it imports supports that."
        )
