"""Standard streams that were closed before the command line started, as `>&-` of a shell does."""

import shlex
import subprocess
import sys
from textwrap import dedent

import pytest

WORK = """
import os

def noisy(n):
    print("from Python")
    os.system("echo from a child")
    return n
"""


@pytest.fixture
def race(tmp_path):
    """Runs a short race in a shell that closes streams first; a traceback is a failure."""
    (tmp_path / "work.py").write_text(dedent(WORK))
    (tmp_path / "items").write_text("1\n2\n")

    def run(closing, *words):
        whole = (
            *(sys.executable, "-m", "primerace", "race", "--function", "work:noisy", "--items", "items"),
            *("--racers", "sequential,processes", "--rounds", "1", *words),
        )
        command = f"{shlex.join(whole)} {closing}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_race_is_held_and_the_output_is_ours_alone(race, tmp_path, closing):
    done = race(closing, "--csv", "out.csv")
    assert done.returncode == 0
    assert (tmp_path / "out.csv").read_text().startswith("racer,")
    assert ("sequential" in done.stdout) is (">&-" not in closing.split())
    assert "from" not in done.stdout
    for place in ("from Python", "from a child"):
        assert (place in done.stderr) is ("2>&-" not in closing)
