"""Results for other tools: CSV with plain numbers, Markdown as people paste it, and pyperf's own format."""

import csv
import io
import json
from collections.abc import Iterable, Sequence

from primerace.report import rows
from primerace.report.comparison import Comparison, Row
from primerace.results import RaceResult, Speedup
from primerace.stats import Ratio

COMPARISON_COLUMNS = (
    "racer",
    "kernel",
    "workers",
    "before",
    "after",
    "after/before",
    "relative to\nsequential",
)


def csv_table(result: RaceResult) -> str:
    """The entries with unrounded numbers, a line each."""
    columns = ["racer", "kernel", "workers", "laps", "median_seconds", "startup_seconds", "efficiency"]
    intervals = [f"{name}{part}" for name in ("speedup", "speedup_python") for part in ("", "_low", "_high")]
    beaten = any(entry.longest_gap_seconds is not None for entry in result.entries)
    heartbeat = ["longest_gap_seconds", "p99_gap_seconds"] if beaten else []
    lines = [
        [entry.racer, entry.kernel, entry.workers, entry.laps, entry.median_seconds, entry.startup_seconds]
        + [entry.efficiency, *_parts(_ratio(entry.speedup)), *_parts(_ratio(entry.speedup_python))]
        + [entry.schedule_bound, entry.disqualified, *(getattr(entry, name) for name in heartbeat)]
        for entry in result.entries
    ]
    return _csv([*columns, *intervals, "schedule_bound", "disqualified", *heartbeat], lines)


def _ratio(speedup: Speedup | None) -> Ratio | None:
    return None if speedup is None else speedup.ratio


def _parts(ratio: Ratio | None) -> Sequence[float | None]:
    return (None, None, None) if ratio is None else (ratio.value, ratio.low, ratio.high)


def _csv(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return page.getvalue()


def markdown_table(result: RaceResult) -> str:
    """The table of the terminal in Markdown."""
    return _markdown(*rows.race_table(result))


def _markdown(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    texts = rows.words(columns)
    rules = ["---" if place < texts else "---:" for place in range(len(columns))]
    heads = [column.replace("\n/", "/").replace("\n", " ") for column in columns]
    table = [heads, rules, *([cell.replace("|", "\\|") for cell in line] for line in lines)]
    return "".join(f"| {' | '.join(line)} |\n" for line in table)


def csv_comparison(comparison: Comparison) -> str:
    """The comparison with unrounded numbers, a line for each contestant."""
    lines = [
        [*row.key, row.before, row.after, *_parts(row.ratio), *_parts(row.relative)]
        for row in comparison.rows
    ]
    ratios = ["ratio", "low", "high", "relative", "relative_low", "relative_high"]
    return _csv(["racer", "kernel", "workers", "before", "after", *ratios], lines)


def markdown_comparison(comparison: Comparison) -> str:
    """The comparison as a table in Markdown."""
    return _markdown(COMPARISON_COLUMNS, map(comparison_row, comparison.rows))


def comparison_row(row: Row) -> Sequence[str]:
    """The cells of one contestant in both results."""
    racer, kernel, workers = row.key
    relative = rows.NONE if row.relative is None else rows.ratio(row.relative)
    times = (rows.duration(row.before), rows.duration(row.after), rows.ratio(row.ratio), relative)
    return racer, kernel or rows.NONE, str(workers), *times


def pyperf(result: RaceResult) -> str:
    """The laps in the JSON format of pyperf, a benchmark for each contestant and a run for each lap."""
    facts = {"cpu_model_name": str(result.machine["cpu"]), "python_version": str(result.machine["python"])}
    benchmarks = []
    for entry in rows.timed(result.entries):
        laps = [lap for lap in result.laps if lap.key == entry.key]
        benchmarks.append(
            {
                "metadata": {"name": f"{entry.name} x{entry.workers}", "loops": 1},
                "runs": [{"values": [lap.seconds], "metadata": {}} for lap in laps],
            }
        )
    document = {"version": "1.0", "metadata": {"unit": "second", **facts}, "benchmarks": benchmarks}
    return json.dumps(document) + "\n"
