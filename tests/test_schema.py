"""What is written follows docs/results.schema.json and can be read again; what is none of ours is refused."""

import json
from pathlib import Path

import jsonschema
import pytest
from laps import lap, result

from primerace.cli import main
from primerace.job import Job
from primerace.racing import race
from primerace.results import ResultError, SweepResult, from_json, load

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


def damaged(real, change):
    data = real.to_json()
    change(data)
    return json.dumps(data)


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


def test_missing_keys_and_wrong_types(real):
    for key in ("laps", "entries", "machine", "job", "unavailable"):
        with pytest.raises((ResultError, KeyError)):
            from_json({name: value for name, value in real.to_json().items() if name != key})


def test_a_missing_file(tmp_path, capsys):
    assert main(["show", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err
