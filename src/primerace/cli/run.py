"""The command that runs one lap, shown as it happens."""

from time import perf_counter

import click

from primerace import kernels as kernel_table
from primerace import machine
from primerace.checking import find_fault
from primerace.cli import engines as engine_options
from primerace.cli import options
from primerace.cli.options import InputError
from primerace.exits import FAILED, GOOD
from primerace.job import Job
from primerace.lineup import known, unsuited
from primerace.racers import RACERS
from primerace.racers.engines import Engines
from primerace.report.heading import counted


@click.command()
@click.option("--racer", default="sequential", show_default=True, help="Who runs the job.")
@click.option("--kernel", default="python", show_default=True, help="How each number is tested.")
@options.items
@options.workers
@options.start_method
@engine_options.options
def run(
    racer: str,
    kernel: str,
    items: str | None,
    workers: int | None,
    start_method: str | None,
    engines: Engines,
) -> int:
    """Run one lap and show each number as it completes: P marks a prime."""
    known("racer", [racer], RACERS)
    known("kernel", [kernel], kernel_table.KERNELS)
    engine_options.check(engines, [racer])
    job = Job.load(items or "book")
    runner = RACERS[racer](start_method, engines).for_kernel(kernel)
    reason = runner.available() or unsuited(runner, [kernel])
    if reason is not None:
        raise InputError(f"{racer} can't run here: {reason}")
    workers = 1 if runner.single else workers or machine.usable_cores()
    width = max(len(str(item)) for item in job.items)
    outcomes = []
    with runner.start(workers) as crew:
        started = perf_counter()
        for outcome in crew.run(kernel_table.KERNELS[kernel], job.items):
            outcomes.append(outcome)
            mark = "P" if outcome.answer else " "
            click.echo(f"{job.items[outcome.index]:{width}}  {mark} {outcome.seconds:11.6f}s")
        total = perf_counter() - started
    checks, crowd = counted(len(outcomes), "check"), counted(workers, "worker")
    click.echo(f"{checks} by {racer}/{kernel} with {crowd}: {total:.3f}s")
    fault = find_fault(job, outcomes, job.expected)
    if fault is not None:
        click.echo(f"Error: {fault}", err=True)
    return GOOD if fault is None else FAILED
