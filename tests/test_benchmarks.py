"""The benchmarks: their list is whole and each one runs, but for racers that are slow to start, which have
tests of their own. The gate of `make bench-compare` passes an unchanged kernel, fails one that was slowed on
purpose, and does not compare two machines. `make duel` ends with 1 only where something is slower.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import click
import duel_revisions
import jobs
import jsonschema
import number_classes
import pytest
from click.testing import CliRunner

from primerace import simd
from primerace.duel import Contender, Duel, Score, Task
from primerace.duel.runner import Unavailable, prepared
from primerace.duel.score import FEWEST_PAIRS
from primerace.kernels import KERNELS
from primerace.racers import RACERS

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[1]

SCHEMA = json.loads((ROOT / "docs" / "duel.schema.json").read_text())

TASKS = [task for tasks in jobs.tasks().values() for task in tasks]

SIDE = Contender("A", sys.executable)
EQUAL, SLOWER = [(1.0, 1.0)] * FEWEST_PAIRS, [(1.0, 1.3)] * FEWEST_PAIRS
NOISY = [(1.0, 0.7), (1.0, 1.3)] * (FEWEST_PAIRS // 2)

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
    assert {"import", "workers/2", *(f"size/{10**power}" for power in range(8))} <= names


def answers_of(task):
    """What the task's work gives here, and the names that it knows."""
    names = prepared(asdict(task))
    try:
        return eval(task.work, names), names
    finally:
        exec(task.teardown, names)


@pytest.mark.parametrize(
    "task", [task for task in TASKS if "crew" not in task.setup], ids=lambda task: task.name
)
def test_each_job_gives_its_answers(task):
    """Those of the kernels are the answers of `fast`, for arrays those to the same numbers as ints."""
    answers, names = answers_of(task)
    if task.name not in ("import", "next_prime"):
        few = names["numbers"][:1000].tolist() if "numbers" in names else task.data[:1000]
        assert list(answers[:1000]) == [KERNELS["fast"](n) for n in few]


@pytest.mark.parametrize("task", jobs.tasks()["dispatch"], ids=lambda task: task.name)
def test_each_racer_is_handed_its_items(task):
    try:
        answers, _ = answers_of(task)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert answers == [None] * jobs.ITEMS


class TestRevisions:
    """What `make duel` makes of a duel and its rematch, and how it ends where there is none."""

    @pytest.fixture
    def compared(self, monkeypatch, tmp_path):
        """Compares without a build: one job, which takes these pairs, and those in the rematch."""
        monkeypatch.setattr(duel_revisions, "leave_tidily", lambda: None)
        monkeypatch.setattr(duel_revisions, "built", lambda *_: sys.executable)

        def run(*bouts):
            coming = iter(bouts)
            monkeypatch.setattr(
                duel_revisions, "fight", lambda duel, *_: duel.scores[0].pairs.extend(next(coming))
            )
            options = ["--jobs", "next_prime", "--json", str(tmp_path / "duel.json")]
            done = CliRunner().invoke(duel_revisions.main, options)
            result = json.loads((tmp_path / "duel.json").read_text())
            jsonschema.validate(result, SCHEMA)
            return done.exit_code, done.output, result

        return run

    def test_without_a_difference(self, compared):
        code, output, result = compared(EQUAL)
        assert (code, "rematch" in result) == (0, False)

    @pytest.mark.parametrize(
        ("pairs", "code", "told"),
        [
            (EQUAL, 0, "then no difference shown (1.000 [1.000–1.000])\n"),
            (SLOWER, 1, "then slower (1.300 [1.300–1.300])\n"),
            (NOISY, 1, "then too noisy (1.000 [0.700–1.300]): slower remains slower\n"),
        ],
    )
    def test_what_is_slower_is_fought_once_more(self, compared, pairs, code, told):
        found, output, result = compared(SLOWER, pairs)
        assert found == code
        assert f"next_prime: first slower (1.300 [1.300–1.300]), {told}" in output
        for each, taken in ((result, SLOWER), (result["rematch"], pairs)):
            assert each["tasks"][0]["pairs"] == [list(pair) for pair in taken]
        assert result["seed"] != result["rematch"]["seed"]

    def test_what_fails_in_the_rematch_remains_slower(self):
        task = Task("one", "", "0")
        first, second = Duel(SIDE, SIDE, [task]), Duel(SIDE, SIDE, [task])
        first.scores, second.scores = [Score(task, SLOWER)], [Score(task, failed="A: it raised")]
        assert duel_revisions.counting(first, second) == first.scores
        (told,) = duel_revisions.told_twice(first, second)
        assert told.endswith("then failed (A: it raised): slower remains slower")

    def test_a_revision_that_there_is_not(self, monkeypatch):
        monkeypatch.setattr(duel_revisions, "leave_tidily", lambda: None)
        done = CliRunner().invoke(duel_revisions.main, ["no-such-revision", "--jobs", "next_prime"])
        assert done.exit_code == 2
        assert "Error: git rev-parse" in done.output

    @pytest.mark.parametrize(
        ("end", "code", "told"),
        [
            (click.ClickException("pip wheel failed"), 2, "Error: pip wheel failed"),
            (FileNotFoundError(2, "No such file", "git"), 2, "Error: [Errno 2] No such file: 'git'"),
            (KeyboardInterrupt(), 130, "duel.json is not written"),
        ],
    )
    def test_a_duel_that_does_not_begin(self, monkeypatch, tmp_path, end, code, told):
        def built(*_):
            raise end

        monkeypatch.setattr(duel_revisions, "leave_tidily", lambda: None)
        monkeypatch.setattr(duel_revisions, "built", built)
        options = ["--jobs", "next_prime", "--json", str(tmp_path / "duel.json")]
        done = CliRunner().invoke(duel_revisions.main, options)
        assert done.exit_code == code
        assert told in done.output
