"""Results in the terminal: a table, what has to be known beside it, and what was found."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from primerace.report import heading, rows
from primerace.report.comparison import Comparison, comparison_remarks
from primerace.report.explained import COST_COLUMNS, FACTOR_COLUMNS, cost_rows, factor_rows
from primerace.report.exports import COMPARISON_COLUMNS, comparison_row
from primerace.report.findings import findings
from primerace.report.laws import laws
from primerace.report.notes import notes as plain_notes
from primerace.report.rows import duration
from primerace.results import Entry, RaceResult, SweepResult

BAR = 24  # characters of the longest bar of a sweep
COLOURS = {"disqualified": "red", "not here": "yellow", "noisy": "yellow"}  # of the kinds of notes


def print_race(result: RaceResult, console: Console, explain: bool = False) -> None:
    """The ranking, the notes and the findings of a race."""
    _print_heading(result, console)
    tables = [rows.race_table(result)]
    if explain:
        tables.append(rows.of_job(result, FACTOR_COLUMNS, factor_rows(result)))
        tables.append(rows.of_job(result, COST_COLUMNS, cost_rows(result)))
    for columns, lines in tables:
        console.print(table(columns, lines, rows.words(columns)))
    _print_notes_and_findings(result, console)


def _print_notes_and_findings(result: RaceResult, console: Console) -> None:
    for note in notes(result):
        console.print(note)
    for finding in findings(result):
        console.print(finding, markup=False)


def _print_heading(result: RaceResult, console: Console) -> None:
    console.print(
        f"{result.job['name']}, {heading.measured(result)}; {heading.machine(result.machine)}, "
        f"{heading.settings(result)}",
        markup=False,
    )


def table(columns: Sequence[str], lines: Iterable[Sequence[str]], texts: int = 2) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < texts else "right")
    for line in lines:
        table.add_row(*map(escape, line))
    return table


def notes(result: RaceResult) -> Iterator[str]:
    """The notes with the markup of rich."""
    for kind, subject, words in plain_notes(result):
        label = f"[{COLOURS[kind]}]{kind}[/{COLOURS[kind]}] " if kind else ""
        about = f"{subject}: " if subject else ""
        yield label + escape(about + words)


def print_sweep(result: SweepResult, console: Console) -> None:
    """A curve for each racer and kernel, with bars and the laws fitted to it, and what was found."""
    _print_heading(result, console)
    for (racer, kernel), curve in result.curves().items():
        console.print(f"\n{racer}/{kernel}" if kernel else f"\n{racer}", markup=False, style="bold")
        console.print(_curve(curve, result.machine["cores"]))
        for sentence in laws(curve):
            console.print(sentence, markup=False)
    _print_notes_and_findings(result, console)


def _curve(curve: Sequence[Entry], cores: int) -> Table:
    seconds = [entry.median_seconds or 0.0 for entry in curve]
    lowest, highest = min(seconds), max(seconds)

    def lines() -> Iterator[Sequence[str]]:
        for entry, median in zip(curve, seconds, strict=True):
            marks = ["lowest"] * (median == lowest) + ["usable cores"] * (entry.workers == cores)
            bar = "█" * max(1, round(BAR * median / highest))
            bound = rows.NONE if entry.schedule_bound is None else rows.number(entry.schedule_bound)
            yield (
                f"{entry.workers}",
                bar,
                duration(median),
                rows.times(entry.speedup),
                bound,
                ", ".join(marks),
            )

    return table(("workers", "", "median", "vs sequential", "schedule bound", ""), lines())


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The contestants of two results side by side, and which facts differ."""
    console.print(table(COMPARISON_COLUMNS, map(comparison_row, comparison.rows)))
    for remark in comparison_remarks(comparison):
        console.print(remark, markup=False)
