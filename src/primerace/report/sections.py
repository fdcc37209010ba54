"""What the page says about each result, ready for its templates: words, tables and charts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from primerace.report import heading, plot, reproduction, rows
from primerace.report.comparison import compare_results, comparison_remarks
from primerace.report.explained import COST_COLUMNS, FACTOR_COLUMNS, cost_rows, factor_rows
from primerace.report.exports import COMPARISON_COLUMNS, comparison_row
from primerace.report.findings import findings
from primerace.report.laws import laws
from primerace.report.notes import Note, notes
from primerace.results import RaceResult, SweepResult
from primerace.stats import FEWEST_ROUNDS

if TYPE_CHECKING:
    from primerace.report.charts.figure import Figure

MOST_SHOWN = 200  # characters of a fact


class Cell(NamedTuple):
    """What a cell shows, and what it is sorted by."""

    text: str
    value: str


@dataclass(frozen=True)
class Table:
    """A table of the page; the first `texts` columns are left-aligned."""

    columns: Sequence[str]
    lines: Sequence[Sequence[Cell]]
    sortable: bool
    sorted_by: str
    texts: int


@dataclass(frozen=True)
class Chart:
    """A figure: Vega-Lite specifications by their names, under one heading, and how to read them."""

    name: str
    title: str
    caption: str
    views: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Section:
    """All that the page says about one result."""

    id: str
    title: str
    source: str
    summary: str
    findings: Sequence[str]
    notes: Sequence[Note]
    charts: Sequence[Chart]
    ranking: Table
    has_intervals: bool
    laws: Sequence[str]
    factors: Table
    costs: Table
    facts: Mapping[str, str]
    command: str
    gaps: Sequence[str]


@dataclass(frozen=True)
class Compared:
    """Two results side by side."""

    before: str
    after: str
    table: Table
    remarks: Sequence[str]


def section(identity: str, source: str, result: RaceResult) -> Section:
    """All that the page says about this result.

    Args:
        identity: what links lead to.
        source: where the result comes from, such as a file.
        result: a race or a sweep.

    Raises:
        ImportError: Altair or vl-convert is not installed.
    """
    return Section(
        id=identity,
        title=f"{result.kind.capitalize()}: {result.job['name']}",
        source=source,
        summary=_summary(result),
        findings=list(findings(result)),
        notes=list(notes(result)),
        charts=[_chart(figure) for figure in plot.figures(result)],
        ranking=_table(*rows.race_table(result), rows.race_values(result)),
        has_intervals=result.rounds >= FEWEST_ROUNDS,
        laws=list(_laws(result)) if isinstance(result, SweepResult) else [],
        factors=_table(FACTOR_COLUMNS, [] if isinstance(result, SweepResult) else factor_rows(result)),
        costs=_table(COST_COLUMNS, [] if isinstance(result, SweepResult) else cost_rows(result)),
        facts={_spaced(name): _shown(value) for name, value in result.machine.items() if value is not None},
        command=reproduction.command(result),
        gaps=list(reproduction.gaps(result)),
    )


def _summary(result: RaceResult) -> str:
    contestants = heading.counted(len(result.entries), "contestant")
    return (
        f"{heading.measured(result)}, {contestants}; {heading.machine(result.machine)}, "
        f"{heading.settings(result)}"
    )


def _laws(result: SweepResult) -> Iterator[str]:
    for curve in result.curves().values():
        yield from (f"{curve[0].name}: {sentence}" for sentence in laws(curve))


def _chart(figure: "Figure") -> Chart:
    title = figure.title[:1].upper() + figure.title[1:]
    views = {}
    for place, part in enumerate(figure.parts(), 1):
        own = part["title"]["text"] if "title" in part else f"part {place}"
        name = title if len(figure.views) == 1 else f"{title}, {own}"
        views[name] = {key: part[key] for key in part if key != "config"}
    return Chart(figure.name, title, figure.caption, views)


def _table(
    columns: Sequence[str],
    lines: Iterable[Sequence[str]],
    values: Sequence[Sequence[str | float | None]] | None = None,
) -> Table:
    """A table without the columns that say nothing; with values it can be sorted, and is by the median."""
    texts = list(lines)
    told = [place for place in range(len(columns)) if any(line[place] != rows.NONE for line in texts)]
    cells = [
        [Cell(line[place], "" if values is None else _key(values[row][place])) for place in told]
        for row, line in enumerate(texts)
    ]
    shown = [columns[place] for place in told]
    return Table(
        columns=shown,
        lines=cells,
        sortable=values is not None,
        sorted_by="median" if values is not None else "",
        texts=rows.words(shown),
    )


def _key(value: str | float | None) -> str:
    return "" if value is None else str(value)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _shown(value: Any) -> str:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def compared(results: Sequence[tuple[str, RaceResult]]) -> Compared | None:
    """Two results of one kind side by side; None for anything else."""
    if len(results) != 2 or results[0][1].kind != results[1][1].kind:
        return None
    (before, first), (after, second) = results
    both = compare_results(first, second)
    table = _table(COMPARISON_COLUMNS, map(comparison_row, both.rows))
    return Compared(before, after, table, list(comparison_remarks(both)))
