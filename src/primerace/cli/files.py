"""The commands that read result files."""

import click

from primerace.cli import options
from primerace.cli.options import InputError
from primerace.loading import load
from primerace.report import exports, text
from primerace.report.comparison import compare_results
from primerace.results import SweepResult


@click.command()
@click.argument("file")
@click.option("--explain", is_flag=True, help="Show why each racer has its speed-up, and what it costs.")
@options.csv_file
@options.markdown_file
def show(file: str, explain: bool, csv_file: str | None, markdown_file: str | None) -> None:
    """Print what a saved race or sweep found."""
    result = load(file)
    if explain and isinstance(result, SweepResult):
        raise InputError("--explain is for races")
    for option, path in {"--csv": csv_file, "--markdown": markdown_file}.items():
        options.check_writable(option, path, file)
    options.write("--csv", csv_file, exports.csv_table(result))
    options.write("--markdown", markdown_file, exports.markdown_table(result))
    console = options.console(stderr="-" in (csv_file, markdown_file))
    if isinstance(result, SweepResult):
        text.print_sweep(result, console)
    else:
        text.print_race(result, console, explain)


@click.command()
@click.argument("before")
@click.argument("after")
@options.csv_file
@options.markdown_file
def compare(before: str, after: str, csv_file: str | None, markdown_file: str | None) -> None:
    """Compare two saved results, contestant by contestant; says which facts of the machine differ."""
    comparison = compare_results(load(before), load(after))
    for option, path in {"--csv": csv_file, "--markdown": markdown_file}.items():
        options.check_writable(option, path, before, after)
    options.write("--csv", csv_file, exports.csv_comparison(comparison))
    options.write("--markdown", markdown_file, exports.markdown_comparison(comparison))
    text.print_comparison(comparison, options.console(stderr="-" in (csv_file, markdown_file)))


@click.command()
@click.argument("file")
@click.option("--pyperf", "pyperf_file", metavar="FILE", required=True, help="Write for `python -m pyperf`.")
def export(file: str, pyperf_file: str) -> None:
    """Hand a saved result to another tool."""
    result = load(file)
    if not result.laps:
        raise InputError(f"{file}: there is no lap in it")
    options.check_writable("--pyperf", pyperf_file, file)
    options.write("--pyperf", pyperf_file, exports.pyperf(result))
