"""The sweep: one race over many numbers of workers, interleaved like any race."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from primerace import machine
from primerace.job import Job
from primerace.laps import BASELINE, Lap
from primerace.lineup import RaceError, line_up
from primerace.racers.base import OWN_ENGINES
from primerace.racers.engines import Engines
from primerace.racing import Race
from primerace.results import RaceResult, SweepResult

DECISIVE = ("cpu", "cores", "python", "implementation", "gil_enabled", "instruction_set", "primerace")
SELDOM = 20  # times what saving takes is to pass between two saves


def sweep(
    job: Job,
    racers: Sequence[str],
    kernels: Sequence[str] = ("python",),
    workers: Sequence[int] = range(1, 21),
    rounds: int = 12,
    seed: int | None = None,
    order: str = "given",
    start_method: str | None = None,
    engines: Engines = OWN_ENGINES,
) -> SweepResult:
    """Run racers with several numbers of workers, and the sequential baseline of each kernel with them.

    Args:
        job: what to run.
        racers: names of racers.
        kernels: names of kernels.
        workers: the numbers of workers.
        rounds: how many rounds.
        seed: of the order within rounds and of the intervals; None draws one.
        order: how items are handed out, 'given' or 'longest-first'.
        start_method: 'fork', 'forkserver' or 'spawn'; None is Python's default.
        engines: where the engines beyond this program are, and how they work.

    Returns:
        The result, with an entry for every racer, kernel and number of workers.

    Raises:
        RaceError: an unknown name, or nothing to race; the message lists what there is.

    >>> result = sweep(Job("tiny", [7, 9]), ["threads"], ["held"], [1, 2], rounds=1)
    >>> [entry.workers for entry in result.curves()["threads", "held"]]
    [1, 2]
    """
    contest = prepare(job, racers, kernels, workers, seed, order, start_method, engines)
    contest.warm_up()
    for _ in contest.run(rounds):
        pass
    return swept(contest.result())


def prepare(
    job: Job,
    racers: Sequence[str],
    kernels: Sequence[str],
    workers: Sequence[int],
    seed: int | None = None,
    order: str = "given",
    start_method: str | None = None,
    engines: Engines = OWN_ENGINES,
) -> Race:
    """The race that a sweep is, ready to be watched; the arguments are those of `sweep`."""
    runners = list(dict.fromkeys([BASELINE, *racers]))
    field = line_up(job, runners, kernels, sorted(set(workers)), start_method, engines=engines)
    return Race(job, field, seed, order)


def prepare_again(earlier: RaceResult, places: Engines = OWN_ENGINES) -> Race:
    """The race of an interrupted sweep, with all that was measured.

    Args:
        earlier: what the interrupted sweep had saved.
        places: where running engines are, if not where they were; the saved URLs have no passwords.

    Raises:
        RaceError: it has not begun, or this is another machine or another Python, or a racer of the sweep
            can't run here.
    """
    if earlier.job["rounds"] < 1:
        raise RaceError("it was interrupted before its first round")
    here = machine.describe(earlier.machine["start_method"])
    differing = [
        f"{fact} was {earlier.machine.get(fact)!r} and is {here[fact]!r}"
        for fact in DECISIVE
        if earlier.machine.get(fact) != here[fact]
    ]
    if differing:
        raise RaceError(f"its laps can't be compared with laps from here: {'; '.join(differing)}")
    record = earlier.job
    expected = record["expected"]
    job = Job(record["name"], record["items"], expected)
    keys = [entry.key for entry in earlier.entries]
    contest = prepare(
        job,
        [racer for racer, _, _ in keys],
        list(dict.fromkeys(kernel for _, kernel, _ in keys if kernel is not None)),
        [workers for racer, _, workers in keys if racer != BASELINE] or [1],
        record["seed"],
        record["order"],
        earlier.machine["start_method"],
        Engines.from_json(record.get("engines") or {}).moved_to(places),
    )
    if {contestant.key for contestant in contest.contestants} != set(keys):
        raise RaceError("the contestants of this sweep are not those that can run here")
    contest.resume(earlier)
    return contest


def swept(result: RaceResult) -> SweepResult:
    """The same result as a sweep."""
    return SweepResult(**vars(result))


class Keeper:
    """Saves a sweep as it goes on, as often as saving stays cheap beside the laps.

    Args:
        contest: the sweep.
        path: where it is saved.
    """

    def __init__(self, contest: Race, path: str | Path) -> None:
        self.contest = contest
        self.path = path
        self._due = 0.0

    def after_lap(self, lap: Lap) -> None:
        """Save if it is time to. What keeps it from that is told by the last save, when the laps are over."""
        if perf_counter() >= self._due:
            with suppress(OSError):
                self.save()

    def save(self) -> None:
        """Save what has been measured by now; no file for nothing."""
        started = perf_counter()
        if self.contest.laps or (self.contest.planned_rounds and self.contest.disqualified):
            swept(self.contest.result()).save(self.path)
        ended = perf_counter()
        self._due = ended + SELDOM * (ended - started)
