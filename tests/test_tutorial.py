"""Everything that the tutorial tells to type runs, in its order, and its dialogues answer as printed."""

import doctest
import importlib.util
import re
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
DIALOGUES = re.findall(r"```python\n(>>> .*?)```", PAGE, re.DOTALL)
CHEAPER = {
    "3_000": "50",
    "--rounds 12": "--rounds 1",
    "--rounds 6": "--rounds 1",
    "--seconds 15": "--seconds 1",
}


@pytest.fixture(scope="module")
def tutorial():
    spec = importlib.util.spec_from_file_location("tutorial", ROOT / "tools" / "tutorial.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(page):
    return re.findall(r"^\$ (.*)", page, re.MULTILINE)


def test_every_command_runs(tutorial, tmp_path):
    for module in ("altair", "vl_convert", "jinja2", "joblib"):
        pytest.importorskip(module, reason=f"the tutorial needs {module}")
    page = tutorial.typed(PAGE, tmp_path, CHEAPER)
    assert commands(page) == commands(PAGE)
    assert len(commands(page)) >= 9
    assert "18446744073709551557 is prime\n" in page
    assert "vs sequential" in page
    assert "</html>" in (tmp_path / "race.html").read_text(encoding="utf-8")
    assert (tmp_path / "timeline.svg").read_text(encoding="utf-8").startswith("<svg")


def test_outputs_take_the_place_of_older_ones(tutorial, tmp_path):
    page = "```console\n$ echo one\nold\n$ true\n$ echo ' two'\n```\n"
    assert tutorial.typed(page, tmp_path) == "```console\n$ echo one\none\n$ true\n$ echo ' two'\n two\n```\n"
    with pytest.raises(tutorial.CommandFailed, match="exit 3"):
        tutorial.typed("```console\n$ exit 3\n```\n", tmp_path)


def test_a_busy_machine_writes_nothing(tutorial, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    monkeypatch.setattr(tutorial, "PAGE", page)
    monkeypatch.setattr(sys, "argv", ["tutorial.py", "--write"])
    for others, written in [(6.0, "old"), (4.0, "new")]:
        page.write_text("```console\n$ echo new\nold\n```\n")
        readings = iter([(0.0, 0.0), (100.0, others)])
        monkeypatch.setattr(tutorial, "clock", lambda readings=readings: next(readings))
        with pytest.raises(SystemExit, match="used 6%") if others > 5 else nullcontext():
            tutorial.main()
        assert page.read_text().endswith(f"{written}\n```\n")


def test_every_command_that_prints_has_its_output():
    silent = [part.split() for part in re.findall(r"^\$ (.*)\n(?=\$|```)", PAGE, re.MULTILINE)]
    assert [words[1] for words in silent] == ["plot", "report"]


@pytest.mark.parametrize("dialogue", DIALOGUES)
def test_dialogues_answer_as_printed(dialogue):
    test = doctest.DocTestParser().get_doctest(dialogue, {}, "tutorial", None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0
    assert test.examples
