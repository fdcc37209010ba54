"""The command that races over many numbers of workers, and goes on where it was interrupted."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from click.core import ParameterSource

from primerace.cli import engines as engine_options
from primerace.cli import options, own
from primerace.cli.options import InputError
from primerace.cli.watching import ending, report, watch
from primerace.job import Job
from primerace.laps import Lap
from primerace.lineup import RaceError
from primerace.loading import load
from primerace.racers.engines import Engines
from primerace.racing import Race
from primerace.report import text
from primerace.report.heading import counted
from primerace.results import ResultError, SweepResult
from primerace.sweeping import Keeper, prepare, prepare_again, swept

RESUMED = (
    *("racers", "kernels", "items", "function", "items_from", "expect", "approx"),
    *("workers", "rounds", "seed", "order", "start_method", "save"),
    *("dask_threads", "celery_pool", "web_threads"),
)


@click.command()
@click.option(
    "--racers",
    callback=options.names,
    metavar="NAME,...",
    default="processes",
    show_default=True,
    help="Racers.",
)
@options.kernels("python")
@options.items
@own.options
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
@engine_options.options
@click.option("--save", metavar="FILE", help="Keep what is measured in this file, from the first lap on.")
@click.option(
    "--resume", metavar="FILE", help="Go on with the interrupted sweep of this file, and save there."
)
@options.json_file
@options.csv_file
@options.markdown_file
def sweep(
    racers: list[str],
    kernels: list[str] | None,
    items: str | None,
    function: str | None,
    items_from: str | None,
    expect: str | None,
    approx: float | None,
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
    engines: Engines,
) -> int:
    """Race racers over many numbers of workers, beside what the order of the items allows."""
    files = {"--json": json_file, "--csv": csv_file, "--markdown": markdown_file}
    for option, path in files.items():
        options.check_writable(option, path)
    kept = resume or save
    place = kept and os.path.abspath(kept)  # wherever the user's code goes from here
    if resume is not None:
        contest, rounds = _resumed(resume, engines)
    else:
        _check_free(save)
        own.check_kernels(function, kernels)
        engine_options.check(engines, racers)
        with own.prints_aside():
            job = own.job_of(function, items, items_from, expect, approx, "quick")
        contest = prepare(job, racers, kernels or ["python"], workers, seed, order, start_method, engines)
    with _kept(contest, "--save" if resume is None else "--resume", place) as after_lap:
        with own.prints_aside():
            interrupted = watch(contest, rounds, after_lap=after_lap)
        result = swept(contest.result())
        report(result, files, lambda console: text.print_sweep(result, console))
    return ending(result, interrupted, _how_to_go_on(contest.job, kept))


def _how_to_go_on(job: Job, kept: str | None) -> str:
    """What to say of an interrupted sweep; that of a function of one's own can't be resumed."""
    return f"; go on with: primerace sweep --resume {kept}" if kept and job.function is None else ""


def _resumed(path: str, places: Engines) -> tuple[Race, int]:
    """The sweep of this file, ready to go on, and how many rounds it was to have.

    Args:
        path: of the file.
        places: where running engines are, if not where the file says.

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
    engine_options.check(places, {racer for racer, _, _ in (entry.key for entry in earlier.entries)})
    try:
        return prepare_again(earlier, places), earlier.job["rounds"]
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
        laps = counted(len(earlier.laps), "lap")
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
