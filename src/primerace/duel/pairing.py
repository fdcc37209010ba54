"""Pairs of trials, in random order, until the interval of their ratio is as narrow as it has to be.

A trial is a fresh process: where its memory lies is drawn anew, and moves the time of a job by more than the
clock does. Within a trial the lap that was disturbed least counts, the minimum: what other programs do to a
lap only makes it longer (Chen and Revels, Robust benchmarking in noisy environments, 2016).
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from time import monotonic
from typing import Any

from primerace import machine
from primerace.duel.contender import Contender, DuelError
from primerace.duel.process import Side, Unavailable
from primerace.duel.score import FEWEST_PAIRS, Score
from primerace.duel.task import Task
from primerace.duel.verdict import THRESHOLD

LOOKS = (10, 15, 20, 30, 40, 60, 80, 120)  # pairs after which it is asked whether they are enough
LAP_SECONDS = 0.003  # short, so that some lap meets nobody else on its core
TRIAL_SECONDS = 0.03  # of all laps: rather more trials than longer ones
MOST_LAPS = 50
TIMEOUT = 60.0

Corner = tuple[Side, Side]


class Duel:
    """Two sides, and what both have to do.

    Args:
        a: the one that the other is compared with.
        b: the other.
        tasks: what they do; each task has trials and a verdict of its own.
        threshold: by how large a share B has to be slower for that to matter.
        seed: of the order of the trials; None draws one.
        timeout: seconds for one trial.
    """

    def __init__(
        self,
        a: Contender,
        b: Contender,
        tasks: Sequence[Task],
        threshold: float = THRESHOLD,
        seed: int | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.contenders = (a, b)
        self.threshold, self.timeout = threshold, timeout
        self.scores = [Score(task) for task in tasks]
        self.facts: tuple[dict[str, Any], ...] = ()
        self.seed = random.randrange(2**32) if seed is None else seed
        self.planned: tuple[int | None, float | None] = (None, None)
        self._random = random.Random(self.seed)

    def introduce(self) -> Iterator[Score]:
        """Learn what the sides are, compare their answers, and find how long laps have to be.

        Raises:
            DuelError: a side is no Python that runs, or has no primerace where one is needed.
        """
        with self._sides() as sides:
            self.facts = tuple(side.ask({"task": None, "preload": ()}, self.timeout) for side in sides)
        self._check_primerace()
        for score, sides in self._each(self.scores):
            with _noting(score):
                began = monotonic()
                answers = [side.ask(self._request(score, 0), self.timeout) for side in sides]
                self._compare(score, answers, monotonic() - began)
            yield score

    def expected_seconds(self, pairs: int | None, seconds: float) -> float:
        """About how long `run` takes with these arguments; at most that long where `pairs` is None."""
        fit = [score for score in self.scores if not (score.missing or score.failed)]
        needed = (pairs or FEWEST_PAIRS) * sum(score.pair_seconds for score in fit)
        return needed if pairs else max(needed, seconds * len(fit))

    def run(self, pairs: int | None = None, seconds: float = 30.0) -> Iterator[Score]:
        """Run pairs of trials, and yield after each the score that has grown.

        Args:
            pairs: exactly as many for each task; None: until each interval reaches no further than the
                threshold, as looked at after 10, 15, 20, 30 ... pairs.
            seconds: where pairs is None, how long it may take for each task, unless 10 pairs take longer.
        """
        self.planned = (pairs, None if pairs else seconds)
        deadline = monotonic() + seconds * len(self.scores)
        done = 0
        while done < pairs if pairs else done < FEWEST_PAIRS or monotonic() < deadline:
            active = [score for score in self.scores if not (score.missing or score.failed or score.settled)]
            if not active:
                break
            for score, sides in self._each(active):
                with _noting(score):
                    self._trial(score, sides)
                score.settled = pairs is None and self._is_enough(score)
                yield score
            done += 1

    def rematch(self, scores: Sequence[Score], seed: int | None = None) -> "Duel":
        """The same sides, introduced as they are, with no trials yet of the tasks of these scores."""
        duel = Duel(*self.contenders, [], self.threshold, seed, self.timeout)
        duel.facts = self.facts
        duel.scores = [replace(score, pairs=[], settled=False) for score in scores]
        return duel

    def to_json(self, interrupted: bool = False) -> dict[str, Any]:
        """Sides, machine, plan, every pair and every verdict, as docs/duel.schema.json describes them.

        Args:
            interrupted: there were to be more pairs.
        """
        a, b = (
            {"label": contender.label, **facts}
            for contender, facts in zip(self.contenders, self.facts, strict=True)
        )
        planned_pairs, planned_seconds = self.planned
        return {
            "schema": "primerace/1",
            "kind": "duel",
            "machine": machine.describe(),
            "a": a,
            "b": b,
            "threshold": self.threshold,
            "seed": self.seed,
            "planned_pairs": planned_pairs,
            "planned_seconds": planned_seconds,
            "timeout": self.timeout,
            "interrupted": interrupted,
            "tasks": [score.to_json(self.threshold) for score in self.scores],
        }

    def _check_primerace(self) -> None:
        if all(score.task.own for score in self.scores):
            return
        for contender, facts in zip(self.contenders, self.facts, strict=True):
            if facts["location"] is None:
                raise DuelError(
                    f"{contender.label}: primerace is not installed there; install it with "
                    f"{facts['executable']} -m pip, or name a --function of your own"
                )

    def _each(self, scores: Sequence[Score]) -> Iterator[tuple[Score, Corner]]:
        """These scores in random order with fresh sides, which tasks share that preload the same modules."""
        preloads = list(dict.fromkeys(score.task.preload for score in scores))
        for preload in self._random.sample(preloads, len(preloads)):
            group = [score for score in scores if score.task.preload == preload]
            with self._sides() as sides:
                for score in self._random.sample(group, len(group)):
                    yield score, sides

    @contextmanager
    def _sides(self) -> Iterator[Corner]:
        a, b = self.contenders
        with Side(a) as first, Side(b) as second:
            yield first, second

    def _request(self, score: Score, loops: int) -> dict[str, Any]:
        return {
            "task": asdict(score.task),
            "preload": score.task.preload,
            "loops": loops,
            "laps": score.laps,
            "lap_seconds": LAP_SECONDS,
        }

    def _compare(self, score: Score, answers: list[dict[str, Any]], took: float) -> None:
        a, b = answers
        if a["digest"] != b["digest"]:
            raise DuelError(self._difference(a["shown"], b["shown"]))
        score.digest = a["digest"]
        score.opaque = a["opaque"]  # B's are the same: the digest tells the types
        score.loops = max(a["loops"], b["loops"])
        if not score.task.once:
            lap = max(a["seconds"], b["seconds"]) * score.loops
            score.laps = max(1, min(MOST_LAPS, round(TRIAL_SECONDS / lap)))
        score.pair_seconds = took + sum(
            (score.laps - answer["laps"]) * answer["seconds"] * score.loops for answer in answers
        )

    def _difference(self, a: list[str] | None, b: list[str] | None) -> str:
        first, second = (contender.label for contender in self.contenders)
        if a is None or b is None:
            return f"{first} and {second} give different answers"
        if len(a) != len(b):
            return f"{first} gives {len(a)} answers, {second} {len(b)}"
        place = next(index for index, pair in enumerate(zip(a, b, strict=True)) if pair[0] != pair[1])
        return f"item {place}: {first} answers {a[place]}, {second} answers {b[place]}"

    def _trial(self, score: Score, sides: Corner) -> None:
        """One pair: both sides, in random order."""
        seconds = [0.0, 0.0]
        for place in self._random.sample((0, 1), 2):
            answer = sides[place].ask(self._request(score, score.loops), self.timeout)
            if answer["digest"] != score.digest:
                raise DuelError(f"{sides[place].contender.label} does not repeat its answers")
            seconds[place] = answer["seconds"]
        score.pairs.append((seconds[0], seconds[1]))

    def _is_enough(self, score: Score) -> bool:
        if len(score.pairs) not in LOOKS or score.ratio is None:
            return False
        return score.ratio.reach <= self.threshold


@contextmanager
def _noting(score: Score) -> Iterator[None]:
    """Note in the score why it ends here, so that other tasks go on."""
    try:
        yield
    except Unavailable as reason:
        score.missing = str(reason)
    except DuelError as error:
        score.failed = str(error)
