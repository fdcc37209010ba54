"""Charts: they show what the result says, to everybody, in every kind of file, and load nothing."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from browsing import browser, complaints, missing, requests
from laps import lap, result
from pages import ATTACKS, KERNELS, Structure, hostile, race, sweep

from primerace.cli import main
from primerace.racers import Outcome
from primerace.report.charts import theme
from primerace.report.plot import CHARTS, KINDS, figure, figures, picture
from primerace.report.policy import hashes
from primerace.results import ResultError, SweepResult

for module in ("altair", "vl_convert"):
    pytest.importorskip(module, reason=f"charts need {module}, of the extra plot")
timeline = pytest.importorskip("primerace.report.charts.timeline")

PNG = b"\x89PNG\r\n\x1a\n"
HALF = "half a character: \ud800"


def rows(specification):
    """All rows of data in a specification."""
    return [row for data in specification["datasets"].values() for row in data]


def shown(made, key):
    """The rows of all views of a figure that have this key."""
    return [row for part in made.parts() for row in rows(part) if key in row]


def fonts(node):
    """Every font size in a specification."""
    for key, value in node.items():
        if key.endswith("ontSize"):
            yield value
        elif isinstance(value, dict):
            yield from fonts(value)


def texts(picture):
    """What a person can read in an SVG."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(picture).findall(".//{*}text")]


def held_and_released(workers=2, items=6):
    """A race in which held threads take turns, released ones overlap, and Python's share each moment."""
    held = [Outcome(n, True, 1.9, 1.0, n % workers, float(n)) for n in range(items)]
    released = [Outcome(n, True, 1.0, 1.0, n % workers, float(n // workers)) for n in range(items)]
    shared = [Outcome(n, True, 2.0, 1.0, n % workers, 2.0 * (n // workers)) for n in range(items)]
    alone = [Outcome(n, True, 1.0, 1.0, 0, float(n)) for n in range(items)]
    base = lap(walls=[1.0] * items)
    laps = []
    for number in range(6):
        for kernel in ("python", "held", "released"):
            laps.append(replace(base, round=number, kernel=kernel, seconds=float(items), outcomes=alone))
        for kernel, outcomes in (("python", shared), ("held", held), ("released", released)):
            seconds = max(each.started + each.seconds for each in outcomes)
            threads = replace(base, racer="threads", kernel=kernel, workers=workers, outcomes=outcomes)
            laps.append(replace(threads, round=number, seconds=seconds))
    return result(laps, items=items)


def boxes(found, contestant):
    made = figure(found, "timeline")
    return [row for row in shown(made, "until") if row["contestant"] == contestant]


def test_speedup_shows_every_racing_entry():
    found = race(kernels=KERNELS)
    dots = {row["contestant"]: row for row in shown(figure(found), "times") if "contestant" in row}
    racing = {entry.name: entry for entry in found.entries if entry.racer != "sequential"}
    assert dots.keys() == racing.keys()
    for name, entry in racing.items():
        assert dots[name]["times"] == pytest.approx(entry.speedup.ratio.value, rel=1e-4)
        assert dots[name]["low"] == pytest.approx(entry.speedup.ratio.low, rel=1e-4)
        assert dots[name]["high"] == pytest.approx(entry.speedup.ratio.high, rel=1e-4)
        assert dots[name]["bound"] == pytest.approx(entry.schedule_bound, rel=1e-4)


def test_no_interval_below_six_rounds():
    made = figure(race(rounds=5))
    assert {row["low"] for row in shown(made, "low")} == {None}
    assert "too few rounds for intervals" in made.caption
    assert "95% interval" in figure(race(rounds=6)).caption


def test_far_apart_speedups_get_a_scale_of_their_own():
    laps = [lap(number, kernel=kernel, seconds=1.0) for number in range(6) for kernel in ("held", "fast")]
    laps += [lap(number, "threads", "held", 2, 0.6) for number in range(6)]
    laps += [lap(number, "threads", "fast", 2, 80.0) for number in range(6)]
    near, far = figure(result(laps), "speedup").parts()
    assert [row["contestant"] for row in rows(near) if "contestant" in row] == ["threads/held"]
    assert [row["contestant"] for row in rows(far) if "contestant" in row] == ["threads/fast"]
    scales = [part["layer"][0]["encoding"]["x"]["scale"].get("type") for part in (near, far)]
    assert scales == [None, "log"]


def test_seconds_shows_every_lap():
    found = race(rounds=7)
    ticks = [row for row in shown(figure(found, "seconds"), "seconds") if "contestant" not in row]
    assert sorted(row["seconds"] for row in ticks) == pytest.approx(
        sorted(each.seconds for each in found.laps), rel=1e-4
    )


def test_disqualified_are_named_but_never_drawn():
    laps = [lap(number, name, workers=2) for number in range(6) for name in ("threads", "liar")]
    laps += [lap(number) for number in range(6)]
    found = result(laps, disqualified={("liar", "held", 2): "item 0 was wrong"})
    for made in figures(found):
        assert "liar" not in json.dumps(made.parts())
        assert "Disqualified: liar/held" in made.whole(found).to_dict()["title"]["subtitle"]


def test_a_result_says_which_charts_it_has():
    alone = result([lap(number, "threads", workers=2) for number in range(6)])
    assert figure(alone).name == "seconds"
    with pytest.raises(ResultError, match="no chart speedup of this result, which has seconds, timeline"):
        figure(alone, "speedup")


def test_no_lap_is_one_sentence():
    nothing = replace(race(), laps=[], entries=[])
    with pytest.raises(ResultError, match="there is no lap to draw"):
        figure(nothing)


def test_timeline_held_threads_take_turns():
    drawn = sorted(boxes(held_and_released(), "threads/held"), key=lambda row: row["begin"])
    assert all(row["level"] == row["ceiling"] for row in drawn)
    assert all(first["until"] <= second["begin"] for first, second in pairwise(drawn))
    assert all(row["end"] - row["until"] == pytest.approx(0.9) for row in drawn)


def test_timeline_released_threads_overlap_and_wait_for_nothing():
    drawn = boxes(held_and_released(), "threads/released")
    assert all(row["until"] == row["end"] and row["level"] == pytest.approx(row["ceiling"]) for row in drawn)
    both = [(a, b) for a, b in combinations(drawn, 2) if a["worker"] != b["worker"]]
    assert sum(a["begin"] == b["begin"] for a, b in both) == 3


def test_timeline_shared_moments_fill_half_the_height():
    for row in boxes(held_and_released(), "threads/python"):
        assert row["until"] == row["end"]
        assert (row["floor"] - row["level"]) / (row["floor"] - row["ceiling"]) == pytest.approx(0.5, rel=0.01)


def test_timeline_never_draws_python_in_turns():
    """Its threads hand the GIL over every few milliseconds, even where the items could have taken turns."""
    items = [Outcome(n, True, 1.9, 1.0, n % 2, float(n)) for n in range(6)]
    threads = replace(lap(racer="threads", kernel="python", seconds=6.9), workers=2, outcomes=items)
    for row in boxes(result([threads], items=6), "threads/python"):
        assert row["until"] == row["end"]
        assert (row["floor"] - row["level"]) / (row["floor"] - row["ceiling"]) < 0.6


def test_timeline_draws_divided_items_on_every_worker():
    """The outcome names only who settled it, and its processor seconds are those of all workers."""
    items = [Outcome(n, True, 1.0, 2.0, n % 2, float(n)) for n in range(3)]
    split = replace(lap(racer="split", kernel="released", seconds=3.0), workers=2, outcomes=items)
    found = result([split], items=3)
    drawn = boxes(found, "split/released")
    assert sorted((row["begin"], row["worker"]) for row in drawn) == [
        (begin, worker) for begin in (0, 1, 2) for worker in (1, 2)
    ]
    assert all(row["until"] == row["end"] and row["level"] == pytest.approx(row["ceiling"]) for row in drawn)
    assert "2.00 cores" in texts(picture(found, figure(found, "timeline"), "svg"))


def test_timeline_tells_how_many_cores_computed():
    found = held_and_released()
    words = texts(picture(found, figure(found, "timeline"), "svg"))
    assert words.count("2.00 cores") == 1  # released
    assert words.count("1.00 cores") == 4  # sequential, and Python's threads
    assert words.count("0.87 cores") == 1  # held


@pytest.mark.parametrize(("workers", "lanes"), [(2, 2), (4, 4), (400, 2)])
def test_timeline_shows_idle_workers_but_not_hundreds(workers, lanes):
    outcomes = [Outcome(n, True, 0.5, 0.5, n % 2, n / 2) for n in range(4)]
    threads = replace(lap(racer="threads", seconds=2.0), workers=workers, outcomes=outcomes)
    drawn = shown(figure(result([threads], items=4), "timeline"), "start")
    assert len(drawn) == lanes


def test_timeline_draws_many_items_in_groups():
    items = 5000
    outcomes = [Outcome(n, True, 1e-3, 1e-3, 0, n * 1e-3) for n in range(items)]
    found = result([replace(lap(seconds=5.0, walls=[1e-3] * items), outcomes=outcomes)], items=items)
    drawn = shown(figure(found, "timeline"), "until")
    assert len(drawn) <= timeline.MOST
    assert sum(int(row["item"].removesuffix(" items")) for row in drawn) == items
    assert drawn[-1]["end"] == pytest.approx(5.0, rel=2e-3)  # a hair is wider


def test_timeline_of_numbers_that_python_does_not_print():
    found = result([lap()])
    found.job["items"][0] = 10**5000
    assert [row["item"] for row in shown(figure(found, "timeline"), "until")] == ["too long to show"]


@pytest.mark.parametrize(
    ("longest", "unit"),
    [(2.0, "seconds"), (0.9, "milliseconds"), (3e-3, "milliseconds"), (4e-5, "microseconds")],
)
def test_timeline_names_its_unit(longest, unit):
    found = result([lap(seconds=longest, walls=[longest / 2])])
    (part,) = figure(found, "timeline").parts()
    assert part["layer"][1]["encoding"]["x"]["title"] == f"{unit} since the lap began"


def test_sweep_marks_the_lowest_the_cores_and_the_bound():
    found = sweep()
    points = shown(figure(found), "value")
    assert len(points) == sum(map(len, found.curves().values()))
    lowest = {row["curve"]: row["workers"] for row in points if row["lowest"]}
    assert lowest == {"threads/held": 4, "processes/held": 4}
    assert all(row["bound"] and row["low"] <= row["value"] <= row["high"] for row in points)
    assert "2 usable cores" in texts(picture(found, figure(found), "svg"))


@pytest.mark.parametrize("counts", [(1,), (3,), (2, 64)])
def test_sweep_of_few_numbers_of_workers(counts):
    found = sweep(counts=counts)
    assert isinstance(found, SweepResult)
    for made in figures(found):
        assert picture(found, made, "svg").startswith(b"<svg")


def test_sixty_contestants_are_all_named():
    names = [f"racer-{number}" for number in range(58)]
    found = race(racers=names, kernels=("held",))
    for made in figures(found):
        words = texts(picture(found, made, "svg"))
        assert [name for name in names if f"{name}/held" not in words] == []


def test_own_function_has_no_kernel():
    laps = [replace(each, kernel=None) for each in race(kernels=("held",)).laps]
    words = texts(picture(result(laps, items=4), figure(result(laps, items=4)), "svg"))
    assert "times faster than sequential" in words
    assert "threads" in words


def test_dark_differs_in_nothing_but_its_configuration():
    for made in figures(race()):
        for light, dark in zip(made.parts(), made.parts(dark=True), strict=True):
            assert light.pop("config") != dark.pop("config")
            assert light == dark


def test_parts_fit_their_container():
    for found in (race(kernels=KERNELS), sweep()):
        for made in figures(found):
            assert all(part["width"] == "container" for part in made.parts())


def test_large_race_stays_small():
    found = race(rounds=30, racers=[f"racer-{number}" for number in range(10)], kernels=KERNELS, items=20)
    assert len(json.dumps([made.parts() for made in figures(found)])) < 1_000_000


@pytest.mark.parametrize("dark", [False, True])
def test_colours_stand_out_and_texts_are_large(dark):
    config = theme.config(dark)
    paper = "#0d1117" if dark else "#ffffff"
    assert all(contrast(colour, paper) >= 2.9 for colour in config["range"]["category"][:4])
    assert contrast(config["axis"]["labelColor"], paper) >= 7
    assert contrast(config["axis"]["titleColor"], paper) >= 4.5
    assert min(fonts(config)) >= 11


def contrast(*colours):
    """Of two colours, as WCAG 2 defines it."""

    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted(map(luminance, colours))
    return (lighter + 0.05) / (darker + 0.05)


def test_no_curve_and_no_kernel_is_told_by_its_colour_alone():
    point = figure(race(kernels=KERNELS)).parts()[0]["layer"][-1]["encoding"]
    assert point["shape"]["field"] == point["color"]["field"] == "kernel"
    curve = figure(sweep()).parts()[0]["layer"][-1]["encoding"]
    assert curve["shape"]["field"] == curve["color"]["field"] == "curve"


def test_forty_curves_differ_in_colour_or_shape():
    colours, shapes = theme.config()["range"]["category"], theme.config()["range"]["symbol"]
    assert len({(colours[n % len(colours)], shapes[n % len(shapes)]) for n in range(40)}) == 40


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for name, found in (("race", race()), ("sweep", sweep()), ("hostile", half(hostile()))):
        found.save(folder / f"{name}.json")
    return folder


def half(found):
    """The same result with a name that no UTF-8 can hold."""
    return replace(found, job={**found.job, "name": found.job["name"] + HALF})


def test_save_can_hold_half_a_character(saved):
    assert HALF in json.loads((saved / "hostile.json").read_text())["job"]["name"]


@pytest.mark.parametrize("name", ["race", "sweep", "hostile"])
@pytest.mark.parametrize("kind", KINDS)
def test_command_writes_every_kind(saved, tmp_path, capsys, name, kind):
    target = tmp_path / f"out.{kind.upper()}"
    assert main(["plot", str(saved / f"{name}.json"), "-o", str(target)]) == 0
    content = target.read_bytes()
    assert capsys.readouterr() == ("", "")
    if kind == "png":
        assert content.startswith(PNG)
        assert int.from_bytes(content[16:20]) > 800  # pixels wide
    elif kind == "svg":
        assert [node for node in ElementTree.fromstring(content).iter() if node.tag.endswith("}image")] == []
        assert b"href" not in content
    else:
        page = Structure(content.decode())
        assert page.open == []
        assert [each for each in page.tags if {"src", "href"} & each[1].keys() - {"data:,"}] == [
            ("link", {"rel": "icon", "href": "data:,"})
        ]
        policy = page.named("meta")[1]["content"]
        assert policy.startswith("default-src 'none'; ")
        assert f"script-src {hashes(text for _, text in page.scripts)};" in policy
        assert len(page.scripts) == 2


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("name", ["race", "sweep"])
def test_command_draws_every_chart_on_standard_output(saved, capsysbinary, name, chart):
    assert main(["plot", str(saved / f"{name}.json"), "-o", "-", "--chart", chart, "--dark"]) == 0
    content = capsysbinary.readouterr().out
    assert f"made up: {figure(race() if name == 'race' else sweep(), chart).title}" in texts(content)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["race.json", "-o", "out.pdf"], "--output out.pdf: a picture's name ends in .svg, .png or .html"),
        (["race.json", "-o", "out"], "a picture's name ends in"),
        (["race.json", "-o", "/nowhere/out.svg"], "--output /nowhere/out.svg: No such file or directory"),
        (["none.json", "-o", "out.svg"], "none.json: No such file or directory"),
        (["race.json"], "Missing option '-o'"),
        (["race.json", "-o", "out.svg", "--chart", "pie"], "'pie' is not one of"),
        (["cut.json", "-o", "out.svg"], "cut.json: not a whole JSON file"),
        (["empty.json", "-o", "out.svg"], "empty.json: there is no lap to draw"),
        (["alone.json", "-o", "out.svg", "--chart", "speedup"], "alone.json: there is no chart speedup"),
    ],
)
def test_command_refuses_in_one_sentence(saved, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    race().save("race.json")
    replace(race(), laps=[], entries=[]).save("empty.json")
    result([lap(number, "threads", workers=2) for number in range(6)]).save("alone.json")
    (tmp_path / "cut.json").write_text((tmp_path / "race.json").read_text()[:200])
    assert main(["plot", *arguments]) == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    assert words in said
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_command_names_the_extra(saved, tmp_path, monkeypatch, capsys, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["plot", str(saved / "race.json"), "-o", str(tmp_path / "out.svg")]) == 2
    assert f"charts need {module}: pip install 'primerace[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "output"), [("plot", "out.svg"), ("report", "out.html")])
def test_command_names_a_vl_convert_that_is_too_old(saved, tmp_path, monkeypatch, capsys, command, output):
    monkeypatch.setattr("vl_convert.get_vegalite_versions", lambda: ["5.8"])
    assert main([command, str(saved / "race.json"), "-o", str(tmp_path / output)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: charts need a vl-convert that knows Vega-Lite ")
    assert said.endswith("pip install --upgrade vl-convert-python\n")
    assert list(tmp_path.iterdir()) == []


def test_command_line_starts_without_altair():
    code = "import primerace.cli, primerace.report.plot, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"altair", "vl_convert", "pandas"} & set(loaded.stdout.split())


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_page_in_a_browser(saved, tmp_path):
    target = tmp_path / "out.html"
    assert main(["plot", str(saved / "hostile.json"), "-o", str(target)]) == 0
    with browser() as driver:
        driver.set_page_load_timeout(60)
        driver.get(target.as_uri())
        driver.implicitly_wait(30)
        drawn = driver.find_element("css selector", "#chart svg")
        assert ATTACKS[0] in drawn.get_attribute("textContent")
        assert complaints(driver) == []
        assert requests(driver) == [target.as_uri()]
        assert driver.execute_script("return window.hacked") is None
        standalone = pytest.importorskip("primerace.report.charts.standalone")
        target.write_text(standalone.page({"mark": "nonsense", "layer": 7}, "failing"), encoding="utf-8")
        driver.get(target.as_uri())
        driver.find_element("xpath", "//div[starts-with(., 'This chart could not be drawn: ')]")
