"""What the commands that race share: the progress bar, the table and files at the end, the exit code."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from primerace.cli import digits, options
from primerace.exits import FAILED, GOOD, INTERRUPTED
from primerace.laps import Lap
from primerace.racing import Race
from primerace.report import exports
from primerace.report.heading import counted
from primerace.report.rows import duration
from primerace.results import RaceResult
from primerace.stats import FEWEST_ROUNDS

FORMATS: Mapping[str, Callable[[RaceResult], str]] = {
    "--json": lambda result: result.dumps() + "\n",
    "--csv": exports.csv_table,
    "--markdown": exports.markdown_table,
}


def watch(
    contest: Race,
    rounds: int | None,
    seconds: float = 30.0,
    precision: float | None = None,
    after_lap: Callable[[Lap], None] = lambda lap: None,
) -> bool:
    """Warm up, say how long it will take, and run the rounds behind a progress bar; True if interrupted.

    The bar is drawn between laps and never by a thread of its own, which would disturb the laps.
    """
    console = options.console(stderr=True)
    job = contest.job
    items, contestants = counted(len(job.items), "item"), counted(len(contest.contestants), "contestant")
    console.print(f"job {job.name}: {items}, {contestants}; warming up …", markup=False)
    try:
        with nullcontext() if job.function is None else digits.of_users_code():
            _hold(contest, console, rounds, seconds, precision, after_lap)
    except KeyboardInterrupt:
        return True
    return False


def _hold(
    contest: Race,
    console: Console,
    rounds: int | None,
    seconds: float,
    precision: float | None,
    after_lap: Callable[[Lap], None],
) -> None:
    contest.warm_up()
    contest.probe_gil()
    planned = counted(rounds, "round") if rounds else f"at least {FEWEST_ROUNDS} rounds"
    console.print(f"{planned}, expected to take about {duration(contest.expected_seconds(rounds, seconds))}")
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, auto_refresh=False, transient=True
    ) as progress:
        bar = progress.add_task("", total=None)
        for lap in contest.run(rounds, seconds, precision):
            progress.update(
                bar,
                total=contest.planned_rounds * len(contest.contestants),
                completed=len(contest.laps),
                description=f"round {lap.round + 1} of {contest.planned_rounds}",
                refresh=True,
            )
            with digits.unlimited():
                after_lap(lap)


def report(
    result: RaceResult, files: Mapping[str, str | None], print_table: Callable[[Console], None]
) -> None:
    """Print the table, then write the files; where nothing was measured, they keep what they hold."""
    try:
        print_table(options.console(stderr="-" in files.values()))
    finally:  # whoever reads the table may have left, as `head` does
        for option, path in files.items():
            if path is not None and (result.laps or _disqualified(result) or path == "-"):
                options.write(option, path, FORMATS[option](result))


def _disqualified(result: RaceResult) -> bool:
    return any(entry.disqualified is not None for entry in result.entries)


def ending(result: RaceResult, interrupted: bool, hint: str = "") -> int:
    """The exit code, after a word about an interruption."""
    if interrupted:
        hint = hint if result.laps else ""
        click.echo(
            f"interrupted after {counted(len(result.laps), 'lap')}: the table is partial{hint}", err=True
        )
        return INTERRUPTED
    return FAILED if _disqualified(result) else GOOD
