"""Advice: the rule, the sample, what would change it, the code for every winner, and the page."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest
from laps import lap, result
from watching import descendants, gone, start

from primerace.advising import Plan, snippet
from primerace.advising.outlook import outlook
from primerace.advising.pickling import weigh
from primerace.advising.rule import MODELS, Choice, choose
from primerace.advising.sizing import Batched, Sample, take_sample
from primerace.checking import Unrepeatable, find_fault
from primerace.cli import main
from primerace.job import Job
from primerace.racers import FunctionError, Outcome, RacerError
from primerace.report.advice import verdict
from primerace.solo import run_alone
from primerace.target import load

ROOT = os.path.join(os.path.dirname(__file__), os.pardir)

WORK = """
import multiprocessing, os, time

def square(n):
    return n * n

double = lambda n: 2 * n

def numbers():
    yield from range(1, 8)

def crunch(n):
    return sum(i * i for i in range(n))

def costs():
    return [30_000] * 12

def wander_and_answer_at_length(n):
    os.chdir("/")
    return 10**5000 + n

def pause_in_workers(n):
    if multiprocessing.parent_process():
        print("a worker sleeps", flush=True)
        time.sleep(60)
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advised")
    (folder / "job_for_advice.py").write_text(dedent(WORK))
    (folder / "deeper").mkdir()
    (folder / "deeper" / "odd-advised.py").write_text(dedent(WORK))
    (folder / "numbers.jsonl").write_text("# numbers\n1\n2\n\n3\n4\n5\n6\n7\n")
    (folder / "numbers.json").write_text("[1, 2, 3, 4, 5, 6, 7]")
    return folder


@pytest.fixture
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return folder


def race_of(seconds, rounds=8, jitter=0.001, startup=None, **options):
    """A race with a lap of about these seconds for each model in each round."""
    laps = []
    for number, (model, typical) in itertools.product(range(rounds), seconds.items()):
        workers = 1 if model == "sequential" else 2
        wobble = 1 + jitter * ((number * 7 + len(model)) % 5 - 2)
        made = lap(number, model, None, workers, typical * wobble, walls=(typical / 4,) * 4)
        laps.append(replace(made, startup_seconds=(startup or {}).get(model, 0.0)))
    return result(laps, items=4, **options)


class TestRule:
    @pytest.mark.parametrize(
        ("seconds", "model", "level"),
        [
            ({"sequential": 1.0, "thread-pool": 1.1, "process-pool": 1.2}, "sequential", []),
            ({"sequential": 1.0, "thread-pool": 0.5, "process-pool": 0.6}, "thread-pool", []),
            ({"sequential": 1.0, "thread-pool": 1.0, "process-pool": 0.6}, "process-pool", []),
            ({"sequential": 1.0, "thread-pool": 0.5, "process-pool": 0.5}, "thread-pool", ["process-pool"]),
            ({"sequential": 1.0, "process-pool": 0.5, "joblib": 0.5}, "process-pool", ["joblib"]),
            ({"sequential": 1.0, "process-pool": 0.6, "joblib": 0.5}, "joblib", []),
            ({"sequential": 1.0, "interpreters": 0.5, "process-pool": 0.5}, "interpreters", ["process-pool"]),
            ({"sequential": 1.0, "thread-pool": 0.8, "process-pool": 0.5}, "process-pool", []),
        ],
    )
    def test_takes_the_simplest_of_the_fastest(self, seconds, model, level):
        choice = choose(race_of(seconds))
        assert (choice.model, list(choice.level)) == (model, level)
        assert [each.model for each in choice.standings] == sorted(
            seconds, key=lambda name: [each.seconds for each in choice.standings if each.model == name]
        )

    def test_counts_the_start_in(self):
        race = race_of({"sequential": 1.0, "process-pool": 0.5}, startup={"process-pool": 0.6})
        assert choose(race).model == "sequential"
        assert choose(race, scale=10).model == "process-pool"

    def test_names_nobody_below_six_rounds(self):
        choice = choose(race_of({"sequential": 1.0, "thread-pool": 0.5}, rounds=5))
        assert choice.model is None
        assert len(choice.standings) == 2

    def test_does_not_call_noise_a_gain(self):
        """The for loop differs from itself by much more than the pool from it."""
        race = race_of({"sequential": 1.0, "thread-pool": 0.97}, rounds=12)
        assert choose(race).model == "thread-pool"
        assert choose(replace(race, noise={"sequential": 0.2})).model == "sequential"

    def test_leaves_out_the_disqualified(self):
        key = ("thread-pool", None, 2)
        seconds = {"sequential": 1.0, "thread-pool": 0.2, "process-pool": 0.6}
        choice = choose(race_of(seconds, disqualified={key: "wrong"}))
        assert choice.model == "process-pool"
        assert "thread-pool" not in [each.model for each in choice.standings]

    def test_nobody_is_left(self):
        assert choose(race_of({"thread-pool": 1.0})) == Choice(None, (), ())


def sample_of(race, count=4, whole=None):
    """The sample that this race ran."""
    job = Job("made up", range(whole or count), None, abs)
    outcomes = [Outcome(index, index, 0.25, 0.25, 0, 0.0) for index in range(count)]
    return Sample(job, range(count), outcomes, 0.25, 1)


class TestOutlook:
    def words(self, seconds, gil=None, whole=None, **options):
        race = race_of(seconds, **options)
        found = {"function": "f", "verdict": gil, "evidence": {"reason": "", "at_long": {"share": 0.5}}}
        race = replace(race, job={**race.job, "gil": gil and found})
        return " ".join(outlook(race, sample_of(race, whole=whole), choose(race)))

    def test_of_a_job_too_small(self):
        said = self.words({"sequential": 0.1, "process-pool": 0.06}, startup={"process-pool": 1.0})
        assert "A bigger job: process-pool pays from about 2.5" in said
        assert "this job has 100 ms" in said

    def test_of_a_pool_that_is_kept(self):
        said = self.words({"sequential": 1.0, "process-pool": 0.5}, startup={"process-pool": 0.25})
        assert "its start is 33% of the time" in said

    def test_of_more_cores(self):
        """Four equal items: four cores at most, less what starting costs."""
        said = self.words({"sequential": 1.0, "process-pool": 0.5}, startup={"process-pool": 0.25})
        assert "More cores: process-pool at most 2.00x on 4;" in said
        assert "on 8" not in said

    def test_of_more_cores_for_more_items(self):
        assert "4.00x on 4, 8.00x on 8" in self.words({"sequential": 1.0, "process-pool": 0.5}, whole=64)

    def test_of_cores_that_would_not_help(self):
        said = self.words({"sequential": 0.1, "process-pool": 0.3}, startup={"process-pool": 1.0})
        assert "Not more cores" in said

    @pytest.mark.parametrize("gil", ["holds", "yields"])
    def test_of_threads_that_hold_the_gil(self, gil):
        said = self.words({"sequential": 1.0, "thread-pool": 0.5}, gil=gil, whole=64)
        assert "Not more cores: thread-pool" in said

    def test_of_threads_that_wait_for_half_of_the_time(self):
        said = self.words({"sequential": 1.0, "thread-pool": 0.7}, gil="mixed", whole=64)
        assert "More cores: thread-pool at most 2.00x on 4;" in said

    @pytest.mark.parametrize(
        ("gil", "said"),
        [("holds", True), ("yields", True), ("mixed", True), ("releases", False), (None, False)],
    )
    def test_of_free_threaded_python(self, gil, said):
        assert ("Free-threaded Python" in self.words({"sequential": 1.0, "process-pool": 0.5}, gil)) is said

    def test_of_a_restless_machine(self):
        said = self.words({"sequential": 1.0, "thread-pool": 1.0}, jitter=0.1)
        assert "A quiet machine" in said


class TestSample:
    def test_of_a_short_job_is_all_of_it(self):
        job = Job("short", range(50), range(50), abs)
        sample = take_sample(job, seconds=20, contestants=3, workers=2)
        assert list(sample.indices) == list(range(50))
        assert sample.scale == 1.0

    def test_of_a_long_job_fits_into_the_time(self):
        job = Job("long", [0.01] * 1000, None, time.sleep)
        sample = take_sample(job, seconds=3.0, contestants=3, workers=2)
        assert 2 < len(sample.indices) < 200
        assert sample.chunk == 1
        assert sample.mean_seconds >= 0.01

    def test_hands_tiny_items_out_in_chunks(self):
        job = Job("tiny", range(1000), range(1000), abs)
        sample = take_sample(job, seconds=3.0, contestants=3, workers=2)
        assert sample.chunk == 125
        part = sample.job()
        assert isinstance(part.function, Batched)
        assert len(part.items) == 8
        assert [part.function(chunk) for chunk in part.items] == [list(chunk) for chunk in part.expected]

    def test_of_a_function_that_raises(self):
        """Its index is that in the whole job, not in the sample."""
        for place in (0, 3, 13, 399):
            items = [*range(place), "x", *range(place + 1, 400)]
            with pytest.raises(FunctionError, match=f"item {place} \\('x'\\) raised TypeError"):
                take_sample(Job("bad", items, None, abs), seconds=1.0, contestants=3, workers=2)

    def test_of_a_function_that_raises_late(self):
        """Whichever call it is, also one in the row whose items are not clocked one by one."""
        told = [self.what_is_told(place) for place in range(40)]
        assert "tired raised ValueError: enough (" in "".join(told)

    def test_of_a_function_that_changes_its_items(self):
        """Before its second call, which would find nothing to change."""
        job = Job("sorting", [[2, 1] for _ in range(100)], None, list.sort)
        with pytest.raises(
            Unrepeatable, match=r"sorting is not repeatable: it changes its item \d+ in place"
        ):
            take_sample(job, seconds=1.0, contestants=3, workers=2)

    def what_is_told(self, place):
        """The error where the call of that number raises, if it comes to that call."""
        calls = itertools.count()

        def tire(n):
            if next(calls) == place:
                raise ValueError("enough")

        try:
            take_sample(Job("tired", range(8), None, tire), seconds=0.1, contestants=3, workers=2)
        except RacerError as error:
            return str(error)
        return ""

    def test_of_slow_items_is_small_and_found_soon(self):
        called = []

        def slow(n):
            called.append(n)
            time.sleep(0.2)

        sample = take_sample(Job("slow", range(50), None, slow), seconds=1.0, contestants=4, workers=2)
        assert called == list(dict.fromkeys(called))  # none of them twice
        assert len(sample.indices) == len(called) == 2

    def test_numbers_items_as_the_whole_does(self):
        job = Job("long", range(1000), [-1] * 1000, abs)
        for chunk, says in ((1, "item 7 (7) was answered"), (2, "the chunk from item 7 on ([7, 9]) was")):
            part = Sample(job, [7, 9, 500], [], 0.1, chunk).job()
            outcomes = run_alone("f", part.function, part.items)
            assert find_fault(part, list(outcomes), part.expected).startswith(says)

    def test_weighs_what_is_pickled(self):
        job = Job("big", ["x" * 1000, "y" * 1000], None, len)
        found = weigh(take_sample(job, seconds=1.0, contestants=3, workers=2))
        assert 1000 < found.item_bytes < 1100
        assert found.answer_bytes < 30
        assert found.obstacle is None

    def test_says_what_can_not_be_pickled(self):
        job = Job("lambdas", [lambda: 1], None, callable)
        found = weigh(take_sample(job, seconds=1.0, contestants=3, workers=2))
        assert "item 0 (<function" in found.obstacle
        assert "can't be pickled" in found.obstacle


PLACES = [
    ("job_for_advice:square", "job_for_advice:numbers", [n * n for n in range(1, 8)]),
    ("./deeper/odd-advised.py:double", "numbers.jsonl", [2 * n for n in range(1, 8)]),
]


@pytest.mark.parametrize("chunk", [1, 3])
@pytest.mark.parametrize(("function", "items", "answers"), PLACES, ids=["module", "lambda of a script"])
@pytest.mark.parametrize("model", MODELS)
def test_the_code_for_every_winner_runs_as_printed(in_folder, model, function, items, answers, chunk):
    if model == "interpreters" and sys.version_info < (3, 14):
        pytest.skip("InterpreterPoolExecutor needs Python 3.14")
    if model == "joblib":
        pytest.importorskip("joblib")
        if chunk == 1 and items == "numbers.jsonl":
            pytest.skip("joblib takes its time: three of four cases do")
    code = snippet(Plan(model, function, items, workers=2, chunk=chunk))
    (in_folder / "advised.py").write_text(code)
    assert run("advised.py") == f"7 answers, the first one {answers[0]}\n"
    assert run("-c", "import advised; print(advised.main())").splitlines()[-1] == repr(answers)


def run(*words):
    """What this Python prints for these words."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("start_method", ["spawn", "forkserver"])
def test_the_code_keeps_the_start_method(in_folder, start_method):
    plan = Plan("process-pool", "./deeper/odd-advised.py:double", "numbers.json", 2, 1, start_method)
    (in_folder / "advised.py").write_text(snippet(plan))
    assert start_method in snippet(plan)
    assert run("advised.py") == "7 answers, the first one 2\n"


def test_the_code_reads_a_list_below_a_comment(in_folder):
    (in_folder / "commented.json").write_text("# numbers\n[1,\n\n# and more\n2]\n")
    (in_folder / "advised.py").write_text(snippet(Plan("sequential", "math:sqrt", "commented.json", 1)))
    assert run("advised.py") == "2 answers, the first one 1.0\n"


def test_the_code_imports_a_module_once(in_folder, monkeypatch):
    code = snippet(Plan("sequential", "./job_for_advice.py:square", "job_for_advice:numbers", 1))
    assert code.count("import job_for_advice") == 1
    monkeypatch.setenv("HOME", str(in_folder))
    code = snippet(Plan("sequential", "~/deeper/odd-advised.py:double", "job_for_advice:numbers", 1))
    assert f'sys.path.insert(0, "{in_folder}/deeper")' in code


def test_the_code_survives_names_that_it_uses_itself(in_folder):
    (in_folder / "items.py").write_text("def answers(n):\n    return n + 1\ndef pool():\n    return [1, 2]\n")
    (in_folder / "advised.py").write_text(snippet(Plan("thread-pool", "items:answers", "items:pool", 2, 2)))
    assert run("advised.py") == "2 answers, the first one 2\n"


@pytest.mark.parametrize("script", ['w"""4.py', 'a\\ux "q".py'], ids=["quotes", "backslash"])
def test_the_code_survives_names_of_files_that_python_would_read_otherwise(in_folder, script):
    (in_folder / script).write_text("def same(n):\n    return n\n")
    (in_folder / "advised.py").write_text(snippet(Plan("thread-pool", f"./{script}:same", "numbers.json", 2)))
    assert run("advised.py") == "7 answers, the first one 1\n"


@pytest.mark.parametrize("model", ["sequential", "process-pool"])
def test_the_code_reads_and_writes_long_numbers(in_folder, model):
    (in_folder / "long.jsonl").write_text("1" * 5000 + "\n")
    plan = Plan(model, "builtins:abs", "long.jsonl", 2, start_method="spawn", long_numbers=True)
    (in_folder / "advised.py").write_text(snippet(plan))
    assert run("advised.py") == f"1 answers, the first one {'1' * 60}\n"
    assert "digits" not in snippet(replace(plan, long_numbers=False))


class TestPage:
    def advise(self, capsys, *words):
        handler = signal.getsignal(signal.SIGTERM)
        try:
            code = main(["advise", *words])
        finally:
            signal.signal(signal.SIGTERM, handler)
        return code, *capsys.readouterr()

    def test_has_all_that_it_promises(self, in_folder, capsys):
        words = ("--function", "job_for_advice:crunch", "--items-from", "job_for_advice:costs")
        code, page, aside = self.advise(capsys, *words, "--seconds", "1.5", "--json", "advice.json")
        assert code == 0
        assert aside.startswith("job_for_advice:crunch: 12 items; calling some of them, to take a sample …")
        for part in ("GIL ", "an item ", "pickling ", "vs for loop", "start-up", "memory", "The code"):
            assert part in page
        advice = json.loads((in_folder / "advice.json").read_text())
        assert advice["schema"] == "primerace-advice/1"
        assert advice["model"] in MODELS
        assert advice["rounds"] >= 6
        assert advice["gil"]["verdict"]
        assert {"count": 12}.items() <= advice["items"].items()
        assert [each["racer"] for each in advice["entries"]]
        assert page.endswith(advice["code"])
        (in_folder / "advised.py").write_text(advice["code"])
        assert run("advised.py") == f"12 answers, the first one {load('job_for_advice:crunch')(30_000)}\n"

    def test_is_of_the_folder_where_it_began_and_of_long_answers(self, in_folder, capsys, monkeypatch):
        words = ("--function", "job_for_advice:wander_and_answer_at_length", "--items", "numbers.json")
        code, _, _ = self.advise(capsys, *words, "--seconds", "0.3", "--json", "wandered.json")
        assert code == 0
        advice = json.loads((in_folder / "wandered.json").read_text())
        (in_folder / "advised.py").write_text(advice["code"])
        monkeypatch.chdir(in_folder)
        assert run("advised.py") == f"7 answers, the first one 1{'0' * 59}\n"

    @pytest.mark.parametrize(
        ("words", "code", "says"),
        [
            ((), 2, "--function says what to advise on"),
            (("--function", "job_for_advice:square"), 2, "either --items FILE or --items-from"),
            (("--function", "job_for_advice:square", "--items", "-"), 2, "--items is a file here"),
            (("--function", "job_for_advice:square", "--items", "/dev/null"), 2, "--items is a file here"),
            (("--function", "job_for_advice:sqare", "--items", "numbers.json"), 2, "did you mean 'square'?"),
            (("--function", "math:log", "--items-from", "string:digits.__iter__"), 1, "raised TypeError"),
            (("--function", "random:seed", "--items", "numbers.json", "--json", "/nowhere/x"), 2, "--json"),
        ],
    )
    def test_mistakes_are_told_in_a_sentence(self, in_folder, capsys, words, code, says):
        found, output, errors = self.advise(capsys, *words)
        assert (found, output) == (code, "")
        assert says in errors.splitlines()[-1]

    def test_nothing_is_left_when_it_is_interrupted(self, folder):
        words = ("--function", "job_for_advice:pause_in_workers", "--items-from", "job_for_advice:numbers")
        process = start("-m", "primerace", "advise", *words, cwd=str(folder))
        try:
            assert "a worker sleeps\n" in iter(process.stderr.readline, "")
            children = descendants(process.pid)
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
        assert len(children) > 1
        assert process.returncode == 130
        assert "Traceback" not in errors
        assert gone(children)


@pytest.mark.parametrize(
    ("seconds", "rounds", "says"),
    [
        ({"sequential": 1.0, "thread-pool": 0.5}, 8, "Use a pool of threads (ThreadPoolExecutor): 2.00x"),
        ({"sequential": 1.0, "thread-pool": 2.0}, 8, "Stay with a for loop"),
        ({"sequential": 1.0, "thread-pool": 0.5}, 3, "No model is advised: that takes 6 rounds"),
    ],
)
def test_the_verdict_in_a_sentence(seconds, rounds, says):
    race = race_of(seconds, rounds)
    choice = choose(race)

    class Advised:
        pass

    advised = Advised()
    advised.choice, advised.race = choice, race
    assert verdict(advised).startswith(says)


class TestExamples:
    """Each of them does what it says, and its items are the same every time."""

    def function_and_items(self, name, function, items, monkeypatch):
        monkeypatch.setattr(sys, "path", list(sys.path))
        place = os.path.join(ROOT, "examples", name)
        return load(f"{place}:{function}"), load(f"{place}:{items}")

    def test_file_hashes(self, monkeypatch):
        digest, files = self.function_and_items("file_hashes.py", "digest", "files", monkeypatch)
        paths = list(files())
        assert len(paths) > 500
        assert paths == list(files())
        with open(paths[0], "rb") as file:
            assert digest(paths[0]) == hashlib.sha256(file.read()).hexdigest()

    def test_json_documents(self, monkeypatch):
        total, documents = self.function_and_items("json_documents.py", "total", "documents", monkeypatch)
        first, again = next(documents()), next(documents())
        assert first == again
        orders = json.loads(first)["orders"]
        everything = sum(line["count"] * line["price"] for order in orders for line in order["lines"])
        assert sum(total(first).values()) == pytest.approx(everything)

    def test_fft_blocks(self, monkeypatch):
        bands, blocks = self.function_and_items("fft_blocks.py", "bands", "blocks", monkeypatch)
        first = next(blocks())
        assert (first == next(blocks())).all()
        middle_of_the_sixth = 5.5 / 32  # of 16 bands, in cycles a sample
        tone = np.sin(2 * np.pi * middle_of_the_sixth * np.arange(first.size))
        assert bands(tone).argmax() == 5
        assert bands(tone)[5] > 0.99 * bands(tone).sum()
