"""What several commands share: options, their types, and where output goes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from primerace.exits import USAGE
from primerace.job import SAMPLES
from primerace.racers import CORE, RACERS
from primerace.racing import ORDERS
from primerace.writing import draft_of, is_stream, write_whole

Command = Callable[..., Any]

MOST_WORKERS = 500  # more processes than that wait for each other more than for the job
LONGEST = 1e6  # seconds: eleven days
PLAIN_WIDTH = 140  # columns where the output is not a terminal that has its own


class InputError(click.ClickException):
    """Something the user gave can't be used."""

    exit_code = USAGE


def names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    """Names that are separated by commas."""
    return None if value is None else [name.strip() for name in value.split(",") if name.strip()]


def field(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    """Names of racers, the core where none is named; `all` stands for every one."""
    chosen = names(context, parameter, value)
    if chosen is None:
        return list(CORE)
    return [each for name in chosen for each in (RACERS if name == "all" else [name])]


def counts(context: click.Context, parameter: click.Parameter, value: str) -> list[int]:
    """Numbers of workers: '1-20', '1,2,4' or both mixed."""
    numbers: list[int] = []
    for part in value.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise click.BadParameter(f"{part!r} is neither a number nor a range such as 1-20")
        if dash and int(last) < int(first):
            raise click.BadParameter(f"{part!r} runs backwards")
        numbers += range(int(first), min(int(last or first), MOST_WORKERS + 1) + 1)
    if not numbers or min(numbers) < 1 or max(numbers) > MOST_WORKERS:
        raise click.BadParameter(f"{value!r} does not name numbers from 1 to {MOST_WORKERS}")
    return numbers


def duration(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """Seconds, more than none and no more than a race can last."""
    if not 0 < value <= LONGEST:
        raise click.BadParameter(f"{value} is not a number of seconds above 0 and up to {LONGEST:.0f}")
    return value


def share(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A share: '2%' or '0.02'."""
    if value is None:
        return None
    try:
        fraction = float(value[:-1]) / 100 if value.endswith("%") else float(value)
    except ValueError:
        fraction = -1.0
    if not 0 < fraction < 1:
        raise click.BadParameter(f"{value!r} is not a share such as 2% or 0.02")
    return fraction


def output(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The file as it is meant now, wherever the user's code goes from here."""
    return value if value is None or value == "-" else os.path.join(os.getcwd(), value)


def kernels(default: str) -> Callable[[Command], Command]:
    """Kernels to race; which ones that is without the option, only the command knows."""
    told = f"Kernels to race. [default: {default}]"
    return click.option("--kernels", callback=names, metavar="NAME,...", help=told)


racers = click.option(
    "--racers",
    callback=field,
    metavar="NAME,...",
    help=f"Racers to race, or all. [default: {','.join(CORE)}]",
)
items = click.option(
    "--items",
    metavar="SAMPLE|FILE",
    help=f"A sample ({', '.join(SAMPLES)}) or a file of integers, one a line or a JSON list; "
    "with --function of any JSON values; - is stdin.",
)
workers = click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    help="Workers of each crew. [default: the usable cores]",
)
seed = click.option("--seed", type=click.IntRange(0), help="Of the order within rounds and of the intervals.")
order = click.option(
    "--order", type=click.Choice(ORDERS), default="given", show_default=True, help="Order of the items."
)
start_method = click.option(
    "--start-method",
    type=click.Choice(["fork", "forkserver", "spawn"]),
    help="How processes are started. [default: Python's own]",
)
json_file = click.option(
    "--json",
    "json_file",
    callback=output,
    metavar="FILE",
    help="Write every lap and the machine; - is standard output.",
)
csv_file = click.option(
    "--csv", "csv_file", callback=output, metavar="FILE", help="Write the table; - is standard output."
)
markdown_file = click.option(
    "--markdown",
    "markdown_file",
    callback=output,
    metavar="FILE",
    help="Write the table; - is standard output.",
)


class PlainConsole(Console):
    """A console that leaves a broken pipe to `main`, as everything else does."""

    def on_broken_pipe(self) -> None:
        raise


def console(stderr: bool = False) -> Console:
    """Where people read; wide enough for a table where it is not a terminal."""
    own = PlainConsole(stderr=stderr, highlight=False)
    return own if own.is_terminal else PlainConsole(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


def check_writable(option: str, path: str | None, *results: str) -> None:
    """Make an impossible file an error now, not after the race; none is left where there was none.

    Args:
        option: what names the file.
        path: the file; '-' and None are none, and a pipe's reader would take opening it for its end.
        results: the files that the command reads, over which it must not write.

    Raises:
        InputError: the file can't be written, or is one of the results.
    """
    if path is None or path == "-" or is_stream(path):
        return
    if os.path.exists(path) and any(os.path.samefile(path, each) for each in results if os.path.exists(each)):
        raise InputError(f"{option} {path}: is one of the results; name another file")
    try:
        for name in (os.path.realpath(path), draft_of(path)):
            _touch(name)
    except OSError as error:
        raise InputError(f"{option} {path}: {error.strerror}") from None


def _touch(path: str | Path) -> None:
    """Open a file for writing, and leave none where there was none."""
    is_new = not os.path.exists(path)
    with open(path, "ab"):
        pass
    if is_new:
        os.remove(path)


def write(option: str, path: str | None, content: str | bytes) -> None:
    """Write what this option asks for to its file, to standard output for '-', nowhere for None.

    Text is UTF-8 wherever it goes: a page knows its scripts by their bytes.

    Raises:
        InputError: the file can't be written.
    """
    whole = content.encode("utf-8", "replace") if isinstance(content, str) else content  # half a character
    if path == "-":
        click.echo(whole, nl=False)
    elif path is not None:
        try:
            write_whole(path, whole)
        except OSError as error:
            raise InputError(f"{option} {path}: {error.strerror}") from None
