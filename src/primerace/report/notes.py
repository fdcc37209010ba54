"""What has to be known beside a table: who is out and why, and what rounds and machine allow to say."""

from collections.abc import Iterator
from typing import NamedTuple

from primerace.report.findings import noisy
from primerace.report.gil import gil_in_words
from primerace.results import RaceResult
from primerace.stats import FEWEST_ROUNDS


class Note(NamedTuple):
    """A remark: its kind, what it is about, and what is to be known; kind and subject may be empty."""

    kind: str
    subject: str
    words: str


def notes(result: RaceResult) -> Iterator[Note]:
    """The GIL, the disqualified, the racers that can't run here, restless baselines, too few rounds."""
    if result.job.get("gil"):
        yield Note("", "", gil_in_words(result.job["gil"]))
    for entry in result.entries:
        if entry.disqualified is not None:
            yield Note("disqualified", entry.name, entry.disqualified)
    for name, reason in result.unavailable.items():
        yield Note("not here", name, reason)
    for name, spread in noisy(result).items():
        words = (
            f"neighbouring laps of {name} differ by {spread:.0%}: "
            "this machine was not quiet, and differences below that name no winner"
        )
        yield Note("noisy", "", words)
    if 0 < result.rounds < FEWEST_ROUNDS:
        yield Note("", "", f"No intervals and no findings below {FEWEST_ROUNDS} rounds.")
