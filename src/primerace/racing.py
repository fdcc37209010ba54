"""The race: rounds in which every contestant runs the job once, in a fresh random order.

Interleaving is what makes the comparison fair on a machine that is never quite quiet: whatever slows the
machine down for a while slows all contestants of that round, and ratios are taken within rounds.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from time import perf_counter
from typing import Any

from primerace import machine
from primerace.job import Job
from primerace.kernels import KERNELS
from primerace.racers import RACERS, Outcome, Racer, RacerError
from primerace.racers.sequential import Sequential
from primerace.results import Key, Lap, RaceResult, summarize
from primerace.stats import FEWEST_ROUNDS

ORDERS = ("given", "longest-first")


class RaceError(ValueError):
    """A race that can't be held as it was asked for."""


@dataclass(frozen=True)
class Contestant:
    """A racer with a kernel and a number of workers."""

    racer: Racer
    kernel: str | None
    workers: int

    @property
    def key(self) -> Key:
        """What identifies it among the laps."""
        return self.racer.name, self.kernel, self.workers


def race(
    job: Job,
    racers: Sequence[str] | None = None,
    kernels: Sequence[str] | None = None,
    workers: int | None = None,
    rounds: int | None = None,
    seconds: float = 30.0,
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
    contest = Race(job, racers, kernels, workers, seed, order, start_method)
    contest.warm_up()
    for _ in contest.run(rounds, seconds):
        pass
    return contest.result()


class Race:
    """A race that can be watched lap by lap, and whose result so far can be had at any time.

    Args: as for `race`.
    """

    def __init__(
        self,
        job: Job,
        racers: Sequence[str] | None = None,
        kernels: Sequence[str] | None = None,
        workers: int | None = None,
        seed: int | None = None,
        order: str = "given",
        start_method: str | None = None,
    ) -> None:
        known("order", [order], ORDERS)
        if workers is not None and workers < 1:
            raise RaceError(f"at least 1 worker is needed, not {workers}")
        self.job = job
        self.order = order
        self.start_method = start_method
        self.seed = random.randrange(2**32) if seed is None else seed
        self.workers = workers or machine.usable_cores()
        self.unavailable: dict[str, str] = {}
        self.contestants = list(self._line_up(racers, kernels))
        if not self.contestants:
            raise RaceError(self._why_nobody_races())
        self.laps: list[Lap] = []
        self.disqualified: dict[Key, str] = {}
        self.planned_rounds = 0
        self._begun = 0.0
        self._warm_up: dict[str | None, list[Outcome]] = {}
        self._sequence = list(range(len(job.items)))

    def _line_up(self, racers: Sequence[str] | None, kernels: Sequence[str] | None) -> Iterator[Contestant]:
        racers = known("racer", racers, RACERS)
        chosen: Sequence[str | None] = known("kernel", kernels, KERNELS)
        if self.job.function is not None:
            chosen = [None]
        for name in racers:
            racer = RACERS[name](self.start_method)
            reason = racer.available()
            if reason is not None:
                self.unavailable[name] = reason
                continue
            for kernel in chosen:
                if racer.kernels is None or kernel in racer.kernels:
                    yield Contestant(racer, kernel, 1 if racer.single else self.workers)

    def _why_nobody_races(self) -> str:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self.unavailable.items())
        return f"none of these racers can run here: {reasons}" if reasons else "no racer takes these kernels"

    def _function(self, kernel: str | None) -> Any:
        return self.job.function if kernel is None else KERNELS[kernel]

    def warm_up(self) -> None:
        """Run the job once sequentially with each kernel: not counted, but it tells how long a lap takes.

        It also gives the answers to compare with where none are known, and the costs for longest-first.
        """
        self._begun = perf_counter()
        for kernel in dict.fromkeys(contestant.kernel for contestant in self.contestants):
            try:
                outcomes = list(Sequential().start(1).run(self._function(kernel), self.job.items))
            except RacerError as error:
                for contestant in self.contestants:
                    if contestant.kernel == kernel:
                        self.disqualified[contestant.key] = str(error)
            else:
                self._warm_up[kernel] = outcomes
        if self.order == "longest-first" and self._warm_up:
            slowest = max(self._warm_up.values(), key=_total)
            self._sequence.sort(key=lambda index: -slowest[index].seconds)

    def expected_seconds(self, rounds: int | None, seconds: float) -> float:
        """How long the race takes at most, by the warm-up: no contestant should be slower than one worker."""
        a_round = sum(_total(self._warm_up.get(each.kernel, ())) for each in self._standing())
        fewest = a_round * (FEWEST_ROUNDS if rounds is None else rounds)
        return fewest if rounds is not None else max(fewest, seconds - (perf_counter() - self._begun))

    def _standing(self) -> list[Contestant]:
        return [contestant for contestant in self.contestants if contestant.key not in self.disqualified]

    def run(self, rounds: int | None = None, seconds: float = 30.0) -> Iterator[Lap]:
        """Run the rounds and yield each lap when it is over.

        Args:
            rounds: exactly that many; None is at least 6 and as many as fit in `seconds` from the warm-up on.
            seconds: the time to fill, where `rounds` is None.
        """
        shuffle = random.Random(self.seed).sample
        self.planned_rounds = FEWEST_ROUNDS if rounds is None else rounds
        started = perf_counter()
        done = 0
        while done < self.planned_rounds and self._standing():
            for contestant in shuffle(self._standing(), len(self._standing())):
                lap = self._lap(done, contestant)
                if lap is not None:
                    self.laps.append(lap)
                    yield lap
            done += 1
            if rounds is None:
                a_round = (perf_counter() - started) / done
                left = seconds - (perf_counter() - self._begun)
                self.planned_rounds = max(FEWEST_ROUNDS, done + int(left / a_round))

    def _lap(self, number: int, contestant: Contestant) -> Lap | None:
        """One lap; None where it disqualified the contestant."""
        items = [self.job.items[index] for index in self._sequence]
        function = self._function(contestant.kernel)
        try:
            begin = perf_counter()
            with contestant.racer.start(contestant.workers) as crew:
                started = perf_counter()
                outcomes = list(crew.run(function, items))
                ended = perf_counter()
                for _ in crew.run(do_nothing, items):
                    pass
                idled = perf_counter()
        except RacerError as error:
            self.disqualified[contestant.key] = str(error)
            return None
        outcomes = [replace(outcome, index=self._sequence[outcome.index]) for outcome in outcomes]
        fault = find_fault(self.job, outcomes, self._reference())
        if fault is not None:
            self.disqualified[contestant.key] = fault
            return None
        seconds, startup, dispatch = ended - started, started - begin, idled - ended
        return Lap(number, *contestant.key, seconds, startup, dispatch, outcomes)

    def _reference(self) -> Sequence[Any]:
        """The known answers, else those of the first kernel's warm-up."""
        if self.job.expected is not None:
            return self.job.expected
        return [outcome.answer for outcome in next(iter(self._warm_up.values()))]

    def result(self) -> RaceResult:
        """What is known by now."""
        function = self.job.function
        return RaceResult(
            machine=machine.describe(self.start_method),
            job={
                "name": self.job.name,
                "function": function and f"{function.__module__}:{function.__qualname__}",
                "items": list(self.job.items),
                "expected": None if self.job.expected is None else list(self.job.expected),
                "order": self.order,
                "seed": self.seed,
            },
            laps=self.laps,
            entries=summarize(
                self.laps,
                [contestant.key for contestant in self.contestants],
                self.disqualified,
                self._sequence,
                self.seed,
            ),
            unavailable=self.unavailable,
        )


def do_nothing(item: Any) -> None:
    """The empty function that measures what handing out and collecting alone costs."""


def known(what: str, names: Sequence[str] | None, table: Iterable[str]) -> list[str]:
    """These names without repeats, or all of the table where they are None.

    Raises:
        RaceError: one of them is not in the table; the message lists what is, and the nearest first.
    """
    everything = list(table)
    if names is None:
        return everything
    for name in names:
        if name not in everything:
            near = get_close_matches(name, everything, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RaceError(f"there is no {what} {name!r}; known are {', '.join(everything)}{hint}")
    return list(dict.fromkeys(names))


def find_fault(job: Job, outcomes: Sequence[Outcome], reference: Sequence[Any]) -> str | None:
    """Why these outcomes disqualify: an item lost or answered twice, or an answer that is wrong."""
    answered = Counter(outcome.index for outcome in outcomes)
    for index, item in enumerate(job.items):
        times = answered[index]
        if times != 1:
            return f"item {index} ({item!r}) was " + ("lost" if times == 0 else f"answered {times} times")
    for outcome in outcomes:
        expected = reference[outcome.index]
        if outcome.answer != expected:
            item = job.items[outcome.index]
            return f"item {outcome.index} ({item!r}) was answered {outcome.answer!r}, not {expected!r}"
    return None


def _total(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.seconds for outcome in outcomes)
