"""The commands that run something: one lap, a race, a sweep."""

from collections.abc import Callable
from time import perf_counter

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from primerace import kernels as kernel_table
from primerace import machine
from primerace.cli import options
from primerace.cli.options import InputError
from primerace.job import Job
from primerace.laps import Lap
from primerace.lineup import known, line_up
from primerace.racers import RACERS
from primerace.racing import Race, find_fault
from primerace.report import exports, text
from primerace.report.rows import duration
from primerace.results import SweepResult, load
from primerace.sweeping import prepare, prepare_again, swept

DISQUALIFIED, INTERRUPTED = 1, 130


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
@click.option("--rounds", type=click.IntRange(1), help="Exactly this many rounds.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
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
    options.write_json(json_file, result)
    options.write_text(csv_file, exports.csv_table(result))
    options.write_text(markdown_file, exports.markdown_table(result))
    console = options.console(stderr="-" in files.values())
    text.print_race(result, console, explain)
    if interrupted:
        click.echo(f"interrupted after {len(result.laps)} laps: the table is partial", err=True)
        return INTERRUPTED
    return DISQUALIFIED if any(entry.disqualified for entry in result.entries) else 0


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
@click.option("--rounds", type=click.IntRange(1), default=12, show_default=True, help="How many rounds.")
@options.seed
@options.order
@options.start_method
@click.option("--save", metavar="FILE", help="Write what is measured to this file after every lap.")
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
    for option, path in {"--save": save, **files}.items():
        options.check_writable(option, path)
    if resume is not None:
        contest, rounds, save = *_resumed(resume), resume
    else:
        job = Job.load(items or "quick")
        contest = prepare(job, racers, kernels, workers, seed, order, start_method)
    interrupted = _watch(contest, rounds, after_lap=_saver(contest, save))
    result = swept(contest.result())
    if save is not None:
        result.save(save)
    options.write_json(json_file, result)
    options.write_text(csv_file, exports.csv_table(result))
    options.write_text(markdown_file, exports.markdown_table(result))
    text.print_sweep(result, options.console(stderr="-" in files.values()))
    if interrupted:
        hint = f"; go on with: primerace sweep --resume {save}" if save else ""
        click.echo(f"interrupted after {len(result.laps)} laps: the table is partial{hint}", err=True)
        return INTERRUPTED
    return DISQUALIFIED if any(entry.disqualified for entry in result.entries) else 0


def _resumed(path: str) -> tuple[Race, int]:
    """The sweep of this file, ready to go on, and how many rounds it was to have."""
    earlier = load(path)
    if not isinstance(earlier, SweepResult):
        raise InputError(f"--resume {path}: a {earlier.kind}, not a sweep")
    if earlier.job["function"] is not None:
        raise InputError(f"--resume {path}: the sweep of a function of one's own can't be resumed")
    return prepare_again(earlier), earlier.job["rounds"]


def _saver(contest: Race, path: str | None) -> Callable[[Lap], None]:
    """What saves the sweep so far, so that an interruption loses nothing that was measured."""
    if path is None:
        return lambda lap: None
    return lambda lap: swept(contest.result()).save(path)


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
        console.print(f"{planned}, expected to take {expected} at most")
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
