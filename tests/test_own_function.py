"""Jobs of one's own: items, answers and their comparison, and results that load again."""

import json
import sys
import time
from textwrap import dedent

import functions
import numpy as np
import pytest

from primerace import items as reading
from primerace import machine
from primerace.checking import Unrepeatable
from primerace.items import JobError
from primerace.job import Job
from primerace.lineup import line_up
from primerace.loading import from_json
from primerace.racers import RACERS, FunctionError, RacerError
from primerace.racing import Race, race
from primerace.report.gil import gil_in_words
from primerace.results import ResultError
from primerace.target import TargetError


class TestItems:
    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ('1\n"two"\n\n{"three": 3}\n[4, 5]\nnull\n', [1, "two", {"three": 3}, [4, 5], None]),
            ("[1, [2, 3]]", [1, [2, 3]]),
            ("\ufeff[\n1,\n2]\n", [1, 2]),
            ("[1]\n[2]\n", [[1], [2]]),
            ("# a list\n\n[1,\n# and\n2]\n", [1, 2]),
            ('# a comment\n"with # inside"\r\n', ["with # inside"]),
            ('"a\u2028b"\n1', ["a\u2028b", 1]),
            ("1.5\n-2e3", [1.5, -2000.0]),
        ],
    )
    def test_are_json_values(self, tmp_path, text, values):
        path = tmp_path / "items"
        path.write_text(text, encoding="utf-8")
        assert reading.values(path) == values

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("1\ntwo\n", "line 2: not JSON (Expecting value): 'two'"),
            ("[1, 2\n", "line 1: not JSON"),
            ("# nothing\n\n", "there is no value in it"),
            ("[]", "there is no value in it"),
            ("[" * 100_000, "line 1: "),
        ],
    )
    def test_that_are_none_are_named(self, tmp_path, text, says):
        path = tmp_path / "items"
        path.write_text(text)
        with pytest.raises(JobError) as caught:
            reading.values(path)
        assert str(caught.value).startswith(f"{path}")
        assert says in str(caught.value)
        assert len(str(caught.value)) < 300

    def test_from_an_iterable(self):
        assert Job.from_function("math:isqrt", (n for n in [4, 9])).items == (4, 9)

    def test_from_a_name(self):
        assert Job.from_function(str.upper, "string:digits.__iter__").items == tuple("0123456789")

    def test_that_never_end(self, monkeypatch):
        monkeypatch.setattr(reading, "MOST_ITEMS", 10)
        with pytest.raises(JobError, match=r"itertools:count: yields more than 10 items; does it ever end\?"):
            Job.from_function("math:isqrt", "itertools:count")

    @pytest.mark.parametrize("items", [[], "builtins:list"])
    def test_there_is_no_job_without(self, items):
        with pytest.raises(JobError, match="no item|there is none"):
            Job.from_function("math:isqrt", items)

    def test_a_source_that_is_none(self):
        with pytest.raises(JobError, match="'int' object is not iterable"):
            Job.from_function("math:isqrt", "builtins:int")


class TestFunction:
    def test_is_named_as_it_was_given(self):
        job = Job.from_function("math:isqrt", [17])
        assert (job.name, job.to_json()["function"]) == ("math:isqrt", "math:isqrt")
        assert Job.from_function(abs, [1]).name == "builtins:abs"

    @pytest.mark.parametrize("bad", [3, "math:pi"])
    def test_must_be_callable(self, bad):
        with pytest.raises((JobError, TargetError), match="can't be called"):
            Job.from_function(bad, [1])

    def test_must_answer_at_once(self):
        def generator(n):
            yield n

        class Later:
            async def __call__(self, n):
                return n

        class Yielding:
            def __call__(self, n):
                yield n

        for function in ("asyncio:sleep", generator, Later(), Yielding()):
            with pytest.raises(JobError, match="is a coroutine function|is a generator"):
                Job.from_function(function, [1])

    @pytest.mark.parametrize("approx", [-1.0, 1.0, float("nan")])
    def test_approx_is_a_share(self, approx):
        with pytest.raises(JobError, match="approx is a share"):
            Job.from_function("math:isqrt", [1], approx=approx)

    def test_that_raises_is_told_with_its_line(self):
        def refuse(n):
            return 1 / n

        with pytest.raises(
            FunctionError, match=r"item 1 \(0\) raised ZeroDivisionError.*own_function.py:\d+\)"
        ):
            race(Job.from_function(refuse, [1, 0]), ["sequential"], rounds=1)

    def test_that_does_not_repeat_itself_is_not_raced(self):
        answers = iter(range(100))
        with pytest.raises(Unrepeatable, match=r"item 0 \(7\) was answered first 0, then 2"):
            race(Job.from_function(lambda n: next(answers), [7, 8]), ["sequential"], rounds=1)

    def test_that_changes_its_items_is_not_raced(self):
        job = Job.from_function(sort, [[1, 2], [3, 2, 1]])
        with pytest.raises(
            Unrepeatable, match=r"sort is not .* its item 1 in place, which is \[1, 2, 3\] now"
        ):
            race(job, ["sequential"], rounds=1)

    def test_that_uses_a_buffer_again_is_not_raced(self):
        buffer = np.zeros(1)

        def fill(n):
            buffer[:] = n
            return {"buffer": buffer}

        with pytest.raises(Unrepeatable, match=r"its last answer when called with item 1, which is .*2\."):
            race(Job.from_function(fill, [1, 2]), ["sequential"], rounds=1)

    def test_that_gives_one_object_always_answers_as_it_was(self):
        """There is no second item whose call would change the answer: it is kept as it was."""
        buffer, counted = [0], iter(range(100))

        def count(_):
            buffer[0] = next(counted)
            return buffer

        with pytest.raises(Unrepeatable, match=r"was answered first \[0\], then \[1\]"):
            race(Job.from_function(count, [7]), ["sequential"], rounds=1)

    @pytest.mark.parametrize(
        "function", [functions.same, sorted, lambda item: SHARED], ids=["item", "copy", "constant"]
    )
    def test_that_changes_nothing_is_raced(self, function):
        job = Job.from_function(function, [[2, 1], [1, 2]])
        assert race(job, ["sequential", "threads"], rounds=1).entries[0].disqualified is None

    def test_whose_answers_pickle_does_not_keep_whole_is_raced(self):
        result = race(Job.from_function(Partial, [1, 2]), ["sequential", "process-pool"], workers=1, rounds=1)
        out = {entry.racer: entry.disqualified for entry in result.entries}
        assert out["sequential"] is None
        assert "item 0 (1) was answered" in out["process-pool"]

    def test_that_differs_within_approx_is_raced(self):
        steps = iter([1e-12, -1e-12] * 100)
        job = Job.from_function(lambda n: n + next(steps), [7.0], approx=1e-9)
        assert race(job, ["sequential"], rounds=2).entries[0].disqualified is None

    def test_long_items_do_not_flood_messages(self):
        with pytest.raises(RacerError) as caught:
            race(Job.from_function(int, ["x" * 100_000]), ["sequential"], rounds=1)
        assert len(str(caught.value)) < 1000  # though int() itself quotes its argument
        assert str(caught.value).index("raised") < 300


SHARED = [1]


def sort(numbers):
    numbers.sort()


class Partial:
    """Pickle keeps the number, and loses the rest."""

    def __init__(self, n):
        self.n, self.rest = n, n

    def __eq__(self, other):
        return (self.n, self.rest) == (other.n, other.rest)

    __hash__ = None

    def __getstate__(self):
        return {"n": self.n, "rest": None}


class TestImports:
    """Workers import the module of the function as a part of their start, not in the lap."""

    @pytest.fixture
    def slow(self, tmp_path, monkeypatch):
        """A module that takes its time, and notes every process that imports it."""
        text = f"""
            import os, time
            open(os.path.join({str(tmp_path)!r}, f"{{os.getpid()}}.imported"), "w").close()
            time.sleep(0.5)
            def square(n):
                return n * n
            """
        (tmp_path / "slow_to_import.py").write_text(dedent(text))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        yield tmp_path
        sys.modules.pop("slow_to_import", None)

    @pytest.mark.parametrize("racer", ["processes", "process-pool", "asyncio-processes", "gevent", "joblib"])
    def test_are_start_up(self, slow, racer):
        job = Job.from_function("./slow_to_import.py:square", [3])
        if RACERS[racer]().available():
            pytest.skip(f"{racer} {RACERS[racer]().available()}")
        (lap,) = race(job, [racer], workers=2, rounds=1, start_method="spawn").laps
        assert lap.startup_seconds > 0.5
        assert lap.seconds < lap.startup_seconds / 2
        processes = 1 if racer == "gevent" else 2
        assert len(list(slow.glob("*.imported"))) == 1 + processes

    def test_that_fail_in_a_worker_are_told(self, slow):
        job = Job.from_function(lambda n: n, [3])
        raced = race(job, ["sequential", "processes"], workers=2, rounds=1)
        (out,) = [entry.disqualified for entry in raced.entries if entry.racer == "processes"]
        assert out.startswith("the function 'TestImports.test_that")
        assert "can't be sent to another process" in out


VERDICTS = ("holds", "yields", "releases", "mixed", "too-short", "inconclusive", "not-applicable")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_sentence(verdict):
    found = {"function": "f", "verdict": verdict, "evidence": {"reason": "why", "at_long": {"share": 0.5}}}
    sentence = gil_in_words(found)
    assert sentence.endswith(".")
    assert ("can't compute in parallel" in sentence) is (verdict in ("holds", "yields"))
    assert ("2.0x" in sentence) is (verdict == "mixed")


def test_a_gil_that_was_switched_on_is_told():
    evidence = {"reason": "its GIL is switched on by the import of m", "gil_enabled": True}
    sentence = gil_in_words({"function": "f", "verdict": "not-applicable", "evidence": evidence})
    assert sentence.startswith("f runs with the GIL")
    assert sentence.endswith("by the import of m.")


def test_the_probe_takes_the_slowest_item():
    job = Job.from_function(time.sleep, [0.0, 0.2, 0.1])
    contest = Race(job, line_up(job, ["sequential"]), seed=1)
    contest.warm_up()
    contest.probe_gil()
    assert contest.gil is not None
    verdict = "releases" if machine.gil_enabled() else "not-applicable"
    assert (contest.gil["verdict"], contest.gil["item"], contest.gil["times"]) == (verdict, 1, 1)
    assert contest.result().job["gil"] == contest.gil


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verdict", 7),
        ("function", None),
        ("evidence", []),
        ("evidence", {}),
        ("evidence", {"reason": "x", "at_long": {"share": 1.0}}),
        ("evidence", {"reason": "x", "at_long": []}),
        ("evidence", {"reason": "x"}),
    ],
)
def test_a_damaged_verdict_is_refused(key, value):
    job = Job.from_function(abs, [1])
    contest = Race(job, line_up(job, ["sequential"]), seed=1)
    contest.warm_up()
    evidence = {"reason": "x", "at_long": {"share": 0.5}}
    contest.gil = {"function": "abs", "verdict": "mixed", "evidence": evidence}
    data = json.loads(contest.result().dumps())
    assert from_json(data).job["gil"] == contest.gil
    data["job"]["gil"][key] = value
    with pytest.raises(ResultError, match="gil of the job"):
        from_json(data)


class Counted:
    """An item that counts how often it is pickled."""

    times = 0

    def __reduce__(self):
        Counted.times += 1
        return Counted, ()


def name_of(item):
    return type(item).__name__


def test_a_race_tries_only_once_whether_items_can_be_pickled():
    """Else every lap of processes would pay for it; what remains is once for each trip."""
    job = Job("counted", [Counted()], None, name_of)
    contest = Race(job, line_up(job, ["sequential", "process-pool"], workers=1))
    contest.warm_up()
    Counted.times = 0
    list(contest.run(rounds=3))
    assert Counted.times == 1 + 3 * 2  # a lap of the function, and one of the empty function
