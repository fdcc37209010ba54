"""A running cluster of Dask for tests: a scheduler and worker processes, as its own commands start them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from watching import eventually, gone

START = 30.0  # seconds that a command has on a loaded machine


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its workers.

    Args:
        address: of the scheduler.
        scheduler: its process.
        nannies: processes that start the worker processes, and start them again when they die.
    """

    address: str
    scheduler: psutil.Process
    nannies: list[psutil.Process]

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        children = [child for nanny in self.nannies for child in nanny.children()]
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@contextmanager
def running_cluster(folder: Path, workers: int, path: str | None = None) -> Iterator[Cluster]:
    """A cluster on free ports of the loopback interface, with workers of one thread each.

    Its workers can import what is on `path`, which else has the functions of the tests.
    """
    file = folder / "scheduler.json"
    environment = os.environ | {
        "PYTHONPATH": path or os.path.dirname(__file__),
        "DASK_TEMPORARY_DIRECTORY": str(folder),
    }
    log = (folder / "log").open("w")
    processes: list[subprocess.Popen[bytes]] = []

    def start(command: str, *options: str) -> psutil.Process:
        module = f"distributed.cli.dask_{command}"
        always = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", module, *always, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder,
                env=environment,
            )
        )
        return psutil.Process(processes[-1].pid)

    try:
        scheduler = start("scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        nannies = [
            start("worker", "--nthreads", "1", "--memory-limit", "0", "--local-directory", str(folder))
            for _ in range(workers)
        ]
        assert eventually(lambda: file.exists() and file.stat().st_size, START)
        yield Cluster(json.loads(file.read_text())["address"], scheduler, nannies)
    finally:
        everybody = [psutil.Process(each.pid) for each in processes if each.poll() is None]
        everybody += [child for each in everybody for child in each.children(recursive=True)]
        for process in everybody:
            process.send_signal(signal.SIGKILL)
        for each in processes:
            each.wait()
        gone(everybody)
        log.close()
