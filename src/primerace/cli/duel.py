"""The command that holds a duel."""

import json
import os

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from primerace import machine, target
from primerace.cli import options, own
from primerace.cli.options import InputError
from primerace.duel import task
from primerace.duel.contender import DuelError, find
from primerace.duel.pairing import TIMEOUT, Duel
from primerace.duel.score import FEWEST_PAIRS
from primerace.duel.task import Task
from primerace.duel.verdict import THRESHOLD
from primerace.exits import FAILED, GOOD, INTERRUPTED, USAGE
from primerace.job import Job
from primerace.kernels import KERNELS
from primerace.lineup import known, unsuited
from primerace.racers import RACERS
from primerace.report.duel import print_duel
from primerace.report.heading import counted
from primerace.report.rows import duration

MOST_PAIRS = 10_000


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--kernel", help=f"What tests the numbers: {', '.join(KERNELS)}. [default: fast]")
@options.items
@own.function
@own.items_from
@click.option("--racer", metavar="NAME", help="Who runs it. [default: a for loop]")
@click.option(
    "--workers",
    type=click.IntRange(1, options.MOST_WORKERS),
    help="Workers of --racer. [default: the usable cores]",
)
@click.option(
    "--pairs", type=click.IntRange(FEWEST_PAIRS, MOST_PAIRS), help="Exactly this many pairs of trials."
)
@click.option(
    "--seconds",
    type=float,
    callback=options.duration,
    default=30.0,
    show_default=True,
    help=f"Without --pairs: at least {FEWEST_PAIRS} pairs, and as many as are needed and fit in this time.",
)
@click.option(
    "--threshold",
    callback=options.share,
    metavar="SHARE",
    default=str(THRESHOLD),
    show_default=f"{THRESHOLD:.0%}",
    help="By how much B has to be slower for an exit code of 1.",
)
@click.option(
    "--timeout",
    type=float,
    callback=options.duration,
    default=TIMEOUT,
    show_default=True,
    help="Seconds for a trial.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the order of the trials.")
@click.option("--json", "json_file", metavar="FILE", help="Write every trial and the verdict; - is stdout.")
def duel(
    a: str,
    b: str,
    kernel: str | None,
    items: str | None,
    function: str | None,
    items_from: str | None,
    racer: str | None,
    workers: int | None,
    pairs: int | None,
    seconds: float,
    threshold: float,
    timeout: float,
    seed: int | None,
    json_file: str | None,
) -> int:
    """Compare two Pythons on one job: is B slower than A?

    A and B are commands (python3.13t), paths of a Python, or folders of virtual environments. Each needs a
    primerace of its own, but for a --function without --racer. Every trial is a fresh process; A and B take
    turns in random order. Exits with 1 where B is slower by more than the threshold, or where no verdict is
    possible because a side failed or the answers differ.

    \b
    primerace duel python3.13 python3.13t --racer threads --kernel python
    primerace duel venv-before venv-after --function ./work.py:crunch --items items.jsonl
    """
    options.check_writable("--json", json_file)
    given = click.get_current_context().get_parameter_source("seconds") != ParameterSource.DEFAULT
    if pairs is not None and given:
        raise InputError("--seconds goes without --pairs, which sets how many there are")
    try:
        work = _task(kernel, items, function, items_from, racer, workers)
        match = Duel(find(a), find(b), [work], threshold, seed, timeout)
        interrupted = _watch(match, pairs, seconds)
    except DuelError as error:
        raise InputError(str(error)) from None
    code = _tell(match, interrupted, options.console(stderr=json_file == "-"))
    if match.facts:
        options.write("--json", json_file, json.dumps(match.to_json(interrupted), indent=1) + "\n")
    elif json_file is not None:
        click.echo(f"--json {json_file}: not written, nothing was measured yet", err=True)
    return code


def _tell(match: Duel, interrupted: bool, console: Console) -> int:
    """Print what came of it; the exit code."""
    (score,) = match.scores
    if reason := score.failed or score.missing:
        click.echo(f"Error: {score.task.name}: {reason}", err=True)
        return FAILED if score.failed else USAGE
    if interrupted:
        click.echo(f"interrupted after {counted(len(score.pairs), 'pair')}", err=True)
        return INTERRUPTED
    print_duel(match, console)
    return FAILED if score.alarms(match.threshold) else GOOD


def _task(
    kernel: str | None,
    items: str | None,
    function: str | None,
    items_from: str | None,
    racer: str | None,
    workers: int | None,
) -> Task:
    """What these options describe.

    Raises:
        InputError: options that don't go together.
        JobError, RaceError: items that can't be read; an unknown kernel or racer.
        TargetError: what has not the form of a name.
    """
    if workers is not None and racer is None:
        raise InputError("--workers goes with --racer")
    count = workers or machine.usable_cores()
    by = f", {racer} with {counted(count, 'worker')}" if racer else ""
    if racer is not None:
        known("racer", [racer], RACERS)
    own.check_kernels(function, kernel, "--kernel")
    for spec in filter(None, (function, items_from)):
        target.parts(spec)
    if function is not None:
        drawn = own.drawn_items(items, items_from)
        if racer is None:
            return task.of_function(function, os.getcwd(), drawn, function)
        return task.of_racer_with_function(racer, count, function, os.getcwd(), drawn, function + by)
    if items_from is not None:
        raise InputError("--items-from goes with --function")
    job = Job.load(items or "quick")
    chosen = kernel or ("fast" if racer is None else "released")
    known("kernel", [chosen], KERNELS)
    name = f"kernel {chosen} on {job.name}{by}"
    if racer is None:
        return task.of_kernel(chosen, job.items, name)
    if reason := unsuited(RACERS[racer](), [chosen]):
        raise InputError(f"--racer {racer}: {reason}")
    return task.of_racer(racer, chosen, count, job.items, name)


def _plan(match: Duel, pairs: int | None, seconds: float) -> str:
    expected = duration(match.expected_seconds(pairs, seconds))
    if pairs:
        return f"{pairs} pairs, expected to take about {expected}"
    return f"at least {FEWEST_PAIRS} pairs, expected to take at most about {expected}"


def _watch(match: Duel, pairs: int | None, seconds: float) -> bool:
    """Say how long it will take, and fight it out behind a progress bar; True if interrupted.

    The bar is drawn between pairs and never by a thread of its own, which would disturb the trials.
    """
    console = options.console(stderr=True)
    work = match.scores[0]
    console.print(f"{work.task.name}: a trial of each side first …", markup=False, emoji=False)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        for score in match.introduce():
            if not (score.missing or score.failed):
                console.print(_plan(match, pairs, seconds))
        with Progress(*columns, console=console, auto_refresh=False, transient=True) as progress:
            bar = progress.add_task("", total=pairs or FEWEST_PAIRS)
            for score in match.run(pairs, seconds):
                reach = "" if score.ratio is None else f", the interval reaches {score.ratio.reach:.1%}"
                progress.update(
                    bar,
                    completed=len(score.pairs),
                    description=f"pair {len(score.pairs)}{reach}",
                    refresh=True,
                )
    except KeyboardInterrupt:
        return True
    return False
