"""Results in notebooks: HTML without a script, and races inside an event loop that runs already."""

import asyncio
import math
import re
import sys

import pytest
from pages import ATTACKS, Structure, hostile, race, sweep

import primerace
from primerace.report.exports import markdown_table

ALLOWED = set(["div", "p", "strong", "ul", "li", "img", "table", "thead", "tbody", "tr", "th", "td"])
RACE = """
import primerace
job = primerace.Job.sample("quick")
racers = ["sequential", "threads", "processes", "thread-pool", "process-pool"]
result = primerace.race(job, racers, ["released"], workers=2, rounds=1)
assert not [entry for entry in result.entries if entry.disqualified]
result
"""


@pytest.mark.parametrize("make", [race, sweep, hostile])
def test_output_is_html_without_a_script(make):
    structure = Structure(make()._repr_html_())
    assert structure.open == []
    assert {tag for tag, _ in structure.tags} <= ALLOWED
    assert {name for _, attributes in structure.tags for name in attributes} <= {"alt", "style", "src"}


def test_output_says_what_was_found():
    text = Structure(race()._repr_html_()).text
    assert "Fastest" in text or "No single winner" in text
    assert "threads" in text
    assert "the lowest median" in Structure(sweep()._repr_html_()).text


def test_every_contestant_has_a_line():
    raced = race()
    assert len(Structure(raced._repr_html_()).named("tr")) == 1 + len(raced.entries)


def test_function_of_ones_own_has_no_columns_of_dashes():
    raced = primerace.race(primerace.Job("roots", [1.0, 4.0], function=math.sqrt), ["sequential"], rounds=1)
    structure = Structure(raced._repr_html_())
    assert len(structure.named("th")) == len(structure.named("td")) == 6
    assert "kernel" not in structure.text
    assert markdown_table(raced).splitlines()[:2] == [
        "| racer | workers | median | vs sequential | per worker | start-up |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]


def test_strings_are_read_as_they_were_given():
    text = Structure(hostile()._repr_html_()).text
    for attack in ATTACKS:
        assert attack in text


def test_chart_is_an_image_within_the_output():
    for module in ("altair", "vl_convert"):
        pytest.importorskip(module, reason=f"charts need {module}, of the extra plot")
    (image,) = Structure(race()._repr_html_()).named("img")
    assert image["src"].startswith("data:image/svg+xml;base64,")
    assert image["alt"]


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_without_the_extra_there_is_no_chart(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    structure = Structure(race()._repr_html_())
    assert structure.named("img") == []
    assert len(structure.named("table")) == 1


def test_race_inside_a_running_event_loop():
    async def main():
        racers = ["sequential", "threads", "processes", "asyncio", "asyncio-threads", "asyncio-processes"]
        job = primerace.Job.sample("quick")
        return primerace.race(job, racers, ["released"], workers=2, rounds=1)

    result = asyncio.run(main())
    assert len(result.entries) == 6
    assert not [entry for entry in result.entries if entry.disqualified]


def test_notebook_races_and_shows_the_result(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
    pytest.importorskip("ipykernel", reason="needs ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(RACE)])
    nbclient.NotebookClient(notebook, timeout=100, kernel_name="python3").execute(cwd=tmp_path)
    (output,) = [each for each in notebook.cells[0].outputs if each.output_type == "execute_result"]
    html = output.data["text/html"]
    assert "<script" not in html
    assert len(re.findall("<tr>", html)) == 6
    nbformat.validate(notebook)
