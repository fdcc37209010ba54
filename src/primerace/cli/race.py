"""The command that holds a race."""

import click
from click.core import ParameterSource

from primerace.cli import engines as engine_options
from primerace.cli import options, own
from primerace.cli.watching import ending, report, watch
from primerace.lineup import line_up
from primerace.racers import CORE, RACERS
from primerace.racers.engines import Engines
from primerace.racing import Race
from primerace.report import text


@click.command()
@options.racers
@options.kernels("all")
@options.items
@own.options
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
@engine_options.options
@click.option("--explain", is_flag=True, help="Show why each racer has its speed-up, and what it costs.")
@click.option("--aa", "twins", is_flag=True, help="Race every contestant against itself: a test of the test.")
@click.option(
    "--heartbeat", is_flag=True, help="Show how long each racer freezes the program; disturbs a bit."
)
@options.json_file
@options.csv_file
@options.markdown_file
def race(
    racers: list[str] | None,
    kernels: list[str] | None,
    items: str | None,
    function: str | None,
    items_from: str | None,
    expect: str | None,
    approx: float | None,
    workers: int | None,
    rounds: int | None,
    seconds: float,
    precision: float | None,
    seed: int | None,
    order: str,
    start_method: str | None,
    explain: bool,
    twins: bool,
    heartbeat: bool,
    json_file: str | None,
    csv_file: str | None,
    markdown_file: str | None,
    engines: Engines,
) -> int:
    """Race racers and kernels on one job, in interleaved rounds, and rank them.

    The job is a sample or a file of integers to test for primality; or a function of your own, which takes
    one item and returns an answer, with its items.
    """
    files = {"--json": json_file, "--csv": csv_file, "--markdown": markdown_file}
    for option, path in files.items():
        options.check_writable(option, path)
    with own.prints_aside():
        own.check_kernels(function, kernels)
        job = own.job_of(function, items, items_from, expect, approx, "quick")
        engine_options.check(engines, racers or ())
        field = line_up(job, racers, kernels, workers, start_method, twins, engines)
        if click.get_current_context().get_parameter_source("racers") == ParameterSource.DEFAULT:
            others = ", ".join(name for name in RACERS if name not in CORE)
            click.echo(f"--racers all races {others} as well", err=True)
        contest = Race(job, field, seed, order, heartbeat)
        interrupted = watch(contest, rounds, seconds, precision)
    result = contest.result()
    report(result, files, lambda console: text.print_race(result, console, explain))
    return ending(result, interrupted)
