"""The campaigns that run by hand: none of them passes without having shown anything."""

import subprocess
import sys
from pathlib import Path
from time import monotonic

import duel_quality
import duel_revisions
import pytest
from click.testing import CliRunner

from primerace.duel import Contender, Duel, Score, Task
from primerace.duel.score import FEWEST_PAIRS

ROOT = Path(__file__).parents[1]

SIDE = Contender("A", sys.executable)
EQUAL, TWICE = [(1.0, 1.0)] * FEWEST_PAIRS, [(1.0, 2.0)] * FEWEST_PAIRS


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        ("fuzz", "--count -5"),
        ("leaks", "--calls -1"),
        ("leaks", "--calls 0 --races 0"),
        ("random_numbers.py", "--count 0"),
        ("aa.py", "--races 0"),
        ("gil_quality.py", "--probes 0"),
        ("soak", "--minutes 0"),
        ("duel_quality.py", "--duels 0"),
        ("duel_quality.py", "--jobs nonsense"),
    ],
)
def test_nothing_to_do_is_an_error(tool, options, monkeypatch):
    if tool == "random_numbers.py":
        pytest.importorskip("gmpy2")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'benchmarks'}:{ROOT / 'tests'}", prepend=":")
    command = [sys.executable, str(ROOT / "tools" / tool), *options.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Error: " in done.stderr


def test_jobs_that_fit_no_benchmark():
    done = CliRunner().invoke(duel_revisions.main, ["main", "--jobs", "nonsense"])
    assert done.exit_code == 2
    assert "fits no benchmark" in done.output


class TestDuelsOfABuildAgainstItself:
    @pytest.fixture
    def passed(self, monkeypatch):
        """Two passes over two jobs, of which the second comes out as it is given."""

        def run(seconds=60.0, **second):
            scores = [Score(Task(name, "", "0")) for name in ("first", "second")]
            duel = Duel(SIDE, SIDE, [])
            outcome = [Score(scores[0].task, EQUAL), Score(scores[1].task, **second)]
            monkeypatch.setattr(duel_quality, "introduced", lambda *_: duel)
            monkeypatch.setattr(duel_quality, "fought", lambda *_: outcome)
            passes = duel_quality.Passes(SIDE, 2, monotonic() + seconds)
            passes.run([score.task for score in scores])
            return passes.is_good(), list(passes.report())

        return run

    def test_that_find_nothing(self, passed):
        good, report = passed(pairs=EQUAL)
        assert good
        assert report[0] == "2 of 2 passes over the jobs from first on"

    def test_that_find_a_difference(self, passed):
        good, report = passed(pairs=TWICE)
        assert not good
        assert "  slower by chance: second 2.000 [2.000–2.000]" in report

    def test_that_fail(self, passed):
        good, report = passed(failed="A: it raised")
        assert not good
        assert report[-1] == "  failed: second: A: it raised"

    def test_of_what_is_not_here(self, passed):
        good, report = passed(missing="A: no such kernel")
        assert good
        assert report[1].endswith("2 of 2 (100.0%)")

    def test_whose_time_is_up(self, passed):
        good, report = passed(seconds=-1.0, pairs=EQUAL)
        assert not good
        assert report == [
            "0 of 2 passes over the jobs from first on: incomplete",
            "against itself: no verdict at all",
        ]
