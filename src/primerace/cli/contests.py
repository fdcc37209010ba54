"""The commands that run something: one lap, a race, a sweep."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from primerace import kernels as kernel_table
from primerace import machine
from primerace.cli import options
from primerace.cli.options import InputError
from primerace.job import Job
from primerace.laps import Lap
from primerace.lineup import RaceError, known, line_up
from primerace.loading import load
from primerace.racers import RACERS
from primerace.racing import Race, find_fault
from primerace.report import exports, text
from primerace.report.rows import duration
from primerace.results import RaceResult, ResultError, SweepResult
from primerace.sweeping import Keeper, prepare, prepare_again, swept

DISQUALIFIED, INTERRUPTED = 1, 130
FORMATS: Mapping[str, Callable[[RaceResult], str]] = {
    "--json": lambda result: result.dumps() + "\n",
    "--csv": exports.csv_table,
    "--markdown": exports.markdown_table,
}
RESUMED = ("racers", "kernels", "items", "workers", "rounds", "seed", "order", "start_method", "save")


@click.command()
@click.option("--racer", default="sequential", show_default=True, help="Who runs the job.")
@click.option("--kernel", default="python", show_default=True, help="How each number is tested.")
@options.items
@options.workers
@options.start_method
def run(racer: str, kernel: str, items: str | None, workers: int | None, start_method: str | None) -> int:
    """Run one lap and show each number as it completes: P marks a prime."""
    known("racer", [racer], RACERS)
    known("kernel", [kernel], kernel_table.KERNELS)
    job = Job.load(items or "book")
    runner = RACERS[racer](start_method)
    reason = runner.available()
    if reason is not None:
        raise InputError(f"{racer} can't run here: {reason}")
    workers = 1 if runner.single else workers or machine.usable_cores()
    width = max(len(str(item)) for item in job.items)
    outcomes = []
    with runner.start(workers) as crew:
        started = perf_counter()
        for outcome in crew.run(kernel_table.KERNELS[kernel], job.items):
            outcomes.append(outcome)
            mark = "P" if outcome.answer else " "
            click.echo(f"{job.items[outcome.index]:{width}}  {mark} {outcome.seconds:11.6f}s")
        total = perf_counter() - started
    crowd = f"{workers} worker{'s' if workers > 1 else ''}"
    click.echo(f"{len(outcomes)} checks by {racer}/{kernel} with {crowd}: {total:.3f}s")
    fault = find_fault(job, outcomes, job.expected)
    if fault is not None:
        click.echo(f"Error: {fault}", err=True)
    return 0 if fault is None else DISQUALIFIED


@click.command()
@options.racers
@options.kernels
@options.items
@options.workers
@click.option("--rounds", type=click.IntRange(1, 1_000_000), help="Exactly this many rounds.")
@click.option(
    "--seconds",
    type=float,
    callback=options.duration,
    default=30.0,
    show_default=True,
    help="Without --rounds: at least 6 rounds, and as many as fit in this time.",
)
@click.option(
    "--precision",
    callback=options.share,
    metavar="SHARE",
    help="Without --rounds: stop as soon as every interval reaches at most this far, such as 2%.",
)
@options.seed
@options.order
@options.start_method
@click.option("--explain", is_flag=True, help="Show why each racer has its speed-up, and what it costs.")
@click.option("--aa", "twins", is_flag=True, help="Race every contestant against itself: a test of the test.")
@options.json_file
@options.csv_file
@options.markdown_file
def race(
    racers: list[str] | None,
    kernels: list[str] | None,
    items: str | None,
    workers: int | None,
    rounds: int | None,
    seconds: float,
    precision: float | None,
    seed: int | None,
    order: str,
    start_method: str | None,
    explain: bool,
    twins: bool,
    json_file: str | None,
    csv_file: str | None,
    markdown_file: str | None,
) -> int:
    """Race racers and kernels on one job, in interleaved rounds, and rank them."""
    job = Job.load(items or "quick")
    field = line_up(job, racers, kernels, workers, start_method, twins)
    files = {"--json": json_file, "--csv": csv_file, "--markdown": markdown_file}
    for option, path in files.items():
        options.check_writable(option, path)
    contest = Race(job, field, seed, order, start_method)
    interrupted = _watch(contest, rounds, seconds, precision)
    result = contest.result()
    _report(result, files, lambda console: text.print_race(result, console, explain))
    return _ending(result, interrupted)


@click.command()
@click.option(
    "--racers",
    callback=options.names,
    metavar="NAME,...",
    default="processes",
    show_default=True,
    help="Racers.",
)
@click.option(
    "--kernels",
    callback=options.names,
    metavar="NAME,...",
    default="python",
    show_default=True,
    help="Kernels.",
)
@options.items
@click.option(
    "--workers",
    callback=options.counts,
    metavar="1-20|1,2,4",
    default="1-20",
    show_default=True,
    help="The numbers of workers.",
)
@click.option("--rounds", type=click.IntRange(1, 1_000_000), default=12, show_default=True, help="How many.")
@options.seed
@options.order
@options.start_method
@click.option("--save", metavar="FILE", help="Keep what is measured in this file, from the first lap on.")
@click.option(
    "--resume", metavar="FILE", help="Go on with the interrupted sweep of this file, and save there."
)
@options.json_file
@options.csv_file
@options.markdown_file
def sweep(
    racers: list[str],
    kernels: list[str],
    items: str | None,
    workers: list[int],
    rounds: int,
    seed: int | None,
    order: str,
    start_method: str | None,
    save: str | None,
    resume: str | None,
    json_file: str | None,
    csv_file: str | None,
    markdown_file: str | None,
) -> int:
    """Race racers over many numbers of workers, beside what the order of the items allows."""
    files = {"--json": json_file, "--csv": csv_file, "--markdown": markdown_file}
    for option, path in files.items():
        options.check_writable(option, path)
    if resume is not None:
        contest, rounds = _resumed(resume)
    else:
        _check_free(save)
        job = Job.load(items or "quick")
        contest = prepare(job, racers, kernels, workers, seed, order, start_method)
    kept = resume or save
    with _kept(contest, "--save" if resume is None else "--resume", kept) as after_lap:
        interrupted = _watch(contest, rounds, after_lap=after_lap)
        result = swept(contest.result())
        _report(result, files, lambda console: text.print_sweep(result, console))
    return _ending(result, interrupted, f"; go on with: primerace sweep --resume {kept}" if kept else "")


def _resumed(path: str) -> tuple[Race, int]:
    """The sweep of this file, ready to go on, and how many rounds it was to have.

    Raises:
        InputError: it can't go on here, or other options say how.
    """
    context = click.get_current_context()
    ignored = [name for name in RESUMED if context.get_parameter_source(name) != ParameterSource.DEFAULT]
    if ignored:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in ignored)
        raise InputError(f"--resume {path}: the file says how the sweep goes on; leave out {names}")
    _check_file("--resume", path)
    earlier = load(path)
    if not isinstance(earlier, SweepResult):
        raise InputError(f"--resume {path}: a {earlier.kind}, not a sweep")
    if earlier.job["function"] is not None:
        raise InputError(f"--resume {path}: the sweep of a function of one's own can't be resumed")
    try:
        return prepare_again(earlier), earlier.job["rounds"]
    except RaceError as error:
        raise InputError(f"--resume {path}: {error}") from None


def _check_free(path: str | None) -> None:
    """Refuse to save where something would be lost.

    Raises:
        InputError: the file holds something, or can't be written.
    """
    if path is None:
        return
    _check_file("--save", path)
    if not os.path.exists(path) or not os.path.getsize(path):
        return
    try:
        earlier = load(path)
    except ResultError:
        raise InputError(f"--save {path}: holds something that is no sweep; name another file") from None
    if not isinstance(earlier, SweepResult):
        raise InputError(f"--save {path}: holds a {earlier.kind}; name another file")
    if earlier.laps:
        laps = f"{len(earlier.laps)} lap{'s' if len(earlier.laps) > 1 else ''}"
        raise InputError(
            f"--save {path}: holds a sweep of {laps}; go on with --resume {path}, or name another file"
        )


def _check_file(option: str, path: str) -> None:
    """A sweep is saved again and again, each time whole, so that only a file will do.

    Raises:
        InputError: it is none, or can't be written.
    """
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        raise InputError(f"{option} {path}: a sweep is saved to a file")
    options.check_writable(option, path)
    options.check_writable(option, os.path.realpath(path) + ".part")


@contextmanager
def _kept(contest: Race, option: str, path: str | None) -> Iterator[Callable[[Lap], None]]:
    """What saves the sweep after a lap; at the end it is saved in any case, whatever ends it.

    Raises:
        InputError: the file can't be written.
    """
    if path is None:
        yield lambda lap: None
        return
    keeper = Keeper(contest, path)
    try:
        yield keeper.after_lap
    finally:
        try:
            keeper.save()
        except OSError as error:
            raise InputError(f"{option} {path}: {error.strerror}") from None


def _report(
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


def _ending(result: RaceResult, interrupted: bool, hint: str = "") -> int:
    """The exit code, after a word about an interruption."""
    if interrupted:
        hint = hint if result.laps else ""
        click.echo(f"interrupted after {len(result.laps)} laps: the table is partial{hint}", err=True)
        return INTERRUPTED
    return DISQUALIFIED if _disqualified(result) else 0


def _watch(
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
    console.print(
        f"job {job.name}: {len(job.items)} items, {len(contest.contestants)} contestants; warming up …",
        markup=False,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"))
    try:
        contest.warm_up()
        planned = f"{rounds} round{'s' if rounds > 1 else ''}" if rounds else "at least 6 rounds"
        expected = duration(contest.expected_seconds(rounds, seconds))
        console.print(f"{planned}, expected to take about {expected}")
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
                after_lap(lap)
    except KeyboardInterrupt:
        return True
    return False
