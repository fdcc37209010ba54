"""The race: rounds in which every contestant runs the job once, in a fresh random order.

Interleaving is what makes the comparison fair on a machine that is never quite quiet: whatever slows the
machine down for a while slows all contestants of that round, and ratios are taken within rounds.
"""

import pickle
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from primerace import machine, memory
from primerace.job import Job
from primerace.kernels import KERNELS
from primerace.laps import BASELINE, Key, Lap
from primerace.lineup import Contestant, LineUp, RaceError, known, line_up
from primerace.racers import Outcome, RacerError
from primerace.racers.sequential import Sequential
from primerace.results import RaceResult
from primerace.stats import FEWEST_ROUNDS
from primerace.summary import Summary

ORDERS = ("given", "longest-first")


def race(
    job: Job,
    racers: Sequence[str] | None = None,
    kernels: Sequence[str] | None = None,
    workers: int | None = None,
    rounds: int | None = None,
    seconds: float = 30.0,
    precision: float | None = None,
    seed: int | None = None,
    order: str = "given",
    start_method: str | None = None,
) -> RaceResult:
    """Race concurrency models on one job and return every lap and its summary.

    Args:
        job: what to run.
        racers: names of racers; None is all that are available.
        kernels: names of kernels; None is all. A job with a function of its own has none.
        workers: workers of each crew; None is the number of usable cores.
        rounds: exactly that many rounds; None is at least 6 and as many as fit in `seconds`.
        seconds: the time to fill with rounds, where `rounds` is None.
        precision: stop earlier, as soon as every interval reaches at most this far from its median,
            as a share of it (0.02 is 2%).
        seed: of the order within rounds and of the intervals; None draws one.
        order: how items are handed out, 'given' or 'longest-first'.
        start_method: 'fork', 'forkserver' or 'spawn'; None is Python's default.

    Returns:
        The result. Contestants that answered wrongly, lost an item or failed are in it, disqualified.

    Raises:
        RaceError: an unknown name, or nothing to race; the message lists what there is.

    >>> result = race(Job("tiny", [7, 9]), ["sequential"], ["python", "held"], rounds=1)
    >>> sorted(entry.name for entry in result.entries)
    ['sequential/held', 'sequential/python']
    """
    contest = Race(job, line_up(job, racers, kernels, workers, start_method), seed, order, start_method)
    contest.warm_up()
    for _ in contest.run(rounds, seconds, precision):
        pass
    return contest.result()


class Race:
    """A race that can be watched lap by lap, and whose result so far can be had at any time.

    Args:
        job: what to run.
        field: who races.
        seed: of the order within rounds and of the intervals; None draws one.
        order: how items are handed out, 'given' or 'longest-first'.
        start_method: the one that the contestants were made with, for the record.
    """

    def __init__(
        self,
        job: Job,
        field: LineUp,
        seed: int | None = None,
        order: str = "given",
        start_method: str | None = None,
    ) -> None:
        known("order", [order], ORDERS)
        if seed is not None and seed < 0:
            raise RaceError(f"the seed is a number from 0 on, not {seed}")
        self.job = job
        self.contestants = field.contestants
        self.unavailable = field.unavailable
        self.seed = random.randrange(2**32) if seed is None else seed
        self.order = order
        self.start_method = start_method
        self.laps: list[Lap] = []
        self.disqualified: dict[Key, str] = {}
        self.planned_rounds = 0
        self.sequence = list(range(len(job.items)))
        self._warm_up: dict[str | None, list[Outcome]] = {}
        self._begun = perf_counter()

    def resume(self, earlier: RaceResult) -> None:
        """Take over the laps and disqualifications of an interrupted run of this very race."""
        self.laps = list(earlier.laps)
        self.sequence = list(earlier.job["sequence"])
        self.disqualified = {
            (entry.racer, entry.kernel, entry.workers): entry.disqualified
            for entry in earlier.entries
            if entry.disqualified is not None
        }

    def warm_up(self) -> None:
        """Run the job once sequentially with each kernel: not counted, but it tells how long a lap takes.

        It also gives the answers to compare with where none are known, and the costs for longest-first.
        """
        self._begun = perf_counter()
        for kernel in dict.fromkeys(contestant.kernel for contestant in self.standing()):
            try:
                outcomes = list(Sequential().start(1).run(self._function(kernel), self.job.items))
            except RacerError as error:
                failed = [contestant.key for contestant in self.contestants if contestant.kernel == kernel]
                self.disqualified |= dict.fromkeys(failed, str(error))
            else:
                self._warm_up[kernel] = outcomes
        if self.order == "longest-first" and self._warm_up and not self.laps:
            slowest = max(self._warm_up.values(), key=_total)
            self.sequence.sort(key=lambda index: -slowest[index].seconds)

    def _function(self, kernel: str | None) -> Any:
        return self.job.function if kernel is None else KERNELS[kernel]

    def standing(self) -> list[Contestant]:
        """The contestants that are not disqualified."""
        return [contestant for contestant in self.contestants if contestant.key not in self.disqualified]

    def expected_seconds(self, rounds: int | None, seconds: float) -> float:
        """About how long the race takes by the warm-up, as if every contestant were as slow as one worker."""
        a_round = sum(_total(self._warm_up.get(each.kernel, ())) for each in self.standing())
        if rounds is not None:
            return a_round * rounds * (1 - len(self.laps) / (rounds * len(self.contestants)))
        return max(a_round * FEWEST_ROUNDS, seconds - (perf_counter() - self._begun))

    def run(
        self, rounds: int | None = None, seconds: float = 30.0, precision: float | None = None
    ) -> Iterator[Lap]:
        """Run the rounds and yield each lap when it is over; laps that were resumed are not run again.

        Args:
            rounds: exactly that many; None is at least 6 and as many as fit in `seconds` from the warm-up on.
            seconds: the time to fill, where `rounds` is None.
            precision: stop as soon as every interval is that narrow, where `rounds` is None.
        """
        if rounds is not None and rounds < 1:
            raise RaceError(f"at least 1 round is needed, not {rounds}")
        if precision is not None and precision <= 0:
            raise RaceError(f"the precision is a share above 0, such as 0.02, not {precision}")
        draw = random.Random(self.seed)
        run_before = {(lap.round, *lap.key) for lap in self.laps}
        self.planned_rounds = FEWEST_ROUNDS if rounds is None else rounds
        started = perf_counter()
        done = 0
        while done < self.planned_rounds and self.standing():
            for contestant in draw.sample(self.contestants, len(self.contestants)):
                if contestant.key in self.disqualified or (done, *contestant.key) in run_before:
                    continue
                lap = self._lap(done, contestant)
                if lap is not None:
                    self.laps.append(lap)
                    yield lap
            done += 1
            if rounds is None:
                a_round = (perf_counter() - started) / done
                left = seconds - (perf_counter() - self._begun)
                self.planned_rounds = max(FEWEST_ROUNDS, done + int(left / a_round))
                if precision is not None and done >= FEWEST_ROUNDS and self._is_precise(precision):
                    self.planned_rounds = done

    def _is_precise(self, precision: float) -> bool:
        """Whether every ratio of the table is; never where nobody races against another one."""
        summary = self._summary()
        reaches = [
            speedup.ratio.reach
            for contestant in self.standing()
            for kernel in {contestant.kernel, "python"}
            if contestant.key != (BASELINE, kernel, 1)
            and (speedup := summary.speedup(contestant.key, kernel)) is not None
        ]
        return bool(reaches) and max(reaches) <= precision

    def _lap(self, number: int, contestant: Contestant) -> Lap | None:
        """One lap; None where it disqualified the contestant."""
        items = [self.job.items[index] for index in self.sequence]
        function = self._function(contestant.kernel)
        try:
            begin = perf_counter()
            with contestant.racer.start(contestant.workers) as crew:
                started = perf_counter()
                outcomes = list(crew.run(function, items))
                ended = perf_counter()
                for _ in crew.run(do_nothing, items):
                    pass
                dispatched = perf_counter()
                worker_bytes = memory.bytes_per_worker(crew.pids())
        except RacerError as error:
            self.disqualified[contestant.key] = str(error)
            return None
        outcomes = [replace(outcome, index=self.sequence[outcome.index]) for outcome in outcomes]
        fault = find_fault(self.job, outcomes, self._reference())
        if fault is not None:
            self.disqualified[contestant.key] = fault
            return None
        seconds, startup, dispatch = ended - started, started - begin, dispatched - ended
        return Lap(number, *contestant.key, seconds, startup, dispatch, worker_bytes, outcomes)

    def _reference(self) -> Sequence[Any]:
        """The known answers, else those of the first kernel's warm-up."""
        if self.job.expected is not None:
            return self.job.expected
        return [outcome.answer for outcome in next(iter(self._warm_up.values()))]

    def result(self) -> RaceResult:
        """What is known by now, the fastest contestant first, those without a time last."""
        summary = self._summary()
        entries = [summary.entry(contestant.key) for contestant in self.contestants]
        entries.sort(key=lambda entry: (entry.median_seconds is None, entry.median_seconds or 0.0))
        return RaceResult(
            machine=machine.describe(self.start_method),
            job=self._job_record(),
            laps=self.laps,
            entries=entries,
            noise=summary.noise(),
            unavailable=self.unavailable,
        )

    def _summary(self) -> Summary:
        return Summary(self.laps, self.disqualified, self.sequence, self.seed)

    def _job_record(self) -> dict[str, Any]:
        return {
            "name": self.job.name,
            "function": self.job.function and _name_of(self.job.function),
            "items": list(self.job.items),
            "expected": None if self.job.expected is None else list(self.job.expected),
            "order": self.order,
            "sequence": self.sequence,
            "seed": self.seed,
            "rounds": self.planned_rounds,
            "pickled_bytes": _pickled_bytes(self.job.items),
        }


def _name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}:{name}" if name else repr(function)


def _pickled_bytes(items: Sequence[Any]) -> list[int] | None:
    """What each item weighs on its way to another process; None where one of them can't go there."""
    try:
        return [len(pickle.dumps(item)) for item in items]
    except Exception:
        return None


def do_nothing(item: Any) -> None:
    """The empty function that measures what handing out and collecting alone costs."""


def find_fault(job: Job, outcomes: Sequence[Outcome], reference: Sequence[Any] | None) -> str | None:
    """Why these outcomes disqualify: an item lost or answered twice, or an answer unlike the reference."""
    answered = Counter(outcome.index for outcome in outcomes)
    for index, item in enumerate(job.items):
        times = answered[index]
        if times != 1:
            return f"item {index} ({item!r}) was " + ("lost" if times == 0 else f"answered {times} times")
    if reference is None:
        return None
    for outcome in outcomes:
        expected = reference[outcome.index]
        if outcome.answer != expected:
            item = job.items[outcome.index]
            return f"item {outcome.index} ({item!r}) was answered {outcome.answer!r}, not {expected!r}"
    return None


def _total(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.seconds for outcome in outcomes)
