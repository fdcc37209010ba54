"""The GIL probe of a job: which item stands for all, and how often a short one is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from primerace.job import Job
from primerace.racers import Outcome

LONG = 1.0  # seconds of a call from which on a shorter one does as well
SHORT = 0.15  # seconds below which a call is repeated: the probe has to see it run for a while
ROW = 0.3  # seconds of a row of short calls
PATIENCE = 10.0  # seconds for all that is not a call: the process, its imports, the calibration
CALLS = 10  # times what the item took, for the calls themselves


@dataclass(frozen=True)
class Row:
    """Calls of a function with the same item, one after the other, as a worker makes them."""

    spec: str
    function: Any
    times: int

    def __call__(self, item: Any) -> None:
        for _ in range(self.times):
            self.function(item)


def probe(job: Job, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Probe the job's own function with one of its items; with a row of calls where one is short.

    Args:
        job: a job with a function of its own.
        outcomes: those of a sequential lap, which tell what the items cost.

    Returns:
        What `GilVerdict.to_json` gives, with the item and how often it was called; where there is no verdict,
        'inconclusive' with the reason.

    >>> job = Job.from_function("time:sleep", [0.2])
    >>> probe(job, [Outcome(0, None, 0.2, 0.0, 0, 0.0)])["verdict"] in ("releases", "not-applicable")
    True
    """
    from primerace.gil import ProbeError, probe_gil

    chosen = representative(outcomes)
    times = 1 if chosen.seconds >= SHORT else ceil(ROW / max(chosen.seconds, 1e-7))
    function: Any = job.function if times == 1 else Row(job.name, job.function, times)
    timeout = PATIENCE + CALLS * max(chosen.seconds, ROW)
    try:
        verdict = probe_gil(function, job.items[chosen.index], timeout=timeout).to_json()
    except ProbeError as error:
        verdict = {"function": job.name, "verdict": "inconclusive", "evidence": {"reason": str(error)}}
    return {**verdict, "item": chosen.index, "times": times}


def representative(outcomes: Sequence[Outcome]) -> Outcome:
    """The slowest item that does not take long, since a long call shows most; else the fastest of all."""
    by_seconds = sorted(outcomes, key=lambda outcome: outcome.seconds)
    return next((each for each in reversed(by_seconds) if each.seconds <= LONG), by_seconds[0])
