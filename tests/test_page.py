"""The page: whole in itself, closed to what is not its own, and true to the results."""

import base64
import hashlib
import json
import math
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from pages import ATTACKS, KERNELS, Structure, hostile, partly_compared, race, sweep

import primerace
from primerace.cli import main
from primerace.report import html, reproduction
from primerace.report.findings import findings

for module in ("altair", "vl_convert", "jinja2"):
    pytest.importorskip(module, reason=f"the page needs {module}, of the extra plot")

EXECUTABLE = (None, "module", "text/javascript")


def page(*results):
    return html.page([(f"file-{place}.json", each) for place, each in enumerate(results)])


@pytest.fixture(scope="module")
def raced():
    return page(race())


@pytest.fixture(scope="module")
def attacked():
    return html.page([(ATTACKS[0], hostile()), (ATTACKS[2], hostile())])


def test_page_refers_to_nothing_outside(raced):
    structure = Structure(raced)
    for tag, attributes in structure.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    style = raced[raced.index("<style>") : raced.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_policy_allows_the_scripts_of_the_page_and_no_request(raced):
    structure = Structure(raced)
    (policy,) = [meta["content"] for meta in structure.named("meta") if "http-equiv" in meta]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "img-src", "style-src", "script-src"}
    assert rules["img-src"] == "data:"
    assert "unsafe" not in rules["script-src"]
    own = [text for attributes, text in structure.scripts if attributes.get("type") in EXECUTABLE]
    assert len(own) == 3
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in own]
    assert sorted(rules["script-src"].split()) == sorted(f"'sha256-{each}'" for each in hashes)


def test_nothing_of_a_result_becomes_part_of_the_page(attacked, raced):
    structure = Structure(attacked)
    executable = [text for attributes, text in structure.scripts if attributes.get("type") in EXECUTABLE]
    harmless = [text for attributes, text in Structure(raced).scripts if attributes.get("type") in EXECUTABLE]
    assert executable == harmless
    assert not {"img", "svg", "iframe", "object", "embed"} & {tag for tag, _ in structure.tags}
    assert not [name for _, attributes in structure.tags for name in attributes if name.startswith("on")]
    assert structure.open == []


def test_what_was_escaped_is_read_as_it_was_given(attacked):
    text = Structure(attacked).text
    for attack in ATTACKS:
        assert attack in text


def test_charts_hold_the_strings_as_data(attacked):
    data = [json.loads(text) for attributes, text in Structure(attacked).scripts if attributes.get("type")]
    whole = json.dumps(data)
    assert json.dumps(ATTACKS[0])[1:-1] in whole


@pytest.mark.parametrize("make", [race, sweep])
def test_headings_and_landmarks(make):
    structure = Structure(page(make(), make()))
    levels = [int(tag[1]) for tag, _ in structure.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in zip(levels, levels[1:], strict=False))
    assert [len(structure.named(tag)) for tag in ("main", "header", "footer", "nav")] == [1, 1, 1, 1]
    identities = [attributes["id"] for _, attributes in structure.tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    links = [attributes["href"][1:] for attributes in structure.named("a")]
    assert set(links) <= set(identities)
    assert links[0] == "main"
    labels = [attributes["aria-labelledby"] for attributes in structure.named("section")]
    assert set(labels) <= set(identities)


def test_what_scrolls_can_be_reached_by_keyboard(raced):
    regions = [attributes for _, attributes in Structure(raced).tags if attributes.get("role") == "region"]
    assert len(regions) >= 5
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)


@pytest.mark.parametrize("make", [race, sweep, lambda: race(kernels=KERNELS)])
def test_every_region_has_a_name_of_its_own(make):
    regions = [attributes for _, attributes in Structure(page(make())).tags if "aria-label" in attributes]
    names = [region["aria-label"] for region in regions]
    assert sorted(names) == sorted(set(names))


def test_intervals_are_spoken_of_where_there_are_any():
    assert "in brackets the 95% interval" in Structure(page(race())).text
    assert "in brackets the 95% interval" not in Structure(page(race(rounds=5))).text


@pytest.mark.parametrize(("cores", "words"), [(1, "1 core"), (2, "2 cores")])
def test_summary_counts_in_words(cores, words):
    raced = race(rounds=1, items=1)
    text = Structure(page(replace(raced, machine={**raced.machine, "cores": cores}))).text
    assert (
        f"1 item in given order, 1 round, 6 contestants; made up, {words}, CPython 3.11.7, start method fork"
        in text
    )


def test_page_says_what_was_found():
    raced = race()
    text = Structure(page(raced)).text
    sentences = list(findings(raced))
    assert len(sentences) == 3
    for sentence in sentences:
        assert sentence in text


def test_ranking_is_sorted_by_the_median_and_can_be_sorted_by_all():
    raced = race(kernels=KERNELS)
    structure = Structure(page(raced))
    sorts = [th.get("aria-sort") for th in structure.named("th") if "aria-sort" in th]
    assert sorts == ["ascending"]
    assert len(structure.named("button")) == 1 + 8
    values = [cell["data-value"] for cell in structure.named("td") if "data-value" in cell]
    lines = [values[place : place + 8] for place in range(0, len(values), 8)]
    assert [line[0] for line in lines] == [entry.racer for entry in raced.entries]
    assert [float(line[3]) for line in lines] == [entry.median_seconds for entry in raced.entries]


def test_missing_values_are_no_numbers():
    structure = Structure(page(partly_compared()))
    values = [cell["data-value"] for cell in structure.named("td") if "data-value" in cell]
    assert values[4::8] == ["1.5", "", "", "", "", ""]


def test_columns_that_say_nothing_are_left_out():
    assert "/python" not in Structure(page(race())).text
    assert "/python" in Structure(page(race(kernels=("python", "held")))).text


def test_notes_name_the_disqualified_and_the_absent():
    raced = replace(race(), unavailable={"interpreters": "needs Python 3.14"})
    out = replace(raced.entries[0], disqualified="item 3 was lost", median_seconds=None)
    text = Structure(page(replace(raced, entries=[*raced.entries[1:], out]))).text
    assert f"{out.name}: item 3 was lost" in text
    assert "interpreters: needs Python 3.14" in text


def test_few_rounds_are_named():
    assert "No intervals and no findings below 6 rounds." in Structure(page(race(rounds=2))).text


def test_machine_is_described(raced):
    text = Structure(raced).text
    assert "made up" in text
    assert "instruction set" in text


def test_two_of_a_kind_are_compared():
    assert "Comparison of the two" in Structure(page(race(), race())).text
    assert "Comparison of the two" not in Structure(page(race(), sweep())).text
    assert "Comparison of the two" not in Structure(page(race(), race(), race())).text


def test_comparison_says_what_differs():
    other = replace(race(racers=("threads",)), machine={**race().machine, "cpu": "another"})
    text = Structure(page(race(), other)).text
    assert "differs: cpu: 'made up' -> 'another'" in text
    assert "only in the first: processes/held with 2" in text


def test_sweep_has_laws_and_its_lowest_medians():
    text = Structure(page(sweep())).text
    assert "threads/held: the lowest median is with 4 workers" in text
    assert "Laws of scaling" in text


def test_large_page_stays_small():
    """10 racers, 20 items, 30 rounds, and Vega itself: under 3 MB."""
    racers = [f"racer-{place}" for place in range(10)]
    large = page(race(rounds=30, racers=racers, kernels=KERNELS, items=20))
    assert len(large.encode()) < 3e6


def test_vega_is_there_once():
    once, twice = page(race()), page(race(), race())
    assert once.count("window.vegaEmbed=") == twice.count("window.vegaEmbed=") == 1


def test_result_without_a_lap_has_a_page_without_charts():
    raced = race()
    out = {"median_seconds": None, "speedup": None, "speedup_python": None, "disqualified": "lost", "laps": 0}
    none = [replace(entry, **out) for entry in raced.entries]
    bare = page(replace(raced, laps=[], entries=none))
    assert "window.vegaEmbed=" not in bare
    assert "lost" in Structure(bare).text


@pytest.mark.parametrize("command", [("report", "-o"), ("show", "--markdown"), ("show", "--csv")])
def test_half_a_character_is_replaced(command, tmp_path):
    """JSON can hold it, UTF-8 can't."""
    source, target = tmp_path / "race.json", tmp_path / "out"
    race(racers=["half \ud800"]).save(source)
    name, option = command
    assert main([name, str(source), option, str(target)]) == 0
    assert "half ?" in target.read_text(encoding="utf-8")


def test_function_of_ones_own_has_no_kernels():
    job = primerace.Job("roots", [1.0, 4.0], function=math.sqrt)
    raced = primerace.race(job, ["sequential", "threads"], rounds=1)
    structure = Structure(page(raced))
    assert "kernel" not in structure.text
    assert "COST" not in structure.text
    assert "COST" in Structure(page(race())).text
    assert "--function math:sqrt" in structure.text


def test_page_is_written(tmp_path, capsys):
    source, target = tmp_path / "race.json", tmp_path / "page.html"
    race().save(source)
    assert main(["report", str(source), "-o", str(target)]) == 0
    assert Structure(target.read_text(encoding="utf-8")).open == []
    assert main(["report", str(source), "-o", "-"]) == 0
    assert capsys.readouterr().out == target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a whole JSON file"),
        ('{"schema": "primerace/1", "kind": "race"', "not a whole JSON file"),
        ("{}", "no schema primerace/1"),
        ('{"benchmarks": [], "version": "1.0"}', "no schema primerace/1"),
        ('{"schema": "primerace/2", "kind": "race"}', "schema primerace/2, but this primerace reads"),
        ('{"schema": "primerace/1", "kind": "race", "machine": 1}', "a damaged result"),
    ],
)
def test_bad_file_is_one_sentence_and_no_page(text, reason, tmp_path, capsys):
    good, bad, target = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "page.html"
    race().save(good)
    bad.write_text(text)
    assert main(["report", str(good), str(bad), "-o", str(target)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {bad}: ")
    assert reason in said
    assert said.count("\n") == 1
    assert not target.exists()


def test_page_that_cannot_be_written(tmp_path, capsys):
    source = tmp_path / "race.json"
    race().save(source)
    assert main(["report", str(source), "-o", str(tmp_path)]) == 2
    assert "--output" in capsys.readouterr().err
    assert main(["report", str(source)]) == 2
    assert "Missing option" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["jinja2", "altair", "vl_convert"])
def test_missing_extra_is_named(module, tmp_path):
    source = tmp_path / "race.json"
    race().save(source)
    code = f"import sys; sys.modules[{module!r}] = None; from primerace.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "report", str(source), "-o", str(tmp_path / "page.html")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'primerace[plot]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "page.html").exists()


def as_a_shell_reads(command):
    """The words of a command line."""
    script = f"set -- {command}\nprintf '%s\\0' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("order", ["given", "longest-first"])
def test_command_repeats_the_race(order, tmp_path, capsys):
    target = tmp_path / "again.json"
    first = primerace.race(
        primerace.Job.sample("quick"),
        ["thread-pool", "sequential"],
        ["released", "held"],
        workers=3,
        rounds=2,
        order=order,
        start_method="spawn",
    )
    words = as_a_shell_reads(reproduction.command(first))
    assert words[0] == "primerace"
    assert main([*words[1:], "--json", str(target)]) == 0
    again = json.loads(target.read_text())
    assert again["job"]["seed"] == first.job["seed"]
    assert again["job"]["order"] == order
    assert again["machine"]["start_method"] == "spawn"
    ran = {(lap["round"], lap["racer"], lap["kernel"], lap["workers"]) for lap in again["laps"]}
    assert ran == {(lap.round, *lap.key) for lap in first.laps}


def test_command_repeats_the_sweep(tmp_path):
    target = tmp_path / "again.json"
    first = primerace.sweep(primerace.Job.sample("quick"), ["threads"], ["fast"], [1, 2, 3, 7], rounds=1)
    words = as_a_shell_reads(reproduction.command(first))
    assert main([*words[1:], "--json", str(target)]) == 0
    again = json.loads(target.read_text())
    assert [(lap["racer"], lap["workers"]) for lap in again["laps"]] == [lap.key[::2] for lap in first.laps]


def test_command_stays_one_command_whatever_the_names():
    words = as_a_shell_reads(reproduction.command(hostile()))
    assert words[:2] == ["primerace", "race"]
    assert words[words.index("--items") + 1] == "ITEMS"
    assert words[words.index("--function") + 1] == ATTACKS[3]
    assert [gap.split()[0] for gap in reproduction.gaps(hostile())] == ["ITEMS"]


def test_command_of_a_race_that_never_began_has_a_round():
    raced = replace(race(), laps=[], job={**race().job, "rounds": 0})
    words = as_a_shell_reads(reproduction.command(raced))
    assert words[words.index("--rounds") + 1] == "1"


def test_command_repeats_a_sweep_of_the_baseline_alone(tmp_path):
    target = tmp_path / "again.json"
    first = primerace.sweep(primerace.Job.sample("quick"), ["sequential"], ["fast"], [1, 2], rounds=1)
    words = as_a_shell_reads(reproduction.command(first))
    assert main([*words[1:], "--json", str(target)]) == 0
    assert [lap["racer"] for lap in json.loads(target.read_text())["laps"]] == ["sequential"]


def test_page_says_what_the_command_does_not_name():
    job = primerace.Job("roots", [1.0, 4.0], [1.0, 2.0], function=math.sqrt)
    text = Structure(page(primerace.race(job, ["sequential"], rounds=1))).text
    assert "ITEMS stands for a file with the items" in text
    assert "--expect" in text
    assert "--expect" not in Structure(page(race())).text
