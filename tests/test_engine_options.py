"""What is set of the engines reaches the racers, the result and the command that repeats it."""

import pytest
from laps import lap, result

from primerace.cli import main
from primerace.job import Job
from primerace.lineup import line_up
from primerace.loading import from_json
from primerace.racers.engines import Engines
from primerace.racing import race
from primerace.report import reproduction
from primerace.results import ResultError

TINY = Job("tiny", [7])


def test_the_racers_get_them():
    engines = Engines(dask_threads=2)
    assert [
        each.racer.engines for each in line_up(TINY, ["threads"], ["held"], engines=engines).contestants
    ] == [engines]


def test_the_result_has_what_is_set_and_no_password():
    engines = Engines(broker="rediss://me:secret@host:1/0", web_threads=3)
    done = race(TINY, ["sequential"], ["held"], rounds=1, engines=engines)
    assert done.job["engines"] == {"broker": "rediss://host:1/0", "web_threads": 3}
    assert from_json(done.to_json()).job["engines"] == done.job["engines"]
    assert "--broker rediss://host:1/0" in reproduction.command(done)
    assert "--web-threads 3" in reproduction.command(done)


def test_results_without_them_are_read():
    data = result([lap(0)]).to_json()
    data["job"].pop("engines", None)
    assert "--address" not in reproduction.command(from_json(data))


@pytest.mark.parametrize("engines", [[], {"dask_threads": []}, {"broker": None}])
def test_damaged_ones_are_told(engines):
    data = race(TINY, ["sequential"], ["held"], rounds=1).to_json()
    data["job"]["engines"] = engines
    with pytest.raises(ResultError, match="engines of the job is"):
        from_json(data)


def test_those_of_newer_versions_are_left_out():
    assert Engines.from_json({"dask_threads": 2, "cloud": 9}) == Engines(dask_threads=2)


@pytest.mark.parametrize("command", ["run", "race", "sweep"])
@pytest.mark.parametrize(
    ("option", "value", "racer"),
    [
        ("--address", "tcp://127.0.0.1:1", "dask"),
        ("--dask-threads", "2", "dask"),
        ("--broker", "redis://127.0.0.1:1/0", "celery or rq"),
        ("--celery-pool", "threads", "celery"),
        ("--web-threads", "2", "gunicorn"),
    ],
)
def test_an_option_that_no_racer_heeds_is_refused(capsys, command, option, value, racer):
    words = ["--racer", "threads"] if command == "run" else ["--racers", "threads"]
    assert main([command, *words, option, value]) == 2
    assert capsys.readouterr().err == f"Error: {option} goes with racer {racer}\n"


@pytest.mark.parametrize(("option", "value"), [("--dask-threads", "0"), ("--celery-pool", "gevent")])
def test_values_out_of_range_are_refused(capsys, option, value):
    assert main(["race", "--racers", "all", option, value]) == 2
    assert option in capsys.readouterr().err
