"""The advice as a whole: what was measured, what follows, and the code for it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from primerace import machine, probing
from primerace.advising.outlook import outlook
from primerace.advising.pickling import Pickling, weigh
from primerace.advising.rule import MODELS, Choice, choose
from primerace.advising.sizing import Sample, middle, take_sample
from primerace.advising.snippets import Plan, snippet
from primerace.job import Job
from primerace.laps import BASELINE
from primerace.lineup import line_up
from primerace.racing import Race
from primerace.results import RaceResult


@dataclass(frozen=True)
class Advice:
    """Which model to use for a function, and why.

    Args:
        function: its name.
        choice: the model, and how all of them stand.
        sample: the items that raced, of all that there are.
        pickling: what items and answers cost between processes.
        race: the race.
        outlook: what would change the choice.
        code: a script that does the whole job as advised; for the for loop where nothing is.
    """

    function: str
    choice: Choice
    sample: Sample
    pickling: Pickling
    race: RaceResult
    outlook: Sequence[str]
    code: str

    def to_json(self) -> dict[str, Any]:
        """What `primerace advise --json` writes: all but the laps."""
        low, high = middle(self.sample.seconds)
        return {
            "schema": "primerace-advice/1",
            "function": self.function,
            "model": self.choice.model,
            "level": list(self.choice.level),
            "standings": [asdict(standing) for standing in self.choice.standings],
            "rounds": self.race.rounds,
            "noise": dict(self.race.noise),
            "machine": dict(self.race.machine),
            "gil": self.race.job.get("gil"),
            "items": {
                "count": len(self.sample.whole.items),
                "measured": len(self.sample.indices),
                "chunk": self.sample.chunk,
                "mean_seconds": self.sample.mean_seconds,
                "median_seconds": median(self.sample.seconds),
                "tenth_seconds": low,
                "ninetieth_seconds": high,
            },
            "pickling": asdict(self.pickling),
            "entries": [entry.to_json() for entry in self.race.entries],
            "unavailable": dict(self.race.unavailable),
            "outlook": list(self.outlook),
            "code": self.code,
        }


class Advisor:
    """What leads to an advice, step by step, so that it can be watched.

    Args:
        job: a job with a function of its own.
        items: the file of its items or the name of their generator, for the code.
        seconds: about how long all of it may take.
        workers: of each model; None is the number of usable cores.
        start_method: how processes are started; None is Python's default.
    """

    sample: Sample
    contest: Race
    long_numbers: bool

    def __init__(
        self,
        job: Job,
        items: str,
        seconds: float = 20.0,
        workers: int | None = None,
        start_method: str | None = None,
    ) -> None:
        self.job = job
        self.items = items
        self.seconds = seconds
        self.workers = workers or machine.usable_cores()
        self.start_method = start_method
        self.function = job.to_json()["function"]
        self.field = line_up(job, list(MODELS), None, self.workers, start_method)

    def prepare(self) -> None:
        """Take the sample, make the race of it, and probe the GIL.

        Raises:
            RacerError: the function raised.
        """
        self.sample = take_sample(self.job, self.seconds, len(self.field.contestants), self.workers)
        self.long_numbers = any(map(_is_too_long, _seen(self.sample)))
        self.contest = Race(self.sample.job(), self.field)
        self.contest.gil = probing.probe(self.job, self.sample.outcomes)

    def advice(self) -> Advice:
        """What follows from the rounds that were run."""
        race = self.contest.result()
        sample = self.sample.raced([lap for lap in race.laps if lap.racer == BASELINE])
        choice = choose(race, sample.scale)
        plan = Plan(
            choice.model or BASELINE,
            self.function,
            self.items,
            self.workers,
            sample.chunk,
            self.start_method,
            self.long_numbers,
        )
        return Advice(
            self.function,
            choice,
            sample,
            weigh(sample),
            race,
            outlook(race, sample, choice),
            snippet(plan),
        )


def _seen(sample: Sample) -> Iterator[Any]:
    """The items that were called one by one, and their answers."""
    for outcome in sample.outcomes:
        yield sample.whole.items[outcome.index]
        yield outcome.answer


def _is_too_long(value: Any) -> bool:
    """Whether Python refuses to write this value, which it does where an integer has too many digits."""
    try:
        repr(value)
    except ValueError:
        return True
    except Exception:
        return False
    return False
