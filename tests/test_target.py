"""Callables by name: found in modules and scripts, sent to processes by name, or refused in one sentence."""

import math
import os
import pickle
import subprocess
import sys
from textwrap import dedent

import pytest

from primerace.cli import Terminated
from primerace.job import Job
from primerace.racing import race
from primerace.target import Named, TargetError, load

MODULE = """
from dataclasses import dataclass
import neighbour

print("imported in", __name__)

@dataclass
class Answer:
    n: int

class Box:
    @staticmethod
    def twice(n):
        return 2 * n

DATA = [1]
increase = lambda n: n + neighbour.STEP

def answer(n):
    return Answer(n)

def items():
    for n in range(4):
        yield Answer(n)

def of_answer(given):
    return given.n

if __name__ == "__main__":
    raise SystemExit("ran as a program")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a module `lib` and its neighbour; what is imported from it is forgotten afterwards."""
    write(tmp_path, "lib.py", MODULE)
    write(tmp_path, "neighbour.py", "STEP = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(text))
    return path


def refusal(spec):
    """What is said about this name, which must be one line."""
    with pytest.raises(TargetError) as caught:
        load(spec)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("place", ["lib", "./lib.py", "lib.py"])
def test_finds_functions_of_the_current_folder(folder, place):
    assert load(f"{place}:Box.twice")(4) == 8
    assert load(f"{place}:increase")(4) == 5
    assert isinstance(load(f"{place}:answer"), Named)


def test_finds_modules_that_are_installed():
    assert load("math:isqrt")(17) == 4
    assert load("collections:Counter.fromkeys").func.__self__.__name__ == "Counter"


def test_a_script_in_another_folder_sees_its_own_neighbours(folder):
    write(
        folder,
        "deep/script_there.py",
        "import neighbour_there\ndef f(n):\n    return neighbour_there.STEP * n",
    )
    write(folder, "deep/neighbour_there.py", "STEP = 7")
    assert load("./deep/script_there.py:f")(2) == 14
    assert load(str(folder / "deep" / "script_there.py") + ":f")(2) == 14


def test_a_script_of_any_name(folder):
    write(folder, "odd-name.py", "def f(n):\n    return n")
    assert load("./odd-name.py:f")(3) == 3


def test_a_partial_is_called_with_what_it_binds(folder):
    (folder / "bound.py").write_text("import functools\nhalf = functools.partial(pow, 0.5, exp=1)\n")
    named = load("bound:half", str(folder))
    assert (named(), named.itself(), named.itself.args) == (0.5, 0.5, (0.5,))
    assert load("math:isqrt").itself is math.isqrt


def test_what_is_printed_on_import_goes_to_standard_error(folder, capsys):
    load("./lib.py:answer")
    assert capsys.readouterr() == ("", "imported in lib\n")


@pytest.mark.parametrize("spec", ["lib:increase", "./lib.py:Box.twice", "lib:DATA.count"])
def test_travels_by_name_and_keeps_it(folder, spec):
    first = load(spec)
    second = pickle.loads(pickle.dumps(first))
    assert second is first
    assert repr(second) == f"load('{spec}')"


@pytest.mark.parametrize("place", ["lib", "./lib.py"])
def test_a_new_process_finds_it_from_another_folder(folder, tmp_path_factory, place):
    """With nothing inherited: no path, no module, another current folder."""
    parcel = pickle.dumps((load(f"{place}:increase"), load(f"{place}:answer")))
    code = "import pickle, sys; f, g = pickle.load(sys.stdin.buffer); print(f(1), g(2))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=parcel,
        capture_output=True,
        cwd=tmp_path_factory.mktemp("elsewhere"),
    )
    assert done.stdout.decode().split() == ["2", "Answer(n=2)"]
    assert done.stderr.decode() == "imported in lib\n"  # once


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_functions_of_a_script_race_in_processes(folder, start_method):
    """Items and answers of its own classes, too; and the script is not run as a program."""
    items = list(load("./lib.py:items")())
    for name, given in {"of_answer": items, "answer": [1, 2], "increase": [3]}.items():
        job = Job.from_function(f"./lib.py:{name}", given)
        result = race(job, ["sequential", "processes"], workers=2, rounds=1, start_method=start_method)
        assert [entry.disqualified for entry in result.entries] == [None, None]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "'' names no function; write package.module:function or ./script.py:function"),
        ("lib", "'lib' names no function"),
        ("lib:", "'lib:' names no function"),
        (":answer", "':answer' names no function"),
        ("json.dumps", "here perhaps json:dumps"),
        ("lib.py", "here perhaps lib.py:NAME"),
        ("a\0b:c", "names no function"),
        ("..lib:f", "'..lib' is no name of a module"),
        ("libb:answer", "there is no module 'libb'; did you mean 'lib'?"),
        ("json.decoderr:f", "there is no module 'json.decoderr'; did you mean 'json.decoder'?"),
        ("lib.inner:f", "there is no module 'lib.inner'"),
        ("lib:anser", "lib:anser: module 'lib' has no 'anser'; did you mean 'answer'?"),
        ("lib:Box.twize", "has no 'twize'; did you mean 'twice'?"),
        ("lib:DATA", "lib:DATA: can't be called, it is of type list"),
        ("./libb.py:answer", "there is no script './libb.py'; did you mean 'lib.py'?"),
        ("nowhere/x.py:f", "there is no script 'nowhere/x.py'"),
    ],
)
def test_what_is_missing_is_named(folder, spec, says):
    assert says in refusal(spec)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\nx = 1 / 0", "importing it raised ZeroDivisionError: division by zero (failing.py:2)"),
        ("def f(:", "importing it raised SyntaxError: invalid syntax (failing.py:1)"),
        ("import not_there_at_all", "No module named 'not_there_at_all' (failing.py:1)"),
        ("import sys\nsys.exit(3)", "importing it raised SystemExit: 3 (failing.py:2)"),
        ("raise type('Odd', (BaseException,), {})", "importing it raised failing.Odd (failing.py:1)"),
        ("import json\njson.loads('x')", "(failing.py:2)"),
    ],
    ids=["raises", "syntax", "lacks", "exits", "is odd", "in a library"],
)
@pytest.mark.parametrize("place", ["failing", "./failing.py"])
def test_an_import_that_fails_is_told_with_its_place(folder, text, says, place):
    write(folder, "failing.py", text)
    message = refusal(f"{place}:f")
    assert message.startswith(f"{place}: importing it ")
    assert says in message
    assert "failing" not in sys.modules


def test_an_attribute_beside_one_that_raises(folder):
    text = "class Box:\n    @property\n    def one(self):\n        raise ValueError('no')\nBOX = Box()"
    write(folder, "boxed.py", text)
    assert "has no 'ones'; did you mean 'one'?" in refusal("boxed:BOX.ones")


def test_a_partial_is_kept_as_it_is(folder):
    write(folder, "partly.py", "import functools, math\ngcd = functools.partial(math.gcd, 6)")
    found = load("partly:gcd")
    assert found(4) == 2
    assert found.itself is sys.modules["partly"].gcd


def test_the_end_of_this_program_is_no_failure_of_an_import(folder):
    write(folder, "ended.py", "from primerace.cli import Terminated\nraise Terminated(143)")
    with pytest.raises(Terminated):
        load("ended:f")


def test_an_attribute_that_raises(folder):
    write(folder, "lazy.py", "def __getattr__(name):\n    raise RuntimeError('not today')")
    assert "looking up 'f' raised RuntimeError('not today')" in refusal("lazy:f")


def test_a_script_that_a_loaded_module_hides(folder):
    write(folder, "queue.py", "def f(n):\n    return n")
    message = refusal("queue:f")
    assert "module 'queue' has no 'f'; that module is " in message
    assert message.endswith("queue.py; the script in this folder would be ./queue.py:NAME")


def test_a_script_can_not_take_the_name_of_a_loaded_module(folder):
    write(folder, "json.py", "def f(n):\n    return n")
    assert "a module 'json' is already loaded; give the script another name" in refusal("./json.py:f")


@pytest.mark.parametrize("name", ["two.dots.py", "script.txt"])
def test_a_script_needs_a_name_that_can_be_imported(folder, name):
    write(folder, name, "def f(n):\n    return n")
    assert "ends in .py and has no other dot" in refusal(f".{os.sep}{name}:f")


def test_a_failure_is_not_remembered(folder):
    refusal("later:f")
    write(folder, "later.py", "def f(n):\n    return n")
    assert load("later:f")(1) == 1
