"""The option that chooses benchmarks by their names."""

from fnmatch import fnmatch

import click
import jobs as benchmarks

from primerace.duel import Task


def chosen(context: click.Context, parameter: click.Parameter, pattern: str) -> list[Task]:
    """The benchmarks whose names fit."""
    found = [task for tasks in benchmarks.tasks().values() for task in tasks if fnmatch(task.name, pattern)]
    if not found:
        raise click.BadParameter(f"{pattern!r} fits no benchmark; try 'fast/*', 'size/*' or 'dispatch/*'")
    return found


jobs = click.option(
    "--jobs",
    "tasks",
    callback=chosen,
    default="*",
    show_default=True,
    help="Only benchmarks whose names fit, such as 'avx2/*'.",
)
