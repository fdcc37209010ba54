"""The command that shows a spinner beside work, and measures how smoothly it turned."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

import click
from click.core import ParameterSource

from primerace.cli import options
from primerace.cli.options import InputError
from primerace.cli.quiz import ask
from primerace.report.spinning import sentences
from primerace.spinners import MODELS, SpinError
from primerace.spinners.line import Line
from primerace.spinners.observing import Spin, observe, seconds_alone
from primerace.spinners.work import FUNCTIONS, NUMBERS, SECONDS, SLEEP, Work

_SUMMARIES = [f"  {name:18}{model.summary}" for name, model in MODELS.items()]
BEYOND = 2**64  # what compiled trial division takes is below


def _seconds(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    return None if value is None else options.duration(context, parameter, value)


@click.command(epilog="\n".join(["\b", "Models:", *_SUMMARIES]))
@click.option(
    "--model", type=click.Choice(list(MODELS)), default="thread", show_default=True, help="Who spins."
)
@click.option(
    "--busy",
    type=click.Choice(list(FUNCTIONS)),
    help="What keeps it busy. [default: sleep; python for coroutine-nap]",
)
@click.option(
    "--n",
    type=int,
    help=f"The number to test. [default: {NUMBERS['python']} for python, {NUMBERS['held']} for the rest]",
)
@click.option("--seconds", type=float, callback=_seconds, help=f"How long it sleeps. [default: {SECONDS:g}]")
@click.option("--quiz", is_flag=True, help="Guess which spinners keep spinning, and see each one measured.")
@click.option("--no-input", is_flag=True, help="With --quiz: don't ask, only tell.")
@click.option("--json", "json_file", metavar="FILE", help="Write what was measured; - is standard output.")
@click.pass_context
def spin(
    context: click.Context,
    model: str,
    busy: str | None,
    n: int | None,
    seconds: float | None,
    quiz: bool,
    no_input: bool,
    json_file: str | None,
) -> None:
    """Show a spinner beside work, and measure whether it froze."""
    if quiz:
        _refuse(context, "--quiz asks about models of its own", "model", "busy", "seconds", "json_file")
        _check(n, "held")
        ask(n, ask_first=not no_input, show=watch)
        return
    if no_input:
        raise InputError("--no-input is for --quiz")
    options.check_writable("--json", json_file)
    work = _work(model, busy, n, seconds)
    to_stderr = json_file == "-"
    seen = watch(model, work, to_stderr)
    click.echo("measuring the same work without a spinner ...", err=to_stderr)
    alone = seconds_alone(work)
    for sentence in sentences(seen, alone):
        click.echo(sentence, err=to_stderr)
    options.write("--json", json_file, json.dumps(seen.to_json(alone), indent=1) + "\n")


def _refuse(context: click.Context, why: str, *names: str) -> None:
    given = [name for name in names if context.get_parameter_source(name) != ParameterSource.DEFAULT]
    if given:
        listed = ", ".join(f"--{name.removesuffix('_file')}" for name in given)
        raise InputError(f"{why}; leave out {listed}")


def _work(model: str, busy: str | None, n: int | None, seconds: float | None) -> Work:
    """The work that was asked for.

    Raises:
        InputError: it makes no sense with this model, or the model can't run here.
    """
    kinds = MODELS[model].busy
    busy = kinds[0] if busy is None else busy
    if busy not in kinds:
        raise InputError(f"--model {model} makes no sense with --busy {busy}; it takes {', '.join(kinds)}")
    reason = MODELS[model].unavailable()
    if reason is not None:
        raise InputError(f"{model} can't run here: {reason}")
    if busy == SLEEP:
        if n is not None:
            raise InputError("--n is the number that a kernel tests; --busy sleep has none")
        return Work(busy, SECONDS if seconds is None else seconds)
    if seconds is not None:
        raise InputError(f"--seconds is for --busy sleep; --busy {busy} takes as long as it takes")
    _check(n, busy)
    return Work(busy, NUMBERS[busy] if n is None else n)


def _check(n: int | None, busy: str) -> None:
    if n is not None and n >= BEYOND and busy != "python":
        raise InputError(f"--n {n}: the compiled kernels take numbers below 2**64")


def watch(model: str, work: Work, to_stderr: bool = False) -> Spin:
    """Make the call with the spinner on the terminal, and say what the call returned.

    Raises:
        click.ClickException: a process that takes part died, or there is no stream to draw on.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    if stream is None:
        raise InputError(f"standard {'error' if to_stderr else 'output'} is closed: no place for a spinner")
    stream.flush()
    line = Line.on(stream, work.question)
    try:
        with _leaving_at_once(line) if MODELS[model].in_thread else nullcontext():
            seen = observe(model, work, line)
    except SpinError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Answer: {work.answered(seen.answer)}", err=to_stderr)
    return seen


@contextmanager
def _leaving_at_once(line: Line) -> Iterator[None]:
    """End on a signal without waiting: a thread can't be stopped, and Python would wait until it is done."""

    def leave(number: int, frame: FrameType | None) -> None:
        line.close()
        click.echo("interrupted", err=True)
        os._exit(128 + number)

    heard = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
