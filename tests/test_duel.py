"""The duel: what it finds between two Pythons, what it can't judge, and that nothing of it is left."""

import json
import signal
import subprocess
import sys
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path

import jobs
import jsonschema
import numpy as np
import pytest
from watching import descendants, eventually, gone, interrupt, start

from primerace.duel import Duel, DuelError, find, task
from primerace.duel.runner import calibrated, content_of
from primerace.duel.score import FEWEST_PAIRS, Score
from primerace.duel.verdict import FASTER, NOISY, SAME, SLOWER, is_alarm, judge
from primerace.report.duel import row, same_place, sentences
from primerace.stats import Ratio

pytestmark = pytest.mark.alone

PYTHON = sys.executable
SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "duel.schema.json").read_text())

NOISY_PAIRS = [(1.0, 0.8), (1.0, 1.2)] * (FEWEST_PAIRS // 2)

# The side that the script `slow` starts is to be slower, on a loaded machine too: it counts 8 times as far.
WORK = """
import os
import signal
import time

IS_SLOW = "SLOW_SIDE" in os.environ

def count(n):
    return sum(range(n)) > 0

def crunch(n):
    return sum(range(8 * n if IS_SLOW else n)) > 0

def differ(n):
    return n + IS_SLOW

def raise_there(n):
    if IS_SLOW:
        raise ValueError("not\\n on this side")

def die(n):
    os.kill(os.getpid(), signal.SIGKILL)

def leave(n):
    os._exit(0)

def hang(n):
    print("printed by the job", flush=True)
    open("hanging", "w").close()
    while True:
        pass

def nap(n):
    time.sleep(n)

def never_the_same(n):
    return time.perf_counter_ns()

def long(n):
    return "a" * 600 + str(IS_SLOW)

class Thing:
    pass

def thing(n):
    return [n, Thing()]

def thing_and_more(n):
    return [n + IS_SLOW, Thing()]

def items():
    yield 20_000
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the jobs, their items, and a second name for this Python."""
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "items.json").write_text("[20000]")
    command(tmp_path / "slow", f'SLOW_SIDE=1 exec {PYTHON} "$@"')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(path, line):
    """Write a command of one line."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def duel(*arguments, code=0):
    """Run the command; a traceback is a failure, and so is another exit code."""
    done = subprocess.run(
        [PYTHON, "-m", "primerace", "duel", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    return done


def build(path, kernels):
    """A Python whose primerace has this module of kernels and no other."""
    package = path.with_suffix(".site") / "primerace"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "kernels.py").write_text(kernels)
    command(path, f'PYTHONPATH={package.parent} exec {PYTHON} "$@"')
    return find(str(path))


def own(name):
    """The options of one of the jobs."""
    return "--function", f"./work.py:{name}", "--items", "items.json"


class TestRule:
    @pytest.mark.parametrize(
        ("ratio", "verdict", "alarm"),
        [
            (Ratio(1.03, 1.01, 1.05), SLOWER, True),
            (Ratio(1.01, 1.001, 1.02), SLOWER, False),
            (Ratio(0.97, 0.95, 0.99), FASTER, False),
            (Ratio(1.0, 0.985, 1.015), SAME, False),
            (Ratio(1.03, 0.99, 1.07), NOISY, False),
            (Ratio(1.0), NOISY, False),
        ],
    )
    def test_verdicts(self, ratio, verdict, alarm):
        assert judge(ratio, 0.02) == verdict
        assert is_alarm(ratio, 0.02) == alarm

    def test_too_few_pairs_have_no_verdict(self):
        score = Score(task.of_kernel("held", [97], "one"), [(1.0, 2.0)] * (FEWEST_PAIRS - 1))
        assert score.verdict(0.02) is None
        score.pairs.append((1.0, 2.0))
        assert score.verdict(0.02) == SLOWER
        assert score.ratio == Ratio(2.0, 2.0, 2.0)


class TestContender:
    def test_a_virtual_environment_is_its_python(self, tmp_path):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "python").symlink_to(PYTHON)
        assert find(str(tmp_path)).executable == str(tmp_path / "bin" / "python")

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("no-such-python", "no command of that name"),
            ("./no/such/python", "no such file that can be run"),
            ("/", "no virtual environment"),
        ],
    )
    def test_what_is_none_is_an_error(self, name, reason):
        with pytest.raises(DuelError, match=reason):
            find(name)
        assert reason in duel(name, PYTHON, code=2).stderr

    def test_a_command_that_is_no_python(self):
        assert "ls: this Python did not run, exit status" in duel("ls", "ls", code=2).stderr


class TestContent:
    """Two processes give the same text for the same value, and another one for another value."""

    @pytest.mark.parametrize(
        ("value", "other"),
        [
            (None, False),
            (1, True),
            (10**30, 10**30 + 1),
            (0.1, 0.2),
            (1 + 2j, 1 + 3j),
            ("a", b"a"),
            (bytearray(b"a"), bytearray(b"b")),
            (Decimal("1.5"), Decimal("1.6")),
            (Fraction(1, 3), Fraction(2, 3)),
            (date(2000, 1, 2), date(2000, 1, 3)),
            (datetime(2000, 1, 2, tzinfo=UTC), datetime(2000, 1, 2)),
            (timedelta(1), timedelta(2)),
            (range(3), range(4)),
            ({"a", "b", 1}, {"a", "b", 2}),
            (frozenset([(1, 2)]), frozenset([(1, 3)])),
            (set(), {}),
            ({"a": {1}}, {"a": {2}}),
            (([1], 2), ([1], 3)),
            (np.arange(3), np.arange(1, 4)),
            (np.float64(1.5), np.float64(1.25)),
            (np.zeros(2000, bool), np.ones(2000, bool)),
        ],
    )
    def test_values_are_told_apart(self, value, other):
        opaque = set()
        assert content_of([value], opaque) != content_of([other], opaque)
        assert content_of([value], opaque) == content_of([deepcopy(value)], opaque)
        assert not opaque

    def test_order_counts_in_lists_alone(self):
        """Each process has an order of its own in a set of texts."""
        assert content_of({"b": 1, "a": 2}, set()) == content_of({"a": 2, "b": 1}, set())
        assert content_of([1, 2], set()) != content_of([2, 1], set())

    def test_floating_point_numbers_count_to_nine_digits(self):
        assert content_of([0.1 + 0.2, 0.1 + 0.2 + 1j], set()) == content_of([0.3, 0.3 + 1j], set())

    def test_what_is_opaque_is_named_and_hides_nothing_else(self):
        opaque = set()
        content = content_of([{"a": (n for n in [1])}, object(), 1], opaque)
        assert opaque == {"generator", "object"}
        assert content == "[{'a': <generator>}, <object>, 1]"

    def test_many_flags_of_any_kind(self):
        """A column of pandas has the type of an array, but no bytes."""
        pandas = pytest.importorskip("pandas")
        opaque = set()
        assert content_of(pandas.Series([True] * 2000), opaque) == content_of([True] * 2000, opaque)
        assert not opaque


class TestCalibration:
    @pytest.mark.parametrize(
        ("seconds", "loops", "laps"), [(20.0, 1, 1), (0.31, 1, 1), (0.29, 1, 3), (0.003, 1, 3), (0.001, 4, 3)]
    )
    def test_of_long_work_one_lap_is_enough(self, seconds, loops, laps):
        assert calibrated(lambda _: seconds, 0.003) == {"loops": loops, "laps": laps, "seconds": seconds}

    def test_the_first_trial_fits_in_the_time_of_all_others(self, folder):
        """Each does the work twice; four times would be too much."""
        work = task.of_function("work:nap", str(folder), [1.0], "nap")
        match = Duel(find(PYTHON), find(PYTHON), [work], timeout=3.5)
        list(match.introduce())
        assert match.scores[0].failed is None


class TestBuild:
    """What a build lacks is no failure of it, as where it is older; that it is broken is one."""

    def test_what_it_lacks_is_not_here(self, tmp_path):
        older = build(tmp_path / "older", "KERNELS = {}")
        match = Duel(older, find(PYTHON), [each for tasks in jobs.tasks().values() for each in tasks])
        list(match.introduce())
        missing = {score.task.name: score.missing for score in match.scores if score.missing}
        assert {score.task.name for score in match.scores} - set(missing) == {"import"}
        assert missing["held/a"] == f"{older.label}: this primerace has no kernel held"
        lacking = f"{older.label}: not in this primerace: "
        assert missing["size/1"].startswith(f"{lacking}cannot import name 'is_prime' from 'primerace'")
        assert missing["dispatch/threads"] == f"{lacking}No module named 'primerace.racers'"
        assert not any(score.alarms(match.threshold) for score in match.scores)

    @pytest.mark.parametrize("work", [task.of_kernel, partial(task.of_racer, "threads", workers=2)])
    def test_a_kernel_it_does_not_have(self, tmp_path, work):
        found = work(kernel="gone", items=[97], name="one")
        match = Duel(find(PYTHON), find(PYTHON), [found])
        list(match.introduce())
        assert match.scores[0].missing == f"{PYTHON}: this primerace has no kernel gone"

    @pytest.mark.parametrize(
        ("kernels", "error"),
        [
            ("from primerace.trial import held", "ModuleNotFoundError: No module named 'primerace.trial'"),
            ("from primerace import held", "ImportError: cannot import name 'held' from 'primerace'"),
            ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
        ],
    )
    def test_what_is_broken_in_it_has_failed(self, tmp_path, kernels, error):
        broken = build(tmp_path / "broken", kernels)
        match = Duel(broken, find(PYTHON), [task.of_kernel("held", [97], "one")])
        list(match.introduce())
        assert match.scores[0].failed.startswith(f"{broken.label}: {error}")


class TestMatch:
    def test_against_itself_it_is_not_slower(self):
        """Where the machine is noisy enough for chance, the second duel is not slower."""
        assert any(self.verdict() != SLOWER for _ in range(2))

    def verdict(self):
        match = Duel(find(PYTHON), find(PYTHON), [task.of_kernel("held", [99990001] * 20, "one")])
        list(match.introduce())
        (score,) = [list(match.run(FEWEST_PAIRS)), match.scores][1]
        assert len(score.pairs) == FEWEST_PAIRS
        assert score.failed is score.missing is None
        return score.verdict(match.threshold)

    def test_jobs_that_go_wrong_take_no_other_with_them(self, folder):
        names = ("die", "raise_there", "differ", "count")
        tasks = [task.of_function(f"work:{name}", str(folder), [1000], name) for name in names]
        tasks.append(task.of_function("work:nothing", str(folder), [1], "nothing"))
        tasks.append(task.of_racer("no-such-racer", "held", 2, [97], "racer"))
        match = Duel(find(PYTHON), find("./slow"), tasks, timeout=30)
        assert {score.task.name for score in match.introduce()} == {*names, "nothing", "racer"}
        list(match.run(FEWEST_PAIRS))
        die, raise_there, differ, count, nothing, racer = match.scores
        assert die.failed == f"{PYTHON}: the job ended its process, killed by SIGKILL"
        assert raise_there.failed == "./slow: ValueError: not on this side"
        assert differ.failed == f"item 0: {PYTHON} answers 1000, ./slow answers 1001"
        assert nothing.missing == f"{PYTHON}: work has no 'nothing'"
        assert racer.missing is not None
        assert len(count.pairs) == FEWEST_PAIRS
        assert [row(score, 0.02)[1] for score in (die, nothing)] == ["failed", "not here"]
        assert [score.alarms(0.02) for score in (die, nothing)] == [True, False]
        jsonschema.validate(json.loads(json.dumps(match.to_json())), SCHEMA)
        assert any("the job ended its process" in sentence for sentence in sentences(match))

    def test_answers_that_can_not_be_compared_are_told(self, folder):
        names = ("thing", "count")
        tasks = [task.of_function(f"work:{name}", str(folder), [1000], name) for name in names]
        match = Duel(find(PYTHON), find("./slow"), tasks)
        list(match.introduce())
        found = [(score["compared"], score["opaque"]) for score in match.to_json()["tasks"]]
        assert found == [(False, ["Thing"]), (True, [])]
        assert [sentence for sentence in sentences(match) if "type Thing can't be compared" in sentence]

    def test_a_racer_and_the_first_import(self):
        tasks = [
            task.of_racer("threads", "released", 2, [97, 91], "threads"),
            task.Task("import", "", "__import__('primerace')", once=True),
        ]
        match = Duel(find(PYTHON), find(PYTHON), tasks)
        list(match.introduce())
        list(match.run(FEWEST_PAIRS))
        threads, imported = match.scores
        assert len(threads.pairs) == len(imported.pairs) == FEWEST_PAIRS
        assert (imported.loops, imported.laps) == (1, 1)
        assert match.to_json()["tasks"][1]["laps"] == 1
        assert min(min(pair) for pair in imported.pairs) > 1e-4  # it was really imported, not found loaded

    def test_how_long_it_takes_is_known_before(self, folder):
        """A trial of long work does it twice: once to warm up, and once timed."""
        match = Duel(find(PYTHON), find(PYTHON), [task.of_function("work:nap", str(folder), [0.5], "nap")])
        list(match.introduce())
        assert match.scores[0].laps == 1
        expected = match.expected_seconds(FEWEST_PAIRS, 1.0)
        assert 4 * 0.5 * FEWEST_PAIRS <= expected < 3 * 4 * 0.5 * FEWEST_PAIRS
        assert match.expected_seconds(None, 1.0) == expected
        assert match.expected_seconds(None, 1000.0) == 1000.0

    def test_a_rematch_knows_the_sides_and_begins_from_nothing(self, folder):
        match = Duel(
            find(PYTHON), find("./slow"), [task.of_function("work:count", str(folder), [1000], "count")]
        )
        list(match.introduce())
        list(match.run(FEWEST_PAIRS))
        again = match.rematch(match.scores, seed=1)
        assert (again.facts, again.scores[0].loops) == (match.facts, match.scores[0].loops)
        assert again.scores[0].pairs == []
        list(again.run(FEWEST_PAIRS))
        assert len(again.scores[0].pairs) == len(match.scores[0].pairs) == FEWEST_PAIRS

    def test_one_primerace_on_both_sides_is_told(self):
        facts = {"location": "/somewhere/primerace", "executable": "/a/python"}
        assert "both sides import primerace" in same_place([facts, {**facts, "executable": "/b/python"}])
        assert same_place([facts, facts]) is None


class TestReport:
    @pytest.mark.parametrize(("planned", "more"), [((10, None), "--pairs"), ((None, 30.0), "--seconds")])
    def test_of_many_jobs_what_is_too_noisy_is_told(self, planned, more):
        match = Duel(find(PYTHON), find(PYTHON), [])
        names, pairs = ("noisy", "equal"), (NOISY_PAIRS, [(1.0, 1.0)] * FEWEST_PAIRS)
        tasks = [task.of_kernel("held", [97], name) for name in names]
        match.scores, match.planned = list(map(Score, tasks, pairs)), planned
        noisy, summary = sentences(match)
        assert noisy.startswith("noisy: too noisy: B takes between 20.0% less and 20.0% more time than A.")
        assert noisy.endswith(f"take more {more} or a quieter machine.")
        assert summary.startswith("2 jobs: 1 too noisy, 1 no difference shown")


class TestCommand:
    def test_a_slower_side_is_found(self, folder):
        done = duel(PYTHON, "./slow", *own("crunch"), "--pairs", "15", "--json", "-", code=1)
        result = json.loads(done.stdout)
        jsonschema.validate(result, SCHEMA)
        (found,) = result["tasks"]
        assert (result["planned_pairs"], result["planned_seconds"], found["data"]) == (15, None, [20000])
        assert (result["kind"], found["verdict"]) == ("duel", SLOWER)
        assert 4.8 < found["ratio"]["value"] < 16
        assert len(found["pairs"]) >= FEWEST_PAIRS
        assert "slower: B takes" in done.stderr
        assert "15 pairs, expected to take about " in done.stderr

    def test_the_other_way_round_it_is_faster(self, folder):
        done = duel("./slow", PYTHON, *own("crunch"), "--pairs", "15")
        assert "faster: B takes" in done.stdout
        assert f"B  {PYTHON}: CPython" in done.stdout

    def test_another_python_needs_no_primerace_for_a_function(self, folder):
        """-S hides all that is installed: what is compared then is a Python without primerace."""
        command(folder / "bare", f'exec {PYTHON} -S -E "$@"')
        job = ("--function", "work:count", "--items-from", "work:items")
        done = duel("./bare", PYTHON, *job, "--pairs", "10", "--threshold", "50%")
        assert "work:count" in done.stdout
        missing = duel("./bare", PYTHON, code=2).stderr
        assert "./bare: primerace is not installed there" in missing

    @pytest.mark.parametrize(
        ("name", "message", "code"),
        [
            ("raise_there", "./slow: ValueError: not on this side", 1),
            ("die", "the job ended its process, killed by SIGKILL", 1),
            ("leave", "the job ended its process, exit status 0", 1),
            ("differ", "answers 20000, ./slow answers 20001", 1),
            ("long", "item 0: ", 1),
            ("thing_and_more", "answers [20000, <Thing>], ./slow answers [20001, <Thing>]", 1),
        ],
    )
    def test_what_can_not_be_judged(self, folder, name, message, code):
        (folder / "duel.json").write_text("the verdict of another day")
        done = duel(PYTHON, "./slow", *own(name), "--json", "duel.json", code=code)
        assert message in done.stderr
        assert done.stdout == ""
        result = json.loads((folder / "duel.json").read_text())
        jsonschema.validate(result, SCHEMA)
        (found,) = result["tasks"]
        assert (found["verdict"], found["pairs"]) == (None, [])
        assert message in found["failed"]

    @pytest.mark.parametrize("racer", [[], ["--racer", "threads"]], ids=["loop", "racer"])
    @pytest.mark.parametrize(
        ("function", "message"),
        [
            ("./work.py:no_such", "has no 'no_such'"),
            ("./none.py:count", "there is no script './none.py'"),
            ("none:count", "there is no module 'none'"),
            ("math:pi", "can't be called, it is of type float"),
            ("./some/my-work.v2.py:count", "a script's name ends in .py and has no other dot"),
            ("./some/json.py:count", "a module 'json' is already loaded; give the script another name"),
            ("./some/broken.py:count", "importing it raised ZeroDivisionError"),
            ("./some/leaves.py:count", "./some/leaves.py: importing it"),
        ],
    )
    def test_what_can_not_be_used(self, folder, function, message, racer):
        (folder / "some").mkdir()
        for name, text in (
            ("my-work.v2.py", WORK),
            ("json.py", WORK),
            ("broken.py", "1 / 0"),
            ("leaves.py", "raise SystemExit(3)"),
        ):
            (folder / "some" / name).write_text(text)
        done = duel(PYTHON, "./slow", "--function", function, "--items", "items.json", *racer, code=2)
        assert message in done.stderr

    def test_answers_that_are_never_the_same(self, folder):
        assert "answers" in duel(PYTHON, PYTHON, *own("never_the_same"), code=1).stderr

    def test_numbers_of_any_length(self, folder):
        (folder / "items.json").write_text(f"[1{'0' * 5000}]")
        done = duel(PYTHON, "./slow", *own("differ"), code=1)
        assert "item 0: " in done.stderr

    def test_a_job_that_never_ends(self, folder):
        done = duel(PYTHON, PYTHON, *own("hang"), "--timeout", "2", code=1)
        assert "no answer within 2 s" in done.stderr
        assert "printed by the job" not in done.stdout + done.stderr

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--workers", "2"], "--workers goes with --racer"),
            (["--items-from", "a:b"], "--items-from goes with --function"),
            (["--function", "a:b"], "--function needs its items"),
            (["--function", "a"], "'a' names no function; write package.module:function"),
            (["--function", "a", "--racer", "threads"], "'a' names no function"),
            (["--function", "..a:b"], "'..a' is no name of a module"),
            (["--function", "a:b", "--items-from", "gen"], "'gen' names no function"),
            (["--function", "a:b", "--items", "a:b"], "there is no such file"),
            (["--function", "a:b", "--items", ""], "there is no such file"),
            (["--function", "a:b", "--kernel", "held"], "--kernel goes with numbers"),
            (["--kernel", "heled"], "did you mean 'held'?"),
            (["--racer", "thread"], "there is no racer 'thread'"),
            (["--racer", "native", "--kernel", "python"], "only with kernel released or fast"),
            (["--threshold", "2"], "is not a share such as 2%"),
            (["--pairs", "3"], "3 is not in the range"),
            (["--pairs", "10", "--seconds", "30"], "--seconds goes without --pairs"),
        ],
    )
    def test_options_that_can_not_be_used(self, options, message):
        assert message in duel(PYTHON, PYTHON, *options, code=2).stderr

    def test_its_help_tells_what_the_exit_code_means(self):
        told = " ".join(duel("--help").stdout.split())
        assert (
            "slower by more than the threshold, or where no verdict is possible because a side failed" in told
        )


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


class TestEnd:
    """Nothing is left, however it ends."""

    @pytest.fixture
    def started(self, folder):
        """Starts a duel that takes long; it and its children, as soon as there is what it waits for."""
        processes = []

        def run(a, name, condition):
            process = start("-m", "primerace", "duel", a, PYTHON, *own(name), "--json", "duel.json")
            processes.append(process)
            assert eventually(lambda: condition(process))
            return process, descendants(process.pid)

        yield run
        for process in processes:
            process.kill()
            process.communicate()

    @pytest.fixture
    def hanging(self, started, folder):
        return started(PYTHON, "hang", lambda _: (folder / "hanging").exists())

    def test_interrupted(self, hanging, folder):
        process, children = hanging
        assert len(children) == 2  # a side, and the fork that hangs
        interrupt(process)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "interrupted after 0 pairs" in errors
        assert "Traceback" not in errors
        assert gone(children)
        result = json.loads((folder / "duel.json").read_text())
        jsonschema.validate(result, SCHEMA)
        assert (result["interrupted"], result["tasks"][0]["verdict"]) == (True, None)

    def test_interrupted_before_the_sides_are_known(self, started, folder):
        command(folder / "sleeps", "exec sleep 100")
        process, children = started("./sleeps", "count", lambda process: descendants(process.pid))
        interrupt(process)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "--json duel.json: not written, nothing was measured yet" in errors
        assert not (folder / "duel.json").exists()
        assert gone(children)

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)])
    def test_terminated(self, hanging, number, code):
        process, children = hanging
        process.send_signal(number)
        process.communicate(timeout=20)
        assert process.returncode == code
        assert gone(children)


def test_the_runner_needs_nothing_but_the_standard_library():
    """Any Python from 3.8 on may run it: it imports no module of ours."""
    from primerace.duel import runner

    text = Path(runner.__file__).read_text()
    imported = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert all(line.split()[1].partition(".")[0] in sys.stdlib_module_names for line in imported)
