"""The command that draws a saved result."""

from pathlib import Path

import click

from primerace.cli import options
from primerace.cli.options import InputError
from primerace.loading import load
from primerace.report import plot as drawing
from primerace.report.plot import CHARTS, KINDS
from primerace.results import ResultError


@click.command()
@click.argument("file")
@click.option(
    "-o",
    "--output",
    metavar="PICTURE",
    required=True,
    help="A name that ends in .svg, .png or .html; - is SVG on standard output.",
)
@click.option("--chart", type=click.Choice(CHARTS), help="What to draw. [default: the first that FILE has]")
@click.option("--dark", is_flag=True, help="For a dark background.")
def plot(file: str, output: str, chart: str | None, dark: bool) -> None:
    """Draw a saved race or sweep.

    speedup shows how many times faster than sequential, with intervals and the bound; seconds shows every
    lap; timeline shows which worker ran which item when, and where it waited.
    """
    kind = _kind(output)
    options.check_writable("--output", output, file)
    result = load(file)
    try:
        content = drawing.picture(result, drawing.figure(result, chart), kind, dark)
    except ResultError as error:
        raise InputError(f"{file}: {error}") from None
    options.write("--output", output, content)


def _kind(output: str) -> str:
    """The kind of picture that the name asks for."""
    if output == "-":
        return KINDS[0]
    kind = Path(output).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise InputError(
            f"--output {output}: a picture's name ends in .{', .'.join(KINDS[:-1])} or .{KINDS[-1]}"
        )
    return kind
