"""Results and their files: the schema that others read, and what a file survives."""

import json
import os

import pytest

from primerace.job import Job
from primerace.loading import load
from primerace.racing import race
from primerace.results import ResultError, SweepResult
from primerace.sweeping import sweep

TINY = Job("tiny", [7, 9, 11], [True, False, True])

LAP = {"round", "racer", "kernel", "workers", "seconds", "startup_seconds", "outcomes"}
OUTCOME = {"index", "answer", "seconds", "cpu_seconds", "worker", "started"}
ENTRY = {"racer", "kernel", "workers", "laps", "median_seconds", "disqualified", "speedup", "speedup_python"}
ENTRY |= {"efficiency", "startup_seconds"}
MACHINE = {"cpu", "cores", "python", "implementation", "gil_enabled", "start_method"}


@pytest.fixture(scope="module")
def result():
    return race(TINY, ["sequential", "threads"], ["python", "held"], workers=2, rounds=6, seed=1)


@pytest.fixture(scope="module")
def data(result):
    return json.loads(result.dumps())


def test_schema(data):
    assert data["schema"] == "primerace/1"
    assert data["kind"] == "race"
    assert {"machine", "job", "laps", "entries", "unavailable"} <= data.keys()
    assert data["machine"].keys() >= MACHINE
    assert {"name", "function", "items", "expected", "order"} <= data["job"].keys()
    assert data["job"]["items"] == [7, 9, 11]
    assert data["job"]["expected"] == [True, False, True]
    assert data["job"]["function"] is None


def test_schema_of_laps(data):
    assert len(data["laps"]) == 6 * 4
    for lap in data["laps"]:
        assert lap.keys() >= LAP
        assert [outcome["answer"] for outcome in sorted(lap["outcomes"], key=lambda o: o["index"])] == [
            True,
            False,
            True,
        ]
        assert all(outcome.keys() >= OUTCOME for outcome in lap["outcomes"])


def test_schema_of_entries(data):
    assert len(data["entries"]) == 4
    for entry in data["entries"]:
        assert entry.keys() >= ENTRY
        assert entry["disqualified"] is None
        assert entry["laps"] == 6
        assert entry["speedup"]["against"] == f"sequential/{entry['kernel']}"
        assert entry["speedup_python"]["against"] == "sequential/python"
        assert entry["speedup"]["low"] <= entry["speedup"]["value"] <= entry["speedup"]["high"]
        assert entry["efficiency"] == pytest.approx(entry["speedup"]["value"] / entry["workers"])
    assert [entry["median_seconds"] for entry in data["entries"]] == sorted(
        entry["median_seconds"] for entry in data["entries"]
    )


def test_baseline_is_one_exactly(result):
    (base,) = [entry for entry in result.entries if entry.name == "sequential/held"]
    ratio = base.speedup.ratio
    assert (ratio.value, ratio.low, ratio.high) == (1.0, 1.0, 1.0)


def test_no_baseline_no_speedup():
    (entry,) = race(TINY, ["threads"], ["held"], rounds=6).entries
    assert (entry.speedup, entry.speedup_python, entry.efficiency, entry.schedule_bound) == (None,) * 4


def test_answers_that_json_lacks_are_written_all_the_same():
    result = race(Job("odd", [1, 2], None, complex), ["sequential"], rounds=1)
    assert json.loads(result.dumps())["laps"][0]["outcomes"][0]["answer"] == "(1+0j)"


def test_round_trip(result, tmp_path):
    path = tmp_path / "race.json"
    result.save(path)
    again = load(path)
    assert again.to_json() == json.loads(result.dumps())
    assert again.dumps() == result.dumps()
    assert os.listdir(tmp_path) == ["race.json"]


def test_round_trip_of_a_sweep(tmp_path):
    swept = sweep(TINY, ["threads"], ["held"], workers=[1, 2], rounds=6)
    swept.save(tmp_path / "sweep.json")
    again = load(tmp_path / "sweep.json")
    assert type(again) is SweepResult
    assert again.dumps() == swept.dumps()


def test_save_replaces_a_file(result, tmp_path):
    path = tmp_path / "race.json"
    path.write_text("x" * 10**6)
    result.save(path)
    assert load(path).rounds == 6


def test_save_follows_a_link(result, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "race.json")
    result.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "race.json").rounds == 6


def test_save_leaves_a_device_in_its_place(result, tmp_path):
    """A rename would put a plain file where the pipe is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    short = race(Job("one", [2]), ["sequential"], ["held"], rounds=1)
    short.save(pipe)
    assert json.loads(os.read(reader, 1 << 20))["kind"] == "race"
    os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_save_that_fails_leaves_nothing_behind(result, tmp_path):
    (tmp_path / "race.json").write_text("old")
    (tmp_path / "race.json.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        result.save(tmp_path / "race.json")
    assert os.listdir(tmp_path) == ["race.json"]
    assert (tmp_path / "race.json").read_text() == "old"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a whole JSON file"),
        ('{"schema": "primerace/1", "kind": "race"', "not a whole JSON file"),
        ("[]", "no schema primerace/1"),
        ("null", "no schema primerace/1"),
        ("{}", "no schema primerace/1"),
        ('{"schema": "primerace/2"}', "schema primerace/2, but"),
        ('{"schema": "primerace/1"}', "kind None is not one of race, sweep"),
        ('{"schema": "primerace/1", "kind": "race"}', "a damaged result"),
        ('{"schema": "primerace/1", "kind": "race", "machine": {}, "job": {}, "laps": [1]}', "damaged"),
        ("[" * 100_000, "damaged"),
    ],
    ids=range(10),
)
def test_file_that_is_no_result(tmp_path, text, reason):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=reason) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ResultError, match="No such file"):
        load(tmp_path / "nowhere")
    with pytest.raises(ResultError, match="directory"):
        load(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ResultError, match="not a whole JSON file"):
        load(tmp_path / "latin")
