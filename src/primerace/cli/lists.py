"""The small commands: what there is, and single numbers."""

import click

from primerace import kernels
from primerace.cli.options import InputError
from primerace.lineup import known
from primerace.racers import RACERS


@click.command()
def racers() -> None:
    """List racers and kernels, and why some can't run here."""
    width = max(map(len, [*RACERS, *kernels.KERNELS]))
    click.echo("racers")
    for name, racer in RACERS.items():
        reason = racer().available()
        click.echo(f"  {name:{width}}  {racer.summary}" + (f" (not here: {reason})" if reason else ""))
    click.echo("kernels")
    for name, summary in kernels.SUMMARIES.items():
        click.echo(f"  {name:{width}}  {summary}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("numbers", nargs=-1, required=True, metavar="N...")
@click.option("--kernel", default="fast", show_default=True, help="How each number is tested.")
def check(numbers: tuple[str, ...], kernel: str) -> None:
    """Tell of each number whether it is prime."""
    known("kernel", [kernel], kernels.KERNELS)
    for number in [_integer(word) for word in numbers]:
        try:
            answer = kernels.KERNELS[kernel](number)
        except OverflowError as error:
            raise InputError(str(error)) from None
        click.echo(f"{number} is {'prime' if answer else 'not prime'}")


def _integer(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise InputError(f"not an integer: {word!r}") from None
