"""A job of one's own at the command line: the options that describe it, and what they make."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any

import click

from primerace import items as reading
from primerace import target
from primerace.cli import digits
from primerace.cli.options import Command, InputError
from primerace.items import JobError
from primerace.job import Job
from primerace.racers import RacerError
from primerace.solo import run_alone

function = click.option(
    "--function", metavar="MODULE:NAME", help=f"A function of your own, of one argument: {target.FORMS}."
)
items_from = click.option(
    "--items-from", metavar="MODULE:NAME", help="Instead of --items: a generator of the items of --function."
)
_OPTIONS = (
    function,
    items_from,
    click.option(
        "--expect",
        metavar="FILE|MODULE:NAME",
        help="The right answers of --function: JSON values, one a line, or a function that knows them.",
    ),
    click.option(
        "--approx",
        type=click.FloatRange(0, 1, max_open=True),
        metavar="REL",
        help="How far floating-point numbers in answers may lie from the right ones, such as 1e-9 of them.",
    ),
)


def options(command: Command) -> Command:
    """The options of a function of one's own."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def job_of(
    function: str | None,
    items: str | None,
    items_from: str | None,
    expect: str | None,
    approx: float | None,
    default: str,
) -> Job:
    """The job that these options describe; without a function, a sample or a file of integers.

    Raises:
        InputError: options that don't go together.
        JobError, TargetError: what they name can't be read or does not exist.
    """
    if function is None:
        given = {"--items-from": items_from, "--expect": expect, "--approx": approx}
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{option} goes with --function")
        return Job.load(items or default)
    drawn = drawn_items(items, items_from)
    with digits.of_users_code():
        called = target.load(function)
        values = reading.generated(drawn) if isinstance(drawn, str) else drawn
    expected = None if expect is None else _expected(expect, values)
    return Job.from_function(called, values, expected, function, approx or 0.0)


def drawn_items(items: str | None, items_from: str | None) -> list[Any] | str:
    """The values of --items, or what --items-from names, which yields them.

    Raises:
        InputError: both or none are given, or there is no such file.
        JobError: the file can't be read.
    """
    if (items is None) == (items_from is None):
        raise InputError("--function needs its items: either --items FILE or --items-from MODULE:NAME")
    if items_from is not None:
        return items_from
    if not items or not reading.is_file(items):
        raise InputError(f"--items {items!r}: there is no such file; a generator goes with --items-from")
    return reading.values(items)


def check_kernels(function: str | None, kernels: Any, option: str = "--kernels") -> None:
    """Refuse kernels beside a function of one's own.

    Raises:
        InputError: both are given.
    """
    if function is not None and kernels is not None:
        raise InputError(f"{option} goes with numbers to test for primality, not with --function")


def _expected(source: str, items: Any) -> list[Any]:
    """The answers of a file, or those of a function.

    Raises:
        JobError: the function raised.
    """
    if reading.is_file(source):
        return reading.values(source)
    try:
        with digits.of_users_code():
            known = Job.from_function(source, items)
            assert known.function is not None
            return [outcome.answer for outcome in run_alone(source, known.function, items)]
    except RacerError as error:
        raise JobError(f"--expect {source}: {error}") from error


@contextmanager
def prints_aside() -> Iterator[None]:
    """Let what the user's code prints, here and in processes, go to standard error: the output is ours."""
    if sys.stdout is not None:  # as it is where it was closed from the start
        with suppress(OSError, ValueError):
            sys.stdout.flush()
    ours = os.dup(1)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(ours, 1)
        os.close(ours)
