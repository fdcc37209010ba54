"""Results for other tools: CSV, Markdown, and pyperf's own programs reading what is exported for them."""

import csv
import io
import subprocess
import sys

import pytest
from laps import lap, result

from primerace.cli import main
from primerace.report import exports
from primerace.results import SweepResult


@pytest.fixture
def race():
    laps = [
        each
        for number in range(6)
        for each in (
            lap(number, seconds=2.0 + number / 100, walls=(1.0, 1.0)),
            lap(number, "threads", workers=2, seconds=1.0 + number / 100, walls=(1.0, 1.0)),
        )
    ]
    return result(laps, items=2)


def test_csv_has_plain_numbers(race):
    first, second = csv.DictReader(io.StringIO(exports.csv_table(race)))
    assert (first["racer"], first["kernel"], first["workers"], first["laps"]) == ("threads", "held", "2", "6")
    assert float(first["median_seconds"]) == pytest.approx(1.025)
    assert float(first["speedup_low"]) <= float(first["speedup"]) <= float(first["speedup_high"])
    assert second["racer"] == "sequential"


def test_markdown_is_a_table(race):
    lines = exports.markdown_table(race).splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {9}
    assert "1.98x [" in lines[2]


def run_pyperf(*arguments):
    command = [sys.executable, "-m", "pyperf", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_pyperf_reads_the_export(race, tmp_path):
    path, exported = tmp_path / "race.json", tmp_path / "pyperf.json"
    race.save(path)
    assert main(["export", str(path), "--pyperf", str(exported)]) == 0
    stats = run_pyperf("stats", exported)
    assert stats.returncode == 0, stats.stderr
    assert "threads/held x2" in stats.stdout
    assert "Number of benchmarks: 2" in stats.stdout
    assert "1.02 sec" in stats.stdout  # the median of the threads' laps is 1.025 s


def test_pyperf_compares_two_exports(race, tmp_path):
    path, exported = tmp_path / "race.json", tmp_path / "pyperf.json"
    race.save(path)
    main(["export", str(path), "--pyperf", str(exported)])
    compared = run_pyperf("compare_to", exported, exported)
    assert compared.returncode == 0, compared.stderr
    assert "not significant" in compared.stdout


@pytest.mark.parametrize("option", ["--csv", "--markdown"])
def test_show_exports_a_saved_result(race, tmp_path, option, capsys):
    path = tmp_path / "race.json"
    race.save(path)
    assert main(["show", str(path), option, "-"]) == 0
    captured = capsys.readouterr()
    expected = exports.csv_table(race) if option == "--csv" else exports.markdown_table(race)
    assert captured.out == expected
    assert "threads" in captured.err


@pytest.fixture
def sweep():
    laps = [
        each
        for number in range(6)
        for each in (
            lap(number, seconds=2.0, walls=(1.0, 1.0)),
            lap(number, "threads", workers=1, seconds=2.1, walls=(1.0, 1.0)),
            lap(number, "threads", workers=2, seconds=1.1, walls=(1.0, 1.0)),
        )
    ]
    return result(laps, items=2, kind=SweepResult)


def test_sweep_has_a_line_for_each_number_of_workers(sweep, tmp_path, capsys):
    path = tmp_path / "sweep.json"
    sweep.save(path)
    assert main(["show", str(path), "--csv", "-"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(line["racer"], line["workers"]) for line in lines] == [
        ("threads", "2"),
        ("sequential", "1"),
        ("threads", "1"),
    ]
    assert main(["show", str(path), "--markdown", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + 3


@pytest.mark.parametrize("command", ["race", "sweep"])
def test_tables_are_written_after_a_race(command, tmp_path):
    files = tmp_path / "table.csv", tmp_path / "table.md"
    options = [
        "--racers",
        "threads",
        "--kernels",
        "fast",
        "--workers",
        "2",
        "--rounds",
        "1",
        "--items",
        "quick",
    ]
    assert main([command, *options, "--csv", str(files[0]), "--markdown", str(files[1])]) == 0
    with files[0].open() as table:
        racers = [line["racer"] for line in csv.DictReader(table)]
    assert "threads" in racers
    assert len(files[1].read_text().splitlines()) == 2 + len(racers)


def test_comparison_has_the_same_lines_in_both_forms(race, tmp_path, capsys):
    path = tmp_path / "race.json"
    race.save(path)
    assert main(["compare", str(path), str(path), "--csv", "-"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(line["racer"], float(line["ratio"])) for line in table] == [("sequential", 1), ("threads", 1)]
    assert main(["compare", str(path), str(path), "--markdown", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| sequential", "| threads"]
    assert {line.count("|") for line in lines} == {8}
