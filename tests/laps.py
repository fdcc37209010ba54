"""Laps and results made up for tests of what reads them."""

from primerace.laps import Lap
from primerace.racers import Outcome
from primerace.results import RaceResult
from primerace.summary import Summary

MACHINE = {
    "cpu": "made up",
    "cores": 2,
    "python": "3.11.7",
    "implementation": "CPython",
    "gil_enabled": True,
    "instruction_set": "scalar",
    "start_method": "fork",
}


def lap(
    number=0, racer="sequential", kernel="held", workers=1, seconds=1.0, walls=(1.0,), cpus=None, dispatch=0.0
):
    """A lap whose items took these wall and processor seconds."""
    outcomes = [
        Outcome(index, True, wall, cpu, 0, 0.0)
        for index, (wall, cpu) in enumerate(zip(walls, cpus or walls, strict=True))
    ]
    return Lap(number, racer, kernel, workers, seconds, 0.001, dispatch, None, outcomes)


def result(laps, items=1, kind=RaceResult, disqualified=None, seed=1):
    """The result of these laps, ranked as a race ranks them."""
    keys = list(dict.fromkeys(each.key for each in laps))
    summary = Summary(laps, disqualified or {}, range(items), seed)
    entries = sorted((summary.entry(key) for key in keys), key=lambda entry: entry.median_seconds or 1e9)
    job = {
        "name": "made up",
        "function": None,
        "items": list(range(items)),
        "expected": None,
        "order": "given",
        "sequence": list(range(items)),
        "seed": seed,
        "rounds": 1 + max(each.round for each in laps),
        "pickled_bytes": [14] * items,
    }
    return kind(MACHINE, job, laps, entries, summary.noise(), {})
