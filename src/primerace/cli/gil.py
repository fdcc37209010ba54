"""The command that tells what a call does with the GIL."""

import json
from typing import Any

import click

from primerace import target
from primerace.cli import options
from primerace.cli.options import InputError
from primerace.exits import FAILED
from primerace.gil import ProbeError
from primerace.gil.child import Request
from primerace.gil.probe import TIMEOUT, run
from primerace.plain import shown
from primerace.report.evidence import evidence


@click.command()
@click.argument("function", metavar="MODULE:FUNCTION")
@click.option("--args", metavar="JSON", help="Its arguments: a list, or an object of keyword arguments.")
@click.option(
    "--call",
    metavar="EXPRESSION",
    help="Evaluate this instead. It knows the function by its name, and all names of the function's module.",
)
@click.option(
    "--timeout",
    type=float,
    default=TIMEOUT,
    show_default=True,
    callback=options.duration,
    help="Seconds for all of it.",
)
@click.option("--json", "json_file", metavar="FILE", help="Write the verdict; - is standard output.")
def gil(function: str, args: str | None, call: str | None, timeout: float, json_file: str | None) -> int:
    """Tell whether a call holds, yields or releases the GIL.

    The call is made a few times in a process of its own, beside a thread that beats. What the call prints is
    dropped.

    \b
    primerace gil hashlib:pbkdf2_hmac --call 'pbkdf2_hmac("sha256", b"a", b"b", 10**6)'
    primerace gil ./script.py:crunch --args '[1000000]'
    """
    if args is not None and call is not None:
        raise InputError("--args and --call exclude each other")
    target.parts(function)
    _check_expression(call)
    positional, named = _arguments(args)
    options.check_writable("--json", json_file)
    try:
        verdict = run(Request(function, function, positional, named, call), timeout)
    except ProbeError as error:
        click.echo(f"Error: {error}", err=True)
        return FAILED
    for line in (str(verdict), *evidence(verdict)):
        click.echo(line, err=json_file == "-")
    options.write("--json", json_file, json.dumps(verdict.to_json(), indent=1) + "\n")
    return 0


def _check_expression(call: str | None) -> None:
    try:
        compile("None" if call is None else call, "--call", "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = str(error) or "nested too deeply"
        raise InputError(f"--call {shown(call)} is no expression: {why}") from None


def _arguments(text: str | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        given = json.loads("[]" if text is None else text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--args {shown(text)} is no JSON: {error}") from None
    if isinstance(given, dict):
        return (), given
    if isinstance(given, list):
        return tuple(given), {}
    raise InputError(f"--args {shown(text)} is neither a list of arguments nor an object of keyword ones")
