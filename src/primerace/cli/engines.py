"""The options of the engines beyond this program, the same for every command that races."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click

from primerace.cli.options import InputError
from primerace.racers.engines import POOLS, Engines

Command = Callable[..., Any]

MOST_THREADS = 500

# Whose option it is: a racer that is not in the race would ignore it.
RACERS_OF = {
    "address": ("dask",),
    "dask_threads": ("dask",),
    "broker": ("celery", "rq"),
    "celery_pool": ("celery",),
    "web_threads": ("gunicorn",),
}

_OPTIONS = (
    click.option(
        "--address",
        metavar="URL",
        help="A running Dask scheduler, tcp://HOST:PORT. [default: one of its own]",
    ),
    click.option(
        "--dask-threads",
        type=click.IntRange(1, MOST_THREADS),
        default=1,
        metavar="N",
        help="How many of Dask's workers share a process. [default: 1]",
    ),
    click.option(
        "--broker",
        metavar="URL",
        help="A running Redis for Celery and RQ, redis://HOST:PORT/0. [default: one of their own]",
    ),
    click.option(
        "--celery-pool",
        type=click.Choice(POOLS),
        default="prefork",
        show_default=True,
        help="Celery's workers: processes, or threads of one process.",
    ),
    click.option(
        "--web-threads",
        type=click.IntRange(1, MOST_THREADS),
        default=1,
        metavar="N",
        help="How many of Gunicorn's workers share a process. [default: 1]",
    ),
)


def options(command: Command) -> Command:
    """Give the command these options, which it takes as one argument `engines`."""

    @wraps(command)
    def with_engines(*arguments: Any, **values: Any) -> Any:
        settings = {name: values.pop(name) for name in RACERS_OF}
        return command(*arguments, engines=Engines(**settings), **values)

    for option in reversed(_OPTIONS):
        with_engines = option(with_engines)
    return with_engines


def check(engines: Engines, racers: Iterable[str]) -> None:
    """Refuse an option that no racer would heed.

    Raises:
        InputError: the racer of an option does not race.
    """
    racing = set(racers)
    for name in engines.to_json():
        if racing.isdisjoint(RACERS_OF[name]):
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} goes with racer {' or '.join(RACERS_OF[name])}")
