"""A function of one's own at the command line: what is named, what is printed, and every mistake."""

import json
import os
import signal
import subprocess
import sys
from textwrap import dedent

import jsonschema
import pytest
from test_schema import SCHEMA
from watching import descendants, gone, start

from primerace.loading import load
from primerace.report.reproduction import command

WORK = """
import asyncio, functools, itertools, math, multiprocessing, os, random, sys, time

def square(n):
    return n * n

def numbers():
    yield from range(6)

def noisy_square(n):
    print("squaring", n)
    os.system(f"echo child {n}")
    return n * n

def fickle(n):
    return random.random()

calls = itertools.count()
def stateful(n):
    return next(calls)

def refuse_three(n):
    if n == 3:
        raise ValueError("no threes")
    return n

def wander(n):
    os.chdir("/")
    return n

def promise(n):
    return (each for each in range(n))

def leave(n):
    sys.exit(5)

class Odd(BaseException):
    pass

def be_odd(n):
    raise Odd(n)

def numbers_and_odd():
    yield 1
    be_odd(1)

def leave_a_lap(n):
    if multiprocessing.parent_process() is None and next(calls) > 11:  # behind two laps alone
        sys.exit(7)
    return n

def nearly_square(n):
    return n * n * (1 + 1e-12 * random.random())

def strange(n):
    return {("a", n): math.nan, "more": [math.inf, {1, 2}, b"x" * 10_000]}

def forever():
    return itertools.count()

def nothing():
    return []

def broken():
    yield 1
    raise OSError("no more")

async def coroutine(n):
    return n

def pause_in_workers(n):
    if multiprocessing.parent_process():
        print("a worker sleeps", flush=True)
        time.sleep(60)

def numbers_and_an_end():
    yield 1
    sys.exit(0)

later = functools.partial(asyncio.sleep, 0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "work.py").write_text(dedent(WORK))
    (folder / "numbers.jsonl").write_text("# the numbers\n0\n\n1\n2\n")
    (folder / "squares.json").write_text("[0, 1, 4]")
    return folder


@pytest.fixture
def primerace(folder):
    """Runs the console script, as a user does; a traceback is a failure."""

    def run(*words, text=None):
        script = os.path.join(os.path.dirname(sys.executable), "primerace")
        done = subprocess.run(
            [script, *words], capture_output=True, text=True, cwd=folder, timeout=100, input=text
        )
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def in_process(folder, in_process, monkeypatch):
    """Runs the command line in the tests' own process, in the folder of the function."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return in_process


def own(function, *words, racers="sequential,threads", rounds=1):
    """The words of a short race."""
    return "race", "--function", function, "--racers", racers, "--rounds", str(rounds), *words


class TestCommandLine:
    @pytest.mark.parametrize(
        "words",
        [
            ("work:square", "--items", "numbers.jsonl"),
            ("./work.py:square", "--items-from", "work:numbers", "--start-method", "spawn"),
            ("work:square", "--items-from", "./work.py:numbers", "--start-method", "forkserver"),
        ],
        ids=["module", "script", "mixed"],
    )
    def test_a_race(self, primerace, folder, words):
        saved = str(folder / "race.json")
        done = primerace(*own(*words, "--json", saved, racers="sequential,process-pool"))
        assert done.returncode == 0
        assert "kernel" not in done.stdout
        assert "GIL" in done.stdout
        data = json.loads((folder / "race.json").read_text())
        jsonschema.validate(data, SCHEMA)
        assert data["job"]["function"] == words[0]
        assert data["job"]["gil"]["verdict"] in SCHEMA["$defs"]["gil"]["properties"]["verdict"]["enum"]
        assert {lap["kernel"] for lap in data["laps"]} == {None}
        assert {outcome["answer"] for outcome in data["laps"][0]["outcomes"]} >= {0, 1, 4}
        assert primerace("show", saved).stdout == done.stdout
        assert primerace("compare", saved, saved).returncode == 0
        assert load(saved).job == data["job"]

    def test_items_of_standard_input(self, primerace):
        done = primerace(*own("work:square", "--items", "-"), text="7\n")
        assert done.returncode == 0
        assert "job work:square: 1 item, 2 contestants; warming up" in done.stderr

    def test_what_the_function_prints_does_not_spoil_the_output(self, primerace):
        words = own("work:noisy_square", "--items", "numbers.jsonl", racers="sequential,processes")
        done = primerace(*words, "--json", "-")
        assert done.returncode == 0
        assert json.loads(done.stdout)["kind"] == "race"
        assert "squaring 2" in done.stderr
        assert "child 2" in done.stderr

    def test_answers_that_json_can_not_hold(self, primerace, folder):
        saved = str(folder / "strange.json")
        done = primerace(*own("work:strange", "--items", "numbers.jsonl", "--json", saved))
        assert done.returncode == 0
        assert (folder / "strange.json").stat().st_size < 100_000
        json.loads((folder / "strange.json").read_text(), parse_constant=pytest.fail)
        assert primerace("show", saved).stdout == done.stdout

    @pytest.mark.parametrize(
        ("expect", "code"),
        [("squares.json", 0), ("work:square", 0), ("builtins:abs", 1), ("numbers.jsonl", 1)],
    )
    def test_expected_answers(self, in_process, expect, code):
        found, output, _ = in_process(*own("work:square", "--items", "numbers.jsonl", "--expect", expect))
        assert found == code
        assert ("item 2 (2) was answered 4, not 2" in output) is bool(code)

    @pytest.mark.parametrize(("approx", "code"), [((), 1), (("--approx", "1e-9"), 0)])
    def test_approximate_answers(self, in_process, approx, code):
        saved = ("--json", "nearly.json")
        found, _, errors = in_process(*own("work:nearly_square", "--items", "numbers.jsonl", *approx, *saved))
        assert found == code
        if found == 0:
            result = load("nearly.json")
            assert result.job["approx"] == 1e-9
            assert "--approx 1e-09" in command(result)
        assert ("is not repeatable: item 1 (1) was answered first 1.0" in errors) is bool(code)

    @pytest.mark.parametrize(
        ("words", "code", "says"),
        [
            (("work:fickle", "--items", "numbers.jsonl"), 1, "work:fickle is not repeatable: item 0 (0)"),
            (("work:stateful", "--items-from", "work:numbers"), 1, "was answered first 0, then 6"),
            (
                ("work:refuse_three", "--items-from", "work:numbers"),
                1,
                "item 3 (3) raised ValueError: no threes (work.py:",
            ),
            (("work:leave", "--items", "numbers.jsonl"), 1, "item 0 (0) raised SystemExit: 5 (work.py:"),
            (("work:be_odd", "--items", "numbers.jsonl"), 1, "item 0 (0) raised work.Odd: 0 (work.py:"),
            (
                ("work:promise", "--items", "numbers.jsonl"),
                1,
                "answers of type generator can't be compared: TypeError: cannot pickle",
            ),
            (("work:coroutine", "--items", "numbers.jsonl"), 2, "work:coroutine is a coroutine function"),
            (("work:numbers", "--items", "numbers.jsonl"), 2, "work:numbers is a generator"),
            (("work:squire", "--items", "numbers.jsonl"), 2, "did you mean 'square'?"),
            (("work:later", "--items", "numbers.jsonl"), 2, "work:later is a coroutine function"),
            (
                ("work:square", "--items-from", "work:numbers_and_an_end"),
                2,
                "gives no items, it raised SystemExit: 0 (work.py:",
            ),
            (("work:square", "--items-from", "work:numbers_and_odd"), 2, "it raised work.Odd: 1 (work.py:"),
            (("work:square", "--items", "work:numbers"), 2, "a generator goes with --items-from"),
            (("work:square", "--items", ""), 2, "--items '': there is no such file"),
            (("work:square",), 2, "either --items FILE or --items-from"),
            (
                ("work:square", "--items", "x", "--items-from", "y:z"),
                2,
                "either --items FILE or --items-from",
            ),
            (("work:square", "--items", "nowhere"), 2, "nowhere: No such file"),
            (("work:square", "--items", "work.py"), 2, "work.py, line 2: not JSON"),
            (("work:square", "--items-from", "work:forever"), 2, "more than 1,000,000 items"),
            (("work:square", "--items-from", "work:nothing"), 2, "work:nothing: yields no item"),
            (("work:square", "--items-from", "work:broken"), 2, "it raised OSError: no more (work.py:"),
            (
                ("work:square", "--items", "numbers.jsonl", "--kernels", "held"),
                2,
                "--kernels goes with numbers",
            ),
            (("work:square", "--items", "numbers.jsonl", "--expect", "work.py"), 2, "work.py, line 2"),
            (("work:square", "--items-from", "work:numbers", "--expect", "squares.json"), 2, "6 items but 3"),
            (
                ("work:square", "--items-from", "work:numbers", "--expect", "work:refuse_three"),
                2,
                "no threes",
            ),
            (("work:square", "--items-from", "work:numbers", "--expect", "work:be_odd"), 2, "work.Odd: 0"),
            (("work:square", "--items", "numbers.jsonl", "--approx", "2"), 2, "--approx"),
        ],
        ids=lambda value: (
            value[0].partition(":")[2] + " " + " ".join(value[1:]) if isinstance(value, tuple) else ""
        ),
    )
    def test_mistakes_are_told_in_a_sentence(self, in_process, words, code, says):
        found, output, errors = in_process(*own(*words))
        assert (found, output) == (code, "")
        assert says in errors.splitlines()[-1]

    def test_an_exit_in_a_lap_does_not_lose_the_race(self, primerace, folder):
        words = own("work:leave_a_lap", "--items-from", "work:numbers", racers="sequential,process-pool")
        done = primerace(*words, "--json", "exits.json")
        assert done.returncode == 1
        assert "sequential: item 0 (0) raised SystemExit: 7 (work.py:" in done.stdout
        entries = {entry.racer: entry for entry in load(folder / "exits.json").entries}
        assert "SystemExit: 7" in entries["sequential"].disqualified

    @pytest.mark.parametrize("option", ["--items-from", "--expect", "--approx"])
    def test_options_of_a_function_need_one(self, in_process, option):
        assert in_process("race", option, "0.5") == (2, "", f"Error: {option} goes with --function\n")

    def test_files_are_where_they_were_meant_whatever_the_function_does(self, in_process, folder):
        words = ("--function", "work:wander", "--items", "numbers.jsonl", "--rounds", "1")
        assert in_process("race", "--racers", "threads", *words, "--json", "meant.json")[0] == 0
        assert load(folder / "meant.json").kind == "race"
        os.chdir(folder)
        assert (
            in_process("sweep", "--racers", "threads", "--workers", "1", *words, "--save", "kept.json")[0]
            == 0
        )
        assert load(folder / "kept.json").kind == "sweep"

    @pytest.mark.parametrize("racer", ["sequential", "threads", "processes"])
    @pytest.mark.parametrize("lifts", [False, True])
    def test_the_limit_of_digits_is_the_same_for_every_racer(self, in_process, folder, racer, lifts):
        """It is that of Python, unless the module of the function sets another one."""
        module = f"digits_of_{racer}_{lifts}"
        lifting = "import sys\nsys.set_int_max_str_digits(0)\n" if lifts else ""
        (folder / f"{module}.py").write_text(f"{lifting}def digits(n):\n    return [len(str(n)), 10 * n]\n")
        (folder / "long.jsonl").write_text("1" * 5000 + "\n")
        words = ("--items", "long.jsonl", "--start-method", "spawn", "--json", "long.json")
        code, _, errors = in_process(*own(f"{module}:digits", *words, racers=racer))
        assert code == (0 if lifts else 1)
        assert ("raised ValueError: Exceeds the limit (4300 digits)" in errors) is not lifts

    def test_racers_of_one_kernel_are_not_here(self, in_process):
        words = own("work:square", "--items", "numbers.jsonl", racers="sequential,asyncio-nap")
        assert "not here asyncio-nap: only with kernel python" in in_process(*words)[1]

    def test_a_sweep(self, primerace, folder):
        words = (
            "--function",
            "work:square",
            "--items-from",
            "work:numbers",
            "--racers",
            "threads,process-pool",
        )
        saved = str(folder / "sweep.json")
        done = primerace("sweep", *words, "--workers", "1,2", "--rounds", "1", "--save", saved)
        assert done.returncode == 0
        assert "process-pool\n" in done.stdout
        again = primerace("sweep", "--resume", saved)
        assert (again.returncode, again.stdout) == (2, "")
        assert "function of one's own can't be resumed" in again.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_when_it_is_stopped(folder, number, code):
    """The function sleeps in the workers, and lasts no time in the command's own process."""
    words = own("work:pause_in_workers", "--items", "numbers.jsonl", racers="processes")
    process = start("-m", "primerace", *words, "--workers", "2", cwd=str(folder))
    try:
        assert "a worker sleeps\n" in iter(process.stderr.readline, "")
        children = descendants(process.pid)
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert len(children) == 2
    assert process.returncode == code
    assert "Traceback" not in errors
    assert gone(children)
