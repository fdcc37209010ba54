"""The race: rounds in which every contestant runs the job once, in a fresh random order.

Interleaving is what makes the comparison fair on a machine that is never quite quiet: whatever slows the
machine down for a while slows all contestants of that round, and ratios are taken within rounds.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from time import perf_counter
from typing import Any

from primerace import machine, memory, probing
from primerace.checking import check_repeats, find_fault
from primerace.heartbeat import Heartbeat
from primerace.job import Job
from primerace.kernels import KERNELS
from primerace.laps import BASELINE, Key, Lap
from primerace.lineup import Contestant, LineUp, RaceError, known, line_up
from primerace.plain import plain
from primerace.racers import Outcome, RacerError
from primerace.racers.base import OWN_ENGINES, Crew, Introduction, do_nothing
from primerace.racers.engines import Engines
from primerace.racers.parcels import Travellers
from primerace.results import RaceResult
from primerace.solo import run_alone
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
    heartbeat: bool = False,
    engines: Engines = OWN_ENGINES,
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
        heartbeat: let a thread beat beside every crew, to see how long each freezes the program.
        engines: where the engines beyond this program are, and how they work.

    Returns:
        The result. Contestants that answered wrongly, lost an item or failed are in it, disqualified.

    Raises:
        RaceError: an unknown name, or nothing to race; the message lists what there is.
        RacerError: the job's own function raised, or does not repeat its answers, or changes its items.

    >>> result = race(Job("tiny", [7, 9]), ["sequential"], ["python", "held"], rounds=1)
    >>> sorted(entry.name for entry in result.entries)
    ['sequential/held', 'sequential/python']
    """
    field = line_up(job, racers, kernels, workers, start_method, engines=engines)
    contest = Race(job, field, seed, order, heartbeat)
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
        heartbeat: let a thread beat beside every crew, to see how long each freezes the program.
    """

    def __init__(
        self,
        job: Job,
        field: LineUp,
        seed: int | None = None,
        order: str = "given",
        heartbeat: bool = False,
    ) -> None:
        known("order", [order], ORDERS)
        if seed is not None and seed < 0:
            raise RaceError(f"the seed is a number from 0 on, not {seed}")
        self.job = job
        self.contestants = field.contestants
        self.unavailable = field.unavailable
        self.seed = random.randrange(2**32) if seed is None else seed
        self.order = order
        self.start_method = field.start_method
        self.engines = field.engines
        self.heartbeat = heartbeat
        self.laps: list[Lap] = []
        self.disqualified: dict[Key, str] = {}
        self.planned_rounds = 0
        self.sequence = list(range(len(job.items)))
        self.gil: dict[str, Any] | None = None
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

        It also gives the answers to compare with where none are known, and the costs for longest-first. A
        function of one's own runs twice, which shows whether it repeats its answers.

        Raises:
            RacerError: the job's own function raised, or answers the same item differently, or changes its
                items, or its answers can't be compared.
        """
        self._begun = perf_counter()
        if self.job.function is not None:
            first, second = self._alone(None), self._alone(None)
            check_repeats(self.job, first, second)
            self._warm_up[None] = second
        for kernel in dict.fromkeys(contestant.kernel for contestant in self.standing() if contestant.kernel):
            try:
                self._warm_up[kernel] = self._alone(kernel)
            except RacerError as error:
                failed = [contestant.key for contestant in self.contestants if contestant.kernel == kernel]
                self.disqualified |= dict.fromkeys(failed, str(error))
        if self.order == "longest-first" and self._warm_up and not self.laps:
            slowest = max(self._warm_up.values(), key=_total)
            self.sequence.sort(key=lambda index: -slowest[index].seconds)

    def probe_gil(self) -> None:
        """Find out what the job's own function does with the GIL, unless that is known already."""
        if self.job.function is not None and self.gil is None:
            self.gil = probing.probe(self.job, self._warm_up[None])

    def _alone(self, kernel: str | None) -> list[Outcome]:
        """The outcomes of one sequential lap, in the order of the items."""
        return list(run_alone(self.job.name, self._function(kernel), self.job.items))

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
        items = self._in_order()
        function = self._function(contestant.kernel)
        try:
            begin = perf_counter()
            with contestant.racer.start(contestant.workers) as crew:
                if self.job.function is not None:
                    _introduce(self.job.function, crew, contestant.workers)
                with Heartbeat() if self.heartbeat else nullcontext() as heart:
                    started = perf_counter()
                    outcomes = list(crew.run(function, items))
                    ended = perf_counter()
                for _ in crew.run(do_nothing, items):
                    pass
                dispatched = perf_counter()
                worker_bytes = memory.bytes_per_worker(crew.pids())
        except RacerError as error:
            self.disqualified[contestant.key] = str(error).removeprefix(f"{contestant.racer.name}: ")
            return None
        outcomes = [replace(outcome, index=self.sequence[outcome.index]) for outcome in outcomes]
        fault = find_fault(self.job, outcomes, self._reference())
        if fault is not None:
            self.disqualified[contestant.key] = fault
            return None
        outcomes = [replace(outcome, answer=plain(outcome.answer)) for outcome in outcomes]
        seconds, startup, dispatch = ended - started, started - begin, dispatched - ended
        rhythm = heart and heart.rhythm()
        gaps = (rhythm.longest_gap_seconds, rhythm.p99_gap_seconds) if rhythm else (None, None)
        return Lap(number, *contestant.key, seconds, startup, dispatch, worker_bytes, outcomes, *gaps)

    def _in_order(self) -> Sequence[Any]:
        """The items as they are handed out."""
        items = [self.job.items[index] for index in self.sequence]
        return items if self.job.pickled_bytes is None else Travellers(items)

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
            **self.job.to_json(),
            "order": self.order,
            "sequence": self.sequence,
            "seed": self.seed,
            "rounds": self.planned_rounds,
            "gil": self.gil,
            "engines": self.engines.to_json(),
        }


def _introduce(function: Any, crew: Crew, workers: int) -> None:
    """Let every worker import the module of the function, which is a part of its start.

    A quick worker may take what was meant for another one: then that one has as quick an import in its lap.
    """
    for _ in crew.run(Introduction(function), [None] * workers):
        pass


def _total(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.seconds for outcome in outcomes)
