"""The command that makes a page of result files."""

import click

from primerace.cli import options
from primerace.loading import load
from primerace.report import html


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", metavar="PAGE", required=True, help="The page; - is standard output.")
def report(files: tuple[str, ...], output: str) -> None:
    """Make one self-contained HTML page of saved races and sweeps.

    It has the findings, a table to sort, charts, and which worker ran which item when; two results of one
    kind are compared too. The page loads nothing from anywhere.
    """
    results = [(file, load(file)) for file in files]
    options.check_writable("--output", output, *files)
    options.write("--output", output, html.page(results))
