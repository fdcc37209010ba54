"""Functions, items and answers as JSON text: what arrives is what was sent, or nothing is sent."""

import functools
import json
import math
import os
import subprocess
import sys

import functions
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace.kernels import KERNELS
from primerace.racers import Outcome, RacerError
from primerace.racers.base import Failure, Introduction, do_nothing
from primerace.racers.messages import (
    function_from,
    function_text,
    item_text,
    result_from,
    result_text,
)
from primerace.target import TargetError, load

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class TestFunctions:
    @pytest.mark.parametrize("function", [*KERNELS.values(), do_nothing, math.isqrt, functions.square])
    def test_arrive_as_themselves(self, function):
        assert function_from(function_text("celery", function)) is function

    def test_of_a_script_are_sent_by_its_path(self, tmp_path):
        path = tmp_path / "ascript.py"
        path.write_text("def double(n):\n    return 2 * n\n")
        named = load(f"{path}:double")
        text = function_text("celery", named)
        assert json.loads(text)["name"] == f"{path}:double"
        assert function_from(text)(4) == 8

    def test_that_are_only_introduced_are_not_called(self):
        arrived = function_from(function_text("celery", Introduction(functions.leave)))
        assert isinstance(arrived, Introduction)
        assert arrived(7) is None

    @pytest.mark.parametrize(
        "function",
        [lambda n: n, functools.partial(pow, 2), "text".upper, object()],
        ids=lambda function: type(function).__name__,
    )
    def test_without_a_name_are_refused(self, function):
        with pytest.raises(RacerError, match=r"^celery: the function .* can't be sent by its name: "):
            function_text("celery", function)

    def test_whose_name_is_anothers_are_refused(self):
        @functools.wraps(functions.square)
        def wrapped(n):
            return functions.square(n)

        with pytest.raises(RacerError, match="functions:square is another"):
            function_text("celery", wrapped)

    def test_found_from_any_folder(self, tmp_path):
        """The folder of its module comes along."""
        text = function_text("celery", functions.square)
        assert json.loads(text)["folder"] == os.path.dirname(functions.__file__)
        code = f"from primerace.racers.messages import function_from; print(function_from({text!r})(7))"
        ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert (ran.stdout, ran.stderr) == ("49\n", "")

    def test_of_a_package_come_with_the_folder_around_it(self):
        folder = json.loads(function_text("celery", do_nothing))["folder"]
        assert os.path.isfile(os.path.join(folder, "primerace", "__init__.py"))

    def test_that_are_gone_are_told(self):
        text = json.dumps({"name": "functions:gone", "folder": "/", "introduced": False, "script": False})
        with pytest.raises(TargetError, match="gone"):
            function_from(text)


MAIN = """
from primerace.racers.messages import function_text

def double(n):
    return 2 * n

if __name__ == "__main__":
    print(function_text("celery", double))
"""


@pytest.mark.parametrize("way", ["script", "module"])
def test_function_of_the_program_itself(way, tmp_path):
    """In another process, the module __main__ is another."""
    (tmp_path / "program.py").write_text(MAIN)
    words = ["program.py"] if way == "script" else ["-m", "program"]
    ran = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stderr == ""
    expected = f"{tmp_path / 'program.py'}:double" if way == "script" else "program:double"
    assert json.loads(ran.stdout)["name"] == expected
    code = f"from primerace.racers.messages import function_from; print(function_from({ran.stdout!r})(7))"
    ran = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("14\n", "")


UNGUARDED = """
from primerace.racers.messages import function_text

def double(n):
    return 2 * n

print(function_text("celery", double))
if __name__ != "__main__":
    raise ValueError("races again")
"""


def test_function_of_a_script_that_races_when_it_is_imported(tmp_path):
    (tmp_path / "program.py").write_text(UNGUARDED)
    ran = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True)
    why = "importing it raised ValueError: races again.*; a script that races must do so under"
    with pytest.raises(TargetError, match=why):
        function_from(ran.stdout)


def test_function_that_is_in_no_file():
    code = MAIN.replace("print(", "print(1, ")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stderr.splitlines()[-1].endswith("can't be sent by its name: it is in no file")


class TestItems:
    @given(json_values)
    def test_arrive_unchanged(self, item):
        arrived = json.loads(item_text("rq", 3, item))
        assert repr(arrived) == repr(item)

    @pytest.mark.parametrize(
        ("item", "why"),
        [
            ((1, 2), r"it would arrive as \[1, 2\]"),
            ({1: 2}, "it would arrive as {'1': 2}"),
            ([{"deep": (1,)}], "it would arrive as"),
            ({1, 2}, "set is not JSON serializable"),
            (b"bytes", "bytes is not JSON serializable"),
            (1j, "complex is not JSON serializable"),
            (functools.reduce(lambda inner, _: [inner], range(100_000), []), "(recursion|Stack overflow)"),
            (10**5000, "4300"),
        ],
        ids=["tuple", "key", "deep", "set", "bytes", "complex", "nested", "long"],
    )
    def test_that_json_would_change_are_refused(self, item, why):
        with pytest.raises(RacerError, match=rf"^rq: item 3 \(.*\) can't be sent as JSON: .*{why}"):
            item_text("rq", 3, item)

    def test_that_are_recursive_are_refused(self):
        item = []
        item.append(item)
        with pytest.raises(RacerError, match="can't be sent as JSON: Circular"):
            item_text("rq", 0, item)


class TestResults:
    @given(json_values)
    def test_outcomes_arrive_unchanged(self, answer):
        outcome = Outcome(7, answer, 0.1, 1e-9, 2, 0.3)
        assert repr(result_from(result_text(outcome))) == repr(outcome)

    @pytest.mark.parametrize("index", [None, 7])
    def test_failures_arrive_unchanged(self, index):
        failure = Failure.of(index, ValueError("bad\n\ud800"))
        assert result_from(result_text(failure)) == failure

    @pytest.mark.parametrize("answer", [(1,), {1: 2}, b"", {1}])
    def test_answers_that_json_would_change_are_failures_of_their_item(self, answer):
        failure = result_from(result_text(Outcome(7, answer, 0.1, 0.1, 0, 0.1)))
        assert isinstance(failure, Failure)
        assert failure.index == 7
        assert failure.error.startswith("TypeError: its answer can't be sent as JSON: ")
