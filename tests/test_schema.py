"""What is written follows docs/results.schema.json and can be read again; what is none of ours is refused."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from laps import lap, result

from primerace.cli import main
from primerace.job import Job
from primerace.loading import from_json, load
from primerace.racing import race
from primerace.results import ResultError, SweepResult

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "results.schema.json").read_text())
JOB = Job("tiny", [7, 9], [True, False])


@pytest.fixture(scope="module")
def real():
    return race(
        JOB, ["sequential", "threads", "processes"], ["held", "released"], workers=2, rounds=6, seed=1
    )


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_race_follows_the_schema(real):
    jsonschema.validate(real.to_json(), SCHEMA)


def test_a_single_round_follows_the_schema():
    jsonschema.validate(race(JOB, ["sequential"], ["held"], rounds=1).to_json(), SCHEMA)


def test_a_sweep_follows_the_schema():
    jsonschema.validate(result([lap()], kind=SweepResult).to_json(), SCHEMA)


def test_a_result_is_read_as_it_was_written(real, tmp_path):
    path = tmp_path / "race.json"
    real.save(path)
    assert load(path).to_json() == json.loads(real.dumps())
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not a whole JSON file"),
        ("{", "not a whole JSON file"),
        ("[]", "not a result"),
        ("{}", "not a result"),
        ('{"schema": "pyperf/1"}', "not a result"),
        ('{"schema": "primerace/2", "kind": "race"}', "primerace/2"),
        ('{"schema": "primerace/1", "kind": "duel"}', "duel"),
        ('{"schema": "primerace/1", "kind": "race"}', "damaged"),
        ('{"schema": "primerace/1", "kind": "race", "machine": 1, "job": 2, "laps": 3}', "damaged"),
        ("\x00\xff", "not a whole JSON file"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_foreign_files_get_one_clear_sentence(content, says, tmp_path, capsys):
    path = tmp_path / "foreign.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ResultError, match=says):
        load(path)
    assert main(["show", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {path}: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("end", [10, 100, 1000, -10])
def test_truncated_files(real, tmp_path, end):
    path = tmp_path / "cut.json"
    path.write_text(real.dumps()[:end])
    with pytest.raises(ResultError):
        load(path)


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        *((("machine",), key, 0) for key in ("cpu", "cores", "gil_enabled", "start_method")),
        (("machine",), "cores", True),
        *((("job",), key, "x") for key in ("items", "expected", "order", "sequence", "seed", "rounds")),
        (("job",), "sequence", [0, 0]),
        (("job",), "sequence", [0]),
        (("job",), "pickled_bytes", [None]),
        *((("laps", 3), key, "1") for key in ("round", "workers", "seconds", "worker_bytes", "outcomes")),
        *((("laps", 3), "seconds", value) for value in (0, -1.0, float("nan"), float("inf"), None, True)),
        (("laps", 3), "workers", 10**12),
        (("laps", 3), "outcomes", []),
        *((("laps", 0, "outcomes", 0), key, "1") for key in ("index", "seconds", "cpu_seconds", "worker")),
        (("laps", 0, "outcomes", 0), "index", 7),
        *((("entries", 0), key, 0) for key in ("racer", "kernel", "workers", "disqualified")),
        *(((), key, value) for key in ("machine", "job", "laps", "entries") for value in (None, {}, [1], "")),
    ],
)
def test_wrong_values_get_one_clear_sentence(real, tmp_path, capsys, where, key, value):
    data = json.loads(real.dumps())
    place = data
    for step in where:
        place = place[step]
    place[key] = value
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data))
    if value == [] and key in ("laps", "entries"):
        return
    for command in ("show", "export", "sweep"):
        option = {"show": [], "export": ["--pyperf", "-"], "sweep": ["--resume"]}[command]
        words = [command, *option, str(path)] if command == "sweep" else [command, str(path), *option]
        assert main(words) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"Error: {path}: a damaged result: ")
        assert error.count("\n") == 1


REQUIRED = [
    *(((), key) for key in SCHEMA["required"]),
    *((("machine",), key) for key in SCHEMA["properties"]["machine"]["required"]),
    *((("job",), key) for key in ("name", "items", "order", "sequence", "seed", "rounds")),
    *((("laps", 0), key) for key in ("round", "racer", "workers", "seconds", "dispatch_seconds", "outcomes")),
    *((("laps", 0, "outcomes", 0), key) for key in ("index", "seconds", "cpu_seconds", "worker", "started")),
    *((("entries", 0), key) for key in ("racer", "workers")),
]


@pytest.mark.parametrize(("where", "key"), REQUIRED)
def test_missing_keys_are_named(real, where, key):
    data = json.loads(real.dumps())
    place = data
    for step in where:
        place = place[step]
    del place[key]
    with pytest.raises(ResultError, match=key):
        from_json(data)


def test_keys_may_be_added(real):
    data = json.loads(real.dumps())
    entry = data["entries"][0]
    first = data["laps"][0]
    inner = (first["outcomes"][0], entry["explanation"])
    for place in (data, data["machine"], data["job"], first, entry, *inner):
        place["of tomorrow"] = 1
    again = from_json(data)
    assert again.entries == real.entries
    assert again.machine["of tomorrow"] == again.job["of tomorrow"] == 1


def test_entries_are_summed_up_anew(real):
    data = json.loads(real.dumps())
    data["entries"] = [
        {key: entry[key] for key in ("racer", "kernel", "workers")} for entry in data["entries"]
    ]
    assert from_json(data).entries == real.entries


def test_what_may_be_null_may_be_missing(real):
    data = json.loads(real.dumps())
    for each in data["laps"]:
        del each["worker_bytes"]
    for key in ("expected", "function", "pickled_bytes"):
        del data["job"][key]
    again = from_json(data)
    assert {entry.worker_bytes for entry in again.entries} == {None}
    assert again.job["function"] is again.job["expected"] is None


@pytest.mark.parametrize("rounds", [1, 5, 6])
def test_show_prints_what_race_printed(tmp_path, capsys, rounds):
    path = tmp_path / "race.json"
    words = ["--rounds", str(rounds), "--racers", "sequential,threads", "--kernels", "held"]
    assert main(["race", *words, "--explain", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"threads .*\dx", printed)
    assert main(["show", "--explain", str(path)]) == 0
    assert capsys.readouterr().out == printed


def test_a_missing_file(tmp_path, capsys):
    assert main(["show", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err
