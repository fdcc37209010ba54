"""Sweeps: interleaved, saved after every lap, resumed without a lap lost or run twice."""

from collections import Counter

import pytest

from primerace.cli import main
from primerace.job import Job
from primerace.lineup import RaceError
from primerace.results import RaceResult, SweepResult, load
from primerace.sweeping import prepare, prepare_again, sweep, swept

JOB = Job("tiny", [7, 9, 97], [True, False, True])


def laps_of(result):
    return Counter((lap.round, *lap.key) for lap in result.laps)


def test_every_number_of_workers_runs_in_every_round():
    result = sweep(JOB, ["threads", "thread-pool"], ["held", "released"], [1, 3], rounds=2, seed=1)
    assert isinstance(result, SweepResult)
    assert len(result.laps) == 2 * (2 + 2 * 2 * 2)
    assert set(laps_of(result).values()) == {1}
    curves = result.curves()
    assert set(curves) == {
        (racer, kernel) for racer in ("threads", "thread-pool") for kernel in ("held", "released")
    }
    assert [entry.workers for entry in curves["threads", "held"]] == [1, 3]


def test_rounds_are_interleaved():
    result = sweep(JOB, ["threads"], ["held"], [1, 2, 3], rounds=3, seed=1)
    assert [lap.round for lap in result.laps] == sorted(lap.round for lap in result.laps)
    orders = {tuple(lap.key for lap in result.laps if lap.round == number) for number in range(3)}
    assert len(orders) > 1


def interrupted(path, after, order="given"):
    """A sweep that is left after so many laps, with what it saved by then."""
    contest = prepare(JOB, ["threads", "processes"], ["held"], [1, 2], seed=5, order=order)
    contest.warm_up()
    for count, _ in enumerate(contest.run(rounds=4), 1):
        swept(contest.result()).save(path)
        if count == after:
            break
    return contest


@pytest.mark.parametrize("after", [1, 4, 5, 13, 20])
def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path, after):
    path = tmp_path / "sweep.json"
    before = interrupted(path, after)
    contest = prepare_again(load(path))
    contest.warm_up()
    for _ in contest.run(load(path).job["rounds"]):
        pass
    result = swept(contest.result())
    assert result.laps[:after] == before.laps
    assert laps_of(result) == {(number, *each.key): 1 for number in range(4) for each in contest.contestants}


def test_a_resumed_sweep_keeps_its_order_of_items(tmp_path):
    path = tmp_path / "sweep.json"
    before = interrupted(path, 3, order="longest-first")
    contest = prepare_again(load(path))
    contest.warm_up()
    assert contest.sequence == before.sequence
    assert contest.order == "longest-first"


def test_the_command_line_resumes(tmp_path, capsys):
    path = tmp_path / "sweep.json"
    interrupted(path, 7)
    assert main(["sweep", "--resume", str(path)]) == 0
    assert len(load(path).laps) == 20
    assert "usable cores" in capsys.readouterr().out
    assert main(["sweep", "--resume", str(path)]) == 0  # nothing left to do
    assert len(load(path).laps) == 20


def test_a_race_can_not_be_resumed_as_a_sweep(tmp_path, capsys):
    path = tmp_path / "race.json"
    interrupted(path, 2)
    RaceResult(**vars(load(path))).save(path)
    assert main(["sweep", "--resume", str(path)]) == 2
    assert "a race, not a sweep" in capsys.readouterr().err


def test_a_sweep_of_other_contestants_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "sweep.json"
    interrupted(path, 2)
    monkeypatch.delitem(__import__("primerace.racers", fromlist=["RACERS"]).RACERS, "processes")
    with pytest.raises(RaceError, match="processes"):
        prepare_again(load(path))


@pytest.mark.parametrize("workers", ["0", "1-0", "", "a", "1-", "1,,2", "-3", "1-999999999", "1.5"])
def test_bad_numbers_of_workers(workers, capsys):
    assert main(["sweep", "--workers", workers]) == 2
    assert "Error" in capsys.readouterr().err


def test_the_lowest_point_is_marked(capsys, tmp_path):
    argv = ["sweep", "--racers", "threads", "--kernels", "held", "--workers", "1-2,4", "--rounds", "6"]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert out.count("lowest") == 1
    assert "Amdahl" in out
    assert "Universal Scalability Law" in out
