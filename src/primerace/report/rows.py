"""The cells of every table, as text: the same for the terminal, the page, notebooks and Markdown."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from primerace.results import Entry, RaceResult, Speedup
from primerace.stats import Ratio

Cell = TypeVar("Cell")

NONE = "–"
WORDS = ("racer", "kernel")  # columns of words, which come first

RACE_COLUMNS = (
    "racer",
    "kernel",
    "workers",
    "median",
    "vs sequential\n/python",
    "vs sequential,\nsame kernel",
    "per\nworker",
    "start-up",
)
OF_KERNELS = ("kernel", "vs sequential\n/python", "COST")  # how columns begin that need a kernel
HEARTBEAT_COLUMNS = ("longest\nfreeze", "p99\ngap")


def timed(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that have a time."""
    return [entry for entry in entries if entry.median_seconds is not None]


def race_row(entry: Entry) -> Sequence[str]:
    """The cells of one contestant."""
    return (
        entry.racer,
        entry.kernel or NONE,
        str(entry.workers),
        duration(entry.median_seconds),
        times(entry.speedup_python),
        times(entry.speedup),
        NONE if entry.efficiency is None else f"{entry.efficiency:.0%}",
        duration(entry.startup_seconds),
    )


def race_table(result: RaceResult) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The columns and the lines of all that have a time, with those of the heartbeat where one beat."""
    entries = timed(result.entries)
    if all(entry.longest_gap_seconds is None for entry in entries):
        return of_job(result, RACE_COLUMNS, map(race_row, entries))
    lines = [
        (*race_row(entry), duration(entry.longest_gap_seconds), duration(entry.p99_gap_seconds))
        for entry in entries
    ]
    return of_job(result, (*RACE_COLUMNS, *HEARTBEAT_COLUMNS), lines)


def race_values(result: RaceResult) -> Sequence[Sequence[str | float | None]]:
    """What the cells of a race say, unrounded, to sort by; those of the heartbeat are there in any case."""
    values = map(_values, timed(result.entries))
    return of_job(result, (*RACE_COLUMNS, *HEARTBEAT_COLUMNS), values)[1]


def of_job(
    result: RaceResult, columns: Sequence[str], lines: Iterable[Sequence[Cell]]
) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
    """The columns and lines that this job fills: a function of one's own has no kernels."""
    if result.job["function"] is None:
        return columns, list(lines)
    kept = [place for place, column in enumerate(columns) if not column.startswith(OF_KERNELS)]
    heads = [columns[place].removesuffix(",\nsame kernel") for place in kept]
    return heads, [[line[place] for place in kept] for line in lines]


def words(columns: Sequence[str]) -> int:
    """How many columns are words, which are left-aligned."""
    return sum(column in WORDS for column in columns)


def _values(entry: Entry) -> Sequence[str | float | None]:
    return (
        entry.racer,
        entry.kernel,
        entry.workers,
        entry.median_seconds,
        None if entry.speedup_python is None else entry.speedup_python.ratio.value,
        None if entry.speedup is None else entry.speedup.ratio.value,
        entry.efficiency,
        entry.startup_seconds,
        entry.longest_gap_seconds,
        entry.p99_gap_seconds,
    )


def duration(seconds: float | None) -> str:
    """Seconds to three digits in the unit that suits them.

    >>> duration(0.0123), duration(75.5), duration(None)
    ('12.3 ms', '1 min 16 s', '–')
    """
    if seconds is None:
        return NONE
    for limit, factor, unit in ((999.5e-6, 1e6, "µs"), (0.9995, 1e3, "ms"), (59.95, 1.0, "s")):
        if seconds < limit:
            return f"{seconds * factor:#.3g}".rstrip(".") + f" {unit}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def times(speedup: Speedup | None) -> str:
    """A speed-up with its interval."""
    return NONE if speedup is None else ratio(speedup.ratio)


def ratio(value: Ratio) -> str:
    """A ratio with its interval.

    >>> ratio(Ratio(1.784, 1.76, 1.803)), ratio(Ratio(24.61))
    ('1.78x [1.76–1.80]', '24.6x')
    """
    if value.low is None or value.high is None:
        return f"{number(value.value)}x"
    if value.low == value.high == 1:
        return "1x"
    return f"{number(value.value)}x [{number(value.low)}–{number(value.high)}]"


def number(value: float) -> str:
    """A ratio to three digits.

    >>> number(1.7834), number(24.61), number(132.4), number(0.00123)
    ('1.78', '24.6', '132', '0.0012')
    """
    if value < 0.0995:
        return f"{value:.2g}"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def size(count: float | None) -> str:
    """Bytes in the unit that suits them.

    >>> size(30_500_000), size(14.0)
    ('30.5 MB', '14 B')
    """
    if count is None:
        return NONE
    for limit, factor, unit in ((1e3, 1, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
        if count < limit:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1e9:.3g} GB"


def why_unexplained(entry: Entry) -> str:
    """Why an entry has no explanation."""
    divided = entry.speedup is not None and entry.schedule_bound is None
    return "workers divide each item" if divided else "too short to explain"
