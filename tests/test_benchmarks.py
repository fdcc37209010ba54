"""The gate of `make bench-compare` passes an unchanged kernel and fails one that was slowed on purpose."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

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
        command = [sys.executable, "-m", "pytest", "benchmarks/test_kernels.py", "-q", "-k", "held and 45"]
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
