"""The command line: builds a job, has it run, prints what came out.

Exit codes: 0 good, 1 a racer was disqualified or failed, 2 usage, 130 interrupted.
"""

import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType

import click

from primerace.about import about
from primerace.cli import digits
from primerace.cli.advise import advise
from primerace.cli.dropped import Terminated
from primerace.cli.duel import duel
from primerace.cli.files import compare, export, show
from primerace.cli.gil import gil
from primerace.cli.lists import check, racers
from primerace.cli.plot import plot
from primerace.cli.race import race
from primerace.cli.report import report
from primerace.cli.run import run
from primerace.cli.serve import serve
from primerace.cli.spin import spin
from primerace.cli.sweep import sweep
from primerace.exits import FAILED, INTERRUPTED, TERMINATED, USAGE
from primerace.job import JobError
from primerace.lineup import RaceError
from primerace.racers import RacerError
from primerace.results import ResultError
from primerace.target import TargetError


def _show_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(about())
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, and what a report of a bug needs to know, and exit.",
)
def command() -> None:
    """Race Python's concurrency models on one CPU-bound job.

    Tells which one pays off on this machine, by how much, why, and how far it will go.
    """


for subcommand in (
    race, advise, run, sweep, show, compare, plot, report, export, spin, gil, duel, serve, racers, check
):  # fmt: skip
    command.add_command(subcommand)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # for terminals that have no µ
    try:
        import_module("primerace.simd")  # an unknown PRIMERACE_SIMD is an error now, not after a race
        words = list(sys.argv[1:] if arguments is None else arguments)
        with digits.unlimited(), command.make_context("primerace", words) as context:
            return command.invoke(context) or 0  # command.main would hide a broken pipe
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (JobError, TargetError, RaceError, ResultError, ImportError) as error:
        click.echo(f"Error: {error}", err=True)
        return USAGE
    except RacerError as error:
        click.echo(f"Error: {error}", err=True)
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        _forget_output()
        return 0
    except OSError as error:  # such as a full disk
        click.echo(f"Error: {error}", err=True)
        _forget_output()
        return USAGE


def _open_closed_streams() -> None:
    """Let a standard stream that is closed lead nowhere: else the next file or pipe would take its place."""
    while (lowest := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(lowest, True)
    os.close(lowest)


def _forget_output() -> None:
    """Drop what is still buffered where it can't be written: Python would try again when it ends."""
    if sys.stdout is None:  # it was closed from the start
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave through every `with` block, so that no worker outlives us."""
    raise Terminated(TERMINATED)
