"""The benchmarks: their list is whole and each one runs; the gate of `make bench-compare` passes an unchanged
kernel, fails one that was slowed on purpose, and does not compare two machines.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import jobs
import number_classes
import pytest

from primerace import simd
from primerace.duel.runner import prepared
from primerace.kernels import KERNELS
from primerace.racers import RACERS

ROOT = Path(__file__).parents[1]

TASKS = [task for tasks in jobs.tasks().values() for task in tasks]

SLOWED = """
from primerace.kernels import KERNELS, held


def held_three_times(n):
    return held(n) and held(n) and held(n)


KERNELS["held"] = held_three_times
"""


@pytest.fixture
def bench(tmp_path):
    """What `make bench` and `make bench-compare` run, for one kernel and one number."""
    (tmp_path / "slowed.py").write_text(SLOWED)

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "benchmarks/test_jobs.py", "-q", "-k", "held/d"]
        command += [f"--benchmark-storage={tmp_path}", "--benchmark-max-time=0.2", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert run("--benchmark-autosave").returncode == 0
    return run


def test_an_unchanged_kernel_passes(bench):
    done = bench("--benchmark-compare", "--benchmark-compare-fail=median:150%")
    assert done.returncode == 0, done.stdout


def test_a_slowed_kernel_fails(bench):
    done = bench("-p", "slowed", "--benchmark-compare", "--benchmark-compare-fail=median:100%")
    assert done.returncode == 1, done.stdout
    assert "Performance has regressed" in done.stdout + done.stderr


def test_a_run_of_another_machine_is_compared_only_when_forced(bench, tmp_path):
    (saved,) = tmp_path.glob("*/*.json")
    run = json.loads(saved.read_text())
    assert run["machine_info"]["primerace"]["instruction_set"] == simd.current()
    run["machine_info"]["primerace"]["cpu"] = "Z80"
    saved.write_text(json.dumps(run))
    refused = bench("--benchmark-compare")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "cpu: Z80 there" in refused.stderr
    assert bench("--benchmark-compare", "--other-machine").returncode == 0


def test_the_list_is_whole():
    names = {task.name for task in TASKS}
    assert len(names) == len(TASKS)
    inside = [*KERNELS, *simd.available()]
    assert {f"{name}/{letter}" for name in inside for letter in number_classes.CLASSES} <= names
    assert {f"dispatch/{racer}" for racer in RACERS} <= names
    assert {"import", *(f"size/{10**power}" for power in range(8))} <= names


@pytest.mark.parametrize(
    "task", [task for task in TASKS if "crew" not in task.setup], ids=lambda task: task.name
)
def test_each_job_gives_its_answers(task):
    """Those of the kernels are the answers of `fast`, for arrays those to the same numbers as ints."""
    names = prepared(asdict(task))
    try:
        answers = eval(task.work, names)
    finally:
        exec(task.teardown, names)
    if task.name not in ("import", "next_prime"):
        few = names["numbers"][:1000].tolist() if "numbers" in names else task.data[:1000]
        assert list(answers[:1000]) == [KERNELS["fast"](n) for n in few]
