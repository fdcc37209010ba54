"""The command that tells which model to use for a function of one's own."""

import json
import os
from contextlib import chdir

import click

from primerace.advising import Advisor
from primerace.cli import digits, options, own
from primerace.cli.options import InputError
from primerace.cli.watching import watch
from primerace.exits import FAILED, GOOD, INTERRUPTED
from primerace.report.advice import print_advice
from primerace.report.heading import counted


@click.command()
@own.options
@click.option(
    "--items", metavar="FILE", help="The items of --function: JSON values, one a line or in a list."
)
@options.workers
@click.option(
    "--seconds",
    type=float,
    callback=options.duration,
    default=20.0,
    show_default=True,
    help="About how long to measure; of a longer job a sample of the items races, for 6 rounds at least.",
)
@options.start_method
@click.option(
    "--json",
    "json_file",
    callback=options.output,
    metavar="FILE",
    help="Write all of it but the laps; - is standard output.",
)
def advise(
    function: str | None,
    items: str | None,
    items_from: str | None,
    expect: str | None,
    approx: float | None,
    workers: int | None,
    seconds: float,
    start_method: str | None,
    json_file: str | None,
) -> int:
    """Tell which model to use for a function of your own, why, and write the code."""
    if function is None:
        raise InputError("--function says what to advise on")
    if items == "-" or (items and os.path.exists(items) and not os.path.isfile(items)):
        raise InputError("--items is a file here: the code that is written reads it again")
    options.check_writable("--json", json_file)
    here = os.getcwd()
    with own.prints_aside():
        job = own.job_of(function, items, items_from, expect, approx, "")
        advisor = Advisor(job, items or items_from or "", seconds, workers, start_method)
        count = counted(len(job.items), "item")
        click.echo(f"{function}: {count}; calling some of them, to take a sample …", err=True)
        with digits.of_users_code():
            advisor.prepare()
        interrupted = watch(advisor.contest, None, seconds)
        with chdir(here):  # where the code is to run, wherever the function has gone
            advice = advisor.advice()
    print_advice(advice, options.console(stderr=json_file == "-"))
    options.write("--json", json_file, json.dumps(advice.to_json(), indent=1) + "\n")
    if interrupted:
        click.echo("interrupted: the advice rests on the rounds until then", err=True)
        return INTERRUPTED
    return GOOD if advice.choice.model else FAILED
