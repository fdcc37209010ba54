"""Run a command, and print how long it took and the most memory that all its processes had at a time.

    python tools/peak_memory.py python examples/dask_primes.py

Memory is the sum of PSS over the command's processes, in which a page shared by k of them counts once in all.
It is read a hundred times a second: what comes and goes within 10 ms may be missed.
"""

import subprocess
import sys
import time
from contextlib import suppress

import click
import psutil

PAUSE = 0.01  # seconds between looks


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def main(command: tuple[str, ...]) -> None:
    """Run COMMAND, print what it took to standard error, and end as it does."""
    begin = time.perf_counter()
    peak = 0
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(PAUSE)
    print(f"{time.perf_counter() - begin:.2f} s, at most {peak / 1e6:.0f} MB", file=sys.stderr)
    sys.exit(process.returncode)


def memory(pid: int) -> int:
    """The bytes of a process and its children."""
    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for each in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.Error):
                total += each.memory_full_info().pss
    return total


if __name__ == "__main__":
    main()
