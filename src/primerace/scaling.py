"""How far it will go: laws of scaling fitted to a sweep, COST, and the smallest job that pays.

Amdahl's law (1967) has one parameter, the serial share s of the work:

    speed-up(w) = 1 / (s + (1 - s) / w)

The Universal Scalability Law (Gunther, Guerrilla Capacity Planning, 2007) has two, contention and
coherency, and can turn down again:

    speed-up(w) = w / (1 + contention (w - 1) + coherency w (w - 1))

COST is the number of workers that a parallel system needs before it beats a competent single thread
(McSherry, Isard, Murray, Scalability! But at what COST?, HotOS 2015).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from primerace.results import Entry
from primerace.schedule import bound, makespan

FITS_BELOW = 0.05  # root mean square of the relative residuals, above which a law does not fit
MOST_WORKERS = 1024  # how far COST looks
BEATS = 0.98  # of a rival's time; medians that are closer than that are level


@dataclass(frozen=True)
class Fit:
    """A law of scaling with the parameters that come closest to a sweep.

    Args:
        law: its name.
        parameters: their values by name.
        residual: root mean square of the relative differences between law and measurement.
    """

    law: str
    parameters: dict[str, float]
    residual: float

    @property
    def fits(self) -> bool:
        """Whether the law describes the measurement at all."""
        return self.residual <= FITS_BELOW


def amdahl(workers: Any, serial: float) -> Any:
    """The speed-up by Amdahl's law.

    >>> amdahl(2, 0.5)
    1.3333333333333333
    """
    return 1 / (serial + (1 - serial) / workers)


def usl(workers: Any, contention: float, coherency: float) -> Any:
    """The speed-up by the Universal Scalability Law.

    >>> usl(4, 0.0, 0.0), usl(4, 1.0, 0.0)
    (4.0, 1.0)
    """
    return workers / (1 + contention * (workers - 1) + coherency * workers * (workers - 1))


LAWS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "Amdahl": (amdahl, ("serial",)),
    "Universal Scalability Law": (usl, ("contention", "coherency")),
}


def fit(law: str, workers: Sequence[int], speedups: Sequence[float]) -> Fit:
    """Fit a law to measured speed-ups by least squares of the relative differences.

    Args:
        law: 'Amdahl' or 'Universal Scalability Law'.
        workers: the numbers of workers, more of them above 1 than the law has parameters (at 1 any law is 1).
        speedups: the speed-up over one worker of the same racer for each of them.

    Raises:
        ImportError: SciPy is not installed.

    >>> fit("Amdahl", [1, 2, 4], [1.0, 2 / 1.5, 4 / 2.5]).parameters["serial"]
    0.5
    """
    import numpy as np
    from scipy.optimize import curve_fit

    function, names = LAWS[law]
    measured = np.asarray(speedups, dtype=float)
    numbers = np.asarray(workers, dtype=float)
    start = [0.1] * len(names)
    values, _ = curve_fit(function, numbers, measured, start, sigma=measured, bounds=(0, [1.0] * len(names)))
    residuals = function(numbers, *values) / measured - 1
    parameters = {name: round(float(value), 6) for name, value in zip(names, values, strict=True)}
    return Fit(law, parameters, float(np.sqrt(np.mean(residuals**2))))


@dataclass(frozen=True)
class Cost:
    """How many workers beat one thread; None for never, with the reason."""

    workers: int | None
    extrapolated: bool
    reason: str


def cost(entry: Entry, costs: Sequence[float], rival_seconds: float, cores: int) -> Cost:
    """How many workers this racer needs to beat a single thread.

    A lap with other numbers of workers is modelled as the dispatch that was measured and the makespan of the
    schedule, stretched as much as in the laps that were measured. Where the workers take turns, as the GIL
    makes them do, a lap takes what one worker takes. Workers that divide each item, which the entry shows by
    having no schedule bound, share all costs evenly.

    Args:
        entry: what was measured of the racer.
        costs: the sequential seconds of each item with the same kernel, in the order of the race.
        rival_seconds: what the single thread takes for the whole job; beaten where 2% of it are saved.
        cores: how many cores this machine has; beyond them the answer is extrapolated.
    """
    if entry.median_seconds is None or entry.dispatch_seconds is None:
        return Cost(None, False, "not measured")
    dispatch = entry.dispatch_seconds
    rival_seconds *= BEATS
    if dispatch + sum(costs) < rival_seconds:
        return Cost(1, False, "one worker does")
    if entry.workers == 1:
        return Cost(None, False, "raced with one worker")
    if _takes_turns(entry, costs, cores):
        return Cost(None, False, "takes turns")
    divided = entry.schedule_bound is None
    spread = _evenly if divided else makespan
    most = MOST_WORKERS if divided else min(MOST_WORKERS, len(costs))
    ideal = spread(costs, min(entry.workers, cores))
    stretch = max(1.0, (entry.median_seconds - dispatch) / ideal) if ideal else 1.0
    for workers in range(2, most + 1):
        if dispatch + spread(costs, workers) * stretch < rival_seconds:
            return Cost(workers, workers > cores, "measured" if workers == entry.workers else "modelled")
    enough = dispatch + (0.0 if divided else max(costs)) * stretch < rival_seconds
    return Cost(None, False, _too_many(divided, enough))


def _too_many(divided: bool, enough: bool) -> str:
    """What stands in the way of even the most workers."""
    if enough:
        return f"more than {MOST_WORKERS}"
    return "handing out" if divided else "longest item"


def _evenly(costs: Sequence[float], workers: int) -> float:
    return sum(costs) / workers


def _takes_turns(entry: Entry, costs: Sequence[float], cores: int) -> bool:
    """Whether the speed-up that waiting leaves is nearer to 1 than to what these cores allow."""
    if entry.schedule_bound is None and entry.speedup is not None:
        return entry.speedup.ratio.value < (1 + min(entry.workers, cores)) / 2
    if entry.explanation is None:
        return False
    left = entry.explanation.waiting * bound(costs, entry.workers)
    return left < (1 + bound(costs, min(entry.workers, cores))) / 2


def break_even(entry: Entry, sequential_seconds: float) -> float:
    """The smallest job for which starting a crew pays: as many items as in this one, each as much shorter.

    Start-up and dispatch are paid whatever the items cost; what remains of a lap shrinks with them, and is at
    least what the schedule bound leaves.

    Args:
        entry: what was measured of the racer.
        sequential_seconds: what the sequential racer takes for this job with the same kernel.

    Returns:
        Seconds of sequential work; infinite where the racer never wins.
    """
    if entry.median_seconds is None or entry.startup_seconds is None or entry.dispatch_seconds is None:
        return inf
    share = max(
        (entry.median_seconds - entry.dispatch_seconds) / sequential_seconds,
        1 / (entry.schedule_bound or entry.workers),
    )
    return (entry.startup_seconds + entry.dispatch_seconds) / (1 - share) if share < 1 else inf
