"""The command line: builds a job, has it run, prints what came out.

Exit codes: 0 good, 1 a racer was disqualified or failed, 2 usage, 130 interrupted.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from primerace import kernels, machine
from primerace.job import SAMPLES, Job, JobError
from primerace.racers import RACERS, RacerError
from primerace.racing import ORDERS, Race, RaceError, known
from primerace.report import text
from primerace.results import RaceResult

DISQUALIFIED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
PLAIN_WIDTH = 120  # columns where the output is not a terminal that has its own


class InputError(click.ClickException):
    """Something the user gave can't be used."""

    exit_code = USAGE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return command.main(arguments, prog_name="primerace", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (JobError, RaceError) as error:
        click.echo(f"Error: {error}", err=True)
        return USAGE
    except RacerError as error:
        click.echo(f"Error: {error}", err=True)
        return DISQUALIFIED
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave through every `with` block, so that no worker outlives us."""
    raise SystemExit(TERMINATED)


def _console(stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    """A list of names that are separated by commas."""
    return None if value is None else [name.strip() for name in value.split(",") if name.strip()]


items_option = click.option(
    "--items",
    metavar="SAMPLE|FILE",
    help=f"A sample ({', '.join(SAMPLES)}) or a file of integers, one a line or a JSON list; - is stdin.",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 10_000), help="Workers of each crew. [default: the usable cores]"
)
start_method_option = click.option(
    "--start-method",
    type=click.Choice(["fork", "forkserver", "spawn"]),
    help="How processes are started. [default: Python's own]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("primerace"), prog_name="primerace")
def command() -> None:
    """Race Python's concurrency models on one CPU-bound job.

    Tells which one pays off on this machine, and by how much.
    """


@command.command()
@click.option("--racer", default="sequential", show_default=True, help="Who runs the job.")
@click.option("--kernel", default="python", show_default=True, help="How each number is tested.")
@items_option
@workers_option
@start_method_option
def run(
    racer: str, kernel: str, items: str | None, workers: int | None, start_method: str | None
) -> int | None:
    """Run one lap and show each number as it completes: P marks a prime."""
    known("racer", [racer], RACERS)
    known("kernel", [kernel], kernels.KERNELS)
    job = Job.load(items or "book")
    runner = RACERS[racer](start_method)
    reason = runner.available()
    if reason is not None:
        raise InputError(f"{racer} can't run here: {reason}")
    workers = 1 if runner.single else workers or machine.usable_cores()
    width = max(len(str(item)) for item in job.items)
    with runner.start(workers) as crew:
        started = perf_counter()
        wrong = []
        for outcome in crew.run(kernels.KERNELS[kernel], job.items):
            item = job.items[outcome.index]
            click.echo(f"{item:{width}}  {'P' if outcome.answer else ' '} {outcome.seconds:11.6f}s")
            if job.expected is not None and outcome.answer != job.expected[outcome.index]:
                wrong.append(item)
        total = perf_counter() - started
    crowd = f"{workers} worker{'s' if workers > 1 else ''}"
    click.echo(f"{len(job.items)} checks by {racer}/{kernel} with {crowd}: {total:.3f}s")
    if wrong:
        click.echo(f"wrong answers for {', '.join(map(str, wrong))}", err=True)
        return DISQUALIFIED
    return None


@command.command()
@click.option(
    "--racers", callback=_names, metavar="NAME,...", help="Racers to race. [default: all available]"
)
@click.option(
    "--kernels", "kernel_names", callback=_names, metavar="NAME,...", help="Kernels. [default: all]"
)
@items_option
@workers_option
@click.option("--rounds", type=click.IntRange(1), help="Exactly this many rounds.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Without --rounds: at least 6 rounds, and as many as fit in this time.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the order within rounds and of the intervals.")
@click.option(
    "--order", type=click.Choice(ORDERS), default="given", show_default=True, help="Order of the items."
)
@start_method_option
@click.option(
    "--json", "json_file", metavar="FILE", help="Write every lap and the machine; - is standard output."
)
def race(
    racers: list[str] | None,
    kernel_names: list[str] | None,
    items: str | None,
    workers: int | None,
    rounds: int | None,
    seconds: float,
    seed: int | None,
    order: str,
    start_method: str | None,
    json_file: str | None,
) -> int:
    """Race racers and kernels on one job, in interleaved rounds, and rank them."""
    job = Job.load(items or "quick")
    contest = Race(job, racers, kernel_names, workers, seed, order, start_method)
    write = _writer(json_file)
    console = _console(stderr=json_file == "-")
    interrupted = False
    try:
        _hold(contest, rounds, seconds)
    except KeyboardInterrupt:
        interrupted = True
    result = contest.result()
    write(result)
    _print_race(result, console)
    if interrupted:
        click.echo(f"interrupted after {len(result.laps)} laps: the table is partial", err=True)
        return INTERRUPTED
    return DISQUALIFIED if any(entry.disqualified for entry in result.entries) else 0


def _writer(path: str | None) -> Callable[[RaceResult], None]:
    """What writes the result to this file; an impossible file is an error now, not after the race."""
    if path is None:
        return lambda result: None
    if path == "-":
        return lambda result: click.echo(result.dumps())
    try:
        with open(path, "a", encoding="utf-8"):
            pass
    except OSError as error:
        raise InputError(f"--json {path}: {error.strerror}") from None

    def write(result: RaceResult) -> None:
        Path(path).write_text(result.dumps() + "\n", encoding="utf-8")

    return write


def _hold(contest: Race, rounds: int | None, seconds: float) -> None:
    """Warm up, say how long it will take, and run the rounds behind a progress bar.

    The bar is drawn between laps and never by a thread of its own, which would disturb the laps.
    """
    console = _console(stderr=True)
    job, number = contest.job, len(contest.contestants)
    console.print(f"job [bold]{job.name}[/bold]: {len(job.items)} items, {number} contestants; warming up …")
    contest.warm_up()
    planned = f"{rounds} rounds" if rounds else "at least 6 rounds"
    console.print(
        f"{planned}, expected to take {text.duration(contest.expected_seconds(rounds, seconds))} at most"
    )
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, auto_refresh=False, transient=True
    ) as progress:
        bar = progress.add_task("", total=None)
        for lap in contest.run(rounds, seconds):
            _advance(progress, bar, contest, f"round {lap.round + 1} of {contest.planned_rounds}")


def _advance(progress: Progress, bar: TaskID, contest: Race, description: str) -> None:
    laps = contest.planned_rounds * len(contest.contestants)
    progress.update(bar, total=laps, completed=len(contest.laps), description=description, refresh=True)


def _print_race(result: RaceResult, console: Console) -> None:
    facts = result.machine
    console.print(
        f"{result.job['name']}, {len(result.job['items'])} items in {result.job['order']} order, "
        f"{result.rounds} rounds; {facts['cpu']}, {facts['cores']} cores, "
        f"{facts['implementation']} {facts['python']}"
        f"{'' if facts['gil_enabled'] else ' without GIL'}, start method {facts['start_method']}",
        markup=False,
    )
    console.print(text.race_table(result))
    for note in text.notes(result):
        console.print(note)
    for finding in text.findings(result):
        console.print(finding, markup=False)


@command.command()
def racers() -> None:
    """List racers and kernels, and why some can't run here."""
    width = max(map(len, [*RACERS, *kernels.KERNELS]))
    click.echo("racers")
    for name, racer in RACERS.items():
        reason = racer().available()
        click.echo(f"  {name:{width}}  {racer.summary}" + (f" (not here: {reason})" if reason else ""))
    click.echo("kernels")
    for name, summary in kernels.SUMMARIES.items():
        click.echo(f"  {name:{width}}  {summary}")


@command.command(context_settings={"ignore_unknown_options": True})
@click.argument("numbers", nargs=-1, required=True, metavar="N...")
@click.option("--kernel", default="released", show_default=True, help="How each number is tested.")
def check(numbers: tuple[str, ...], kernel: str) -> None:
    """Tell of each number whether it is prime."""
    known("kernel", [kernel], kernels.KERNELS)
    for number in [_integer(word) for word in numbers]:
        try:
            answer = kernels.KERNELS[kernel](number)
        except OverflowError as error:
            raise InputError(str(error)) from None
        click.echo(f"{number} is {'prime' if answer else 'not prime'}")


def _integer(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise InputError(f"not an integer: {word!r}") from None
