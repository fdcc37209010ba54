"""The named benchmarks under pytest-benchmark: `pytest benchmarks/test_jobs.py -k held`."""

import subprocess
import sys
from dataclasses import asdict
from typing import Any

import jobs
import pytest

from primerace.duel.runner import Unavailable, prepared
from primerace.duel.task import Task

GROUPS = [(group, task) for group, tasks in jobs.tasks().items() for task in tasks]


@pytest.mark.parametrize(("group", "task"), GROUPS, ids=[task.name for _, task in GROUPS])
def test_job(benchmark: Any, group: str, task: Task) -> None:
    benchmark.group = group
    if task.once:
        command = [sys.executable, "-c", f"{task.setup}\n{task.work}"]
        benchmark.pedantic(lambda: subprocess.run(command, check=True), rounds=20, warmup_rounds=1)
        return
    try:
        names = prepared(asdict(task))
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        benchmark(eval(f"lambda: {task.work}", names))
    finally:
        exec(task.teardown, names)
