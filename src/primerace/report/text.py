"""A race's result as a table and a few sentences for the terminal."""

from collections.abc import Iterator

from rich import box
from rich.markup import escape
from rich.table import Table

from primerace.results import BASELINE, Entry, RaceResult, Speedup
from primerace.stats import FEWEST_ROUNDS

NONE = "–"


def race_table(result: RaceResult) -> Table:
    """The entries, the fastest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("racer")
    table.add_column("kernel")
    for heading in ("workers", "median", "vs sequential\n/python", "vs sequential\nsame kernel"):
        table.add_column(heading, justify="right")
    table.add_column("per\nworker", justify="right")
    table.add_column("start-up", justify="right")
    for entry in result.entries:
        if entry.median_seconds is not None:
            table.add_row(*_cells(entry))
    return table


def _cells(entry: Entry) -> Iterator[str]:
    yield entry.racer
    yield entry.kernel or NONE
    yield str(entry.workers)
    yield duration(entry.median_seconds)
    yield _times(entry.speedup_python)
    yield _times(entry.speedup)
    yield NONE if entry.efficiency is None else f"{entry.efficiency:.0%}"
    yield duration(entry.startup_seconds)


def duration(seconds: float | None) -> str:
    """Seconds to three digits in the unit that suits them.

    >>> duration(0.0123), duration(75.5), duration(None)
    ('12.3 ms', '1 min 16 s', '–')
    """
    if seconds is None:
        return NONE
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (59.5, 1.0, "s")):
        if seconds < limit:
            return (
                f"{seconds * factor:.3g} {unit}"
                if seconds * factor < 999.5
                else f"{seconds * factor:.0f} {unit}"
            )
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _times(speedup: Speedup | None) -> str:
    if speedup is None:
        return NONE
    ratio = speedup.ratio
    if ratio.low is None or ratio.high is None:
        return f"{number(ratio.value)}x"
    if ratio.low == ratio.high == 1:
        return "1x"
    return f"{number(ratio.value)}x [{number(ratio.low)}–{number(ratio.high)}]"


def number(value: float) -> str:
    """A ratio to three digits.

    >>> number(1.7834), number(24.61), number(132.4)
    ('1.78', '24.6', '132')
    """
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def notes(result: RaceResult) -> Iterator[str]:
    """What the reader has to know beside the table: who is out and why, and what the rounds allow to say."""
    for entry in result.entries:
        if entry.disqualified is not None:
            yield f"[red]disqualified[/red] {escape(entry.name)}: {escape(entry.disqualified)}"
    for name, reason in result.unavailable.items():
        yield f"[yellow]not here[/yellow] {escape(name)}: {escape(reason)}"
    if result.rounds < FEWEST_ROUNDS:
        yield f"No intervals and no findings below {FEWEST_ROUNDS} rounds."


def findings(result: RaceResult) -> Iterator[str]:
    """What the race shows: a sentence for each kernel and one for the winner, where intervals allow it."""
    if result.rounds < FEWEST_ROUNDS:
        return
    racing = [entry for entry in result.entries if entry.median_seconds is not None]
    for kernel in dict.fromkeys(entry.kernel for entry in racing):
        sentence = _about_kernel([entry for entry in racing if entry.kernel == kernel and entry.workers > 1])
        if sentence:
            yield sentence
    winner = next(
        (each for each in racing if each.speedup_python and each.speedup_python.ratio.shows_gain), None
    )
    if winner and winner.speedup_python:
        yield f"Fastest median: {winner.name}, {_times(winner.speedup_python)} against {BASELINE}/python."


def _about_kernel(entries: list[Entry]) -> str | None:
    judged = [(entry, entry.speedup.ratio) for entry in entries if entry.speedup]
    gains = [entry for entry, ratio in judged if ratio.shows_gain]
    losses = [entry for entry, ratio in judged if ratio.shows_loss]
    equal = [entry for entry, ratio in judged if not (ratio.shows_gain or ratio.shows_loss)]
    parts = []
    if gains:
        allowed = gains[0].schedule_bound
        limit = f", of {number(allowed)}x that this order of items allows" if allowed else ""
        parts.append(f"{_listed(gains)} on {gains[0].workers} workers{limit}")
    if equal:
        parts.append(f"no difference shown for {_listed(equal)}")
    if losses:
        parts.append(f"slower than one worker: {_listed(losses)}")
    if not parts:
        return None
    name = entries[0].kernel
    return f"{name}: {'; '.join(parts)}." if name else f"{'; '.join(parts)}."


def _listed(entries: list[Entry]) -> str:
    return ", ".join(f"{entry.racer} {_times(entry.speedup)}" for entry in entries)
