"""Which model wins: one rule, with start-up counted, since a program has to start its workers too.

A model gains where the 95% interval of its speed-up over the for loop lies above 1, beyond what the for loop
differs from itself on a restless machine. Of those that gain, the one with the lowest median leads, and all
that are not shown to be slower than it are level with it. The simplest of these is advised. Where none
gains, it is the for loop; below six rounds there is no interval, and nothing is advised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from primerace.laps import BASELINE, Lap
from primerace.report.findings import noisy
from primerace.results import RaceResult
from primerace.stats import FEWEST_ROUNDS, Ratio, paired_ratio

# What is advised, the simplest first: racers, and what readers call them.
MODELS = {
    "sequential": "a for loop",
    "thread-pool": "a pool of threads (ThreadPoolExecutor)",
    "interpreters": "a pool of interpreters (InterpreterPoolExecutor)",
    "process-pool": "a pool of processes (ProcessPoolExecutor)",
    "joblib": "joblib (Parallel)",
}


@dataclass(frozen=True)
class Standing:
    """One model in the whole job, start-up included.

    Args:
        model: the racer's name.
        seconds: the median over the rounds.
        gain: how many times as fast as the for loop.
    """

    model: str
    seconds: float
    gain: Ratio


@dataclass(frozen=True)
class Choice:
    """What is advised.

    Args:
        model: the winner; None where there are too few rounds to name one.
        level: other models that gain and are not shown to be slower.
        standings: all models, the fastest first.
    """

    model: str | None
    level: Sequence[str]
    standings: Sequence[Standing]


def choose(result: RaceResult, scale: float = 1.0) -> Choice:
    """Apply the rule to a race.

    Args:
        result: the race of the models with one job.
        scale: how many times as much the whole job is.
    """
    totals: dict[str, dict[int, float]] = {}
    entries = {entry.key: entry for entry in result.entries if entry.disqualified is None}
    for lap in result.laps:
        if lap.key in entries:
            totals.setdefault(lap.racer, {})[lap.round] = total_seconds(lap, scale)
    if BASELINE not in totals:
        return Choice(None, (), ())
    seed = result.job["seed"]
    standings = [
        Standing(model, median(seconds.values()), _ratio(totals[BASELINE], seconds, seed))
        for model, seconds in totals.items()
        if totals[BASELINE].keys() & seconds.keys()
    ]
    standings.sort(key=lambda each: each.seconds)
    if len(totals[BASELINE]) < FEWEST_ROUNDS:
        return Choice(None, (), standings)
    margin = 1 + noisy(result).get(BASELINE, 0.0)
    winners = [each for each in standings if each.gain.shows_gain and each.gain.value > margin]
    if not winners:
        return Choice(BASELINE, (), standings)
    leader = totals[winners[0].model]
    level = [each.model for each in winners if not _is_slower(totals[each.model], leader, margin, seed)]
    simplest = min(level, key=list(MODELS).index)
    return Choice(simplest, [model for model in level if model != simplest], standings)


def total_seconds(lap: Lap, scale: float = 1.0) -> float:
    """What the whole job takes as fast as this lap, start-up included; a for loop has none."""
    return lap.seconds * scale + (0.0 if lap.racer == BASELINE else lap.startup_seconds)


def _ratio(above: dict[int, float], below: dict[int, float], seed: int) -> Ratio:
    both = sorted(above.keys() & below.keys())
    return paired_ratio([above[number] for number in both], [below[number] for number in both], seed)


def _is_slower(seconds: dict[int, float], leader: dict[int, float], margin: float, seed: int) -> bool:
    ratio = _ratio(seconds, leader, seed)
    return ratio.shows_gain and ratio.value > margin
