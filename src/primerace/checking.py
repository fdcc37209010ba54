"""Whether outcomes are what a job wants: each item answered once, rightly, and the same every time."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from primerace.answers import AnswerError, agree
from primerace.job import Job
from primerace.plain import shown
from primerace.racers import Outcome, RacerError


class Unrepeatable(RacerError):
    """A function that answers the same item differently, or changes its items or the answers it gave before.

    Later laps would have other work to do, and no answer of a racer could be called wrong.
    """


def find_fault(job: Job, outcomes: Sequence[Outcome], reference: Sequence[Any] | None) -> str | None:
    """Why these outcomes disqualify: an item lost or answered twice, or an answer unlike the reference.

    An answer that can't be compared with it is one too: on its way to the racer it may have lost a part.
    """
    answered = Counter(outcome.index for outcome in outcomes)
    for index in range(len(job.items)):
        times = answered[index]
        if times != 1:
            return f"{job.label(index)} was " + ("lost" if times == 0 else f"answered {times} times")
    if reference is None:
        return None
    for outcome in outcomes:
        expected = reference[outcome.index]
        try:
            agreed = agree(outcome.answer, expected, job.approx)
        except AnswerError as error:
            return f"{job.label(outcome.index)}: {error}"
        if not agreed:
            return f"{job.label(outcome.index)} was answered {shown(outcome.answer)}, not {shown(expected)}"
    return None


def check_repeats(job: Job, first: Sequence[Outcome], second: Sequence[Outcome]) -> None:
    """Compare two sequential laps.

    Raises:
        Unrepeatable: an item has two answers; the message names it and both.
        AnswerError: the answers can't be compared.
    """
    for once, again in zip(first, second, strict=True):
        if not agree(again.answer, once.answer, job.approx):
            answers = f"first {shown(once.answer)}, then {shown(again.answer)}"
            raise Unrepeatable(
                f"{job.name} is not repeatable: {job.label(once.index)} was answered {answers}; "
                "a race needs the same answer every time, exactly or within --approx"
            )
