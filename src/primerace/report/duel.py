"""A duel in the terminal: both sides, a line for each job, and what was found in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from primerace.duel.pairing import Duel
from primerace.duel.score import Score
from primerace.duel.verdict import FASTER, NOISY, SAME, SLOWER
from primerace.report.heading import counted
from primerace.report.rows import NONE, duration
from primerace.report.text import table
from primerace.stats import Ratio

COLUMNS = ("job", "verdict", "A", "B", "B / A", "pairs")


def print_duel(duel: Duel, console: Console) -> None:
    """The sides, the table, and a sentence for each job that is not as fast as before."""
    for letter, contender, facts in zip("AB", duel.contenders, duel.facts, strict=True):
        console.print(f"{letter}  {contender.label}: {side(facts)}", markup=False, emoji=False)
    if note := same_place(duel.facts):
        console.print(note, markup=False, emoji=False)
    console.print(table(COLUMNS, (row(score, duel.threshold) for score in duel.scores)))
    for sentence in sentences(duel):
        console.print(sentence, markup=False, emoji=False)


def side(facts: Mapping[str, Any]) -> str:
    """What a side is.

    >>> python = {"implementation": "CPython", "python": "3.14.0", "gil_enabled": False}
    >>> side({**python, "primerace": "0.1.0", "numpy": None})
    'CPython 3.14.0 without GIL, primerace 0.1.0'
    """
    gil = "" if facts["gil_enabled"] else " without GIL"
    packages = (("primerace", facts["primerace"]), ("NumPy", facts["numpy"]))
    words = [f"{facts['implementation']} {facts['python']}{gil}"]
    return ", ".join(words + [f"{name} {version}" for name, version in packages if version])


def same_place(facts: Sequence[Mapping[str, Any]]) -> str | None:
    """A warning where two Pythons import one and the same primerace, as PYTHONPATH makes them do."""
    a, b = facts
    if a["location"] is None or a["location"] != b["location"] or a["executable"] == b["executable"]:
        return None
    return f"both sides import primerace from {a['location']}: is that what was meant?"


def row(score: Score, threshold: float) -> tuple[str, ...]:
    """One line of the table."""
    ratio = score.ratio
    medians = [NONE, NONE] if ratio is None else list(map(duration, score.medians))
    return (
        score.task.name,
        "failed" if score.failed else "not here" if score.missing else score.verdict(threshold) or NONE,
        *medians,
        NONE if ratio is None else times(ratio),
        str(len(score.pairs)),
    )


def times(ratio: Ratio) -> str:
    """A ratio with its interval, to a tenth of a percent.

    >>> times(Ratio(1.0312, 1.0207, 1.0418))
    '1.031 [1.021–1.042]'
    """
    return f"{ratio.value:.3f} [{ratio.low:.3f}–{ratio.high:.3f}]"


def sentences(duel: Duel) -> Iterator[str]:
    """What was found; of many jobs only what differs, could not be told, or went wrong."""
    planned_pairs, _ = duel.planned
    more = "--seconds" if planned_pairs is None else "--pairs"
    single = len(duel.scores) == 1
    for score in duel.scores:
        verdict = score.verdict(duel.threshold)
        if reason := score.failed or score.missing:
            yield f"{score.task.name}: {reason}"
        elif score.ratio is not None and (single or verdict != SAME):
            yield f"{score.task.name}: {finding(score.ratio, verdict, duel.threshold, more)}"
        if score.opaque:
            types = ", ".join(score.opaque)
            yield f"{score.task.name}: answers of type {types} can't be compared, and were not"
    if not single:
        yield summary(duel)


def finding(ratio: Ratio, verdict: str | None, threshold: float, more: str = "--seconds") -> str:
    """A verdict with what supports it.

    Args:
        ratio: of B's time to A's.
        verdict: what it shows.
        threshold: by how large a share B has to be slower for that to matter.
        more: the option that makes the duel longer.

    >>> finding(Ratio(1.03, 1.02, 1.04), "slower", 0.02)
    'slower: B takes 3.0% more time than A [2.0% more to 4.0% more].'
    >>> finding(Ratio(1.0, 0.99, 1.01), "no difference shown", 0.02)
    'no difference shown: B takes between 1.0% less and 1.0% more time than A.'
    """
    if verdict in (SLOWER, FASTER):
        interval = f"[{share(ratio.low)} to {share(ratio.high)}]"
        sentence = f"{verdict}: B takes {share(ratio.value)} time than A {interval}."
        is_small = max(ratio.value, 1 / ratio.value) <= 1 + threshold
        return f"{sentence} That is within the threshold of {threshold:.1%}." if is_small else sentence
    sentence = f"{verdict}: B takes between {share(ratio.low)} and {share(ratio.high)} time than A"
    if verdict == NOISY:
        sentence += f". A difference that matters could hide in it: take more {more} or a quieter machine"
    return f"{sentence}."


def share(ratio: float | None) -> str:
    """How much more or less time that is.

    >>> share(1.031), share(0.95)
    ('3.1% more', '5.0% less')
    """
    assert ratio is not None
    return f"{abs(ratio - 1):.1%} {'more' if ratio >= 1 else 'less'}"


def summary(duel: Duel) -> str:
    """How many jobs have which verdict."""
    counts: dict[str, int] = {}
    for score in duel.scores:
        verdict = row(score, duel.threshold)[1]
        counts[verdict] = counts.get(verdict, 0) + 1
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    alarms = sum(score.alarms(duel.threshold) for score in duel.scores)
    what = f"failed or slower by more than {duel.threshold:.1%}"
    return f"{counted(len(duel.scores), 'job')}: {found}; {alarms} {what}"
