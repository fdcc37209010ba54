"""Sweeps: interleaved, saved on the way, resumed without a lap lost or run twice."""

import json
import signal
from collections import Counter
from types import SimpleNamespace

import pytest
from laps import lap, result
from rich.console import Console
from watching import eventually, interrupt, start

from primerace import sweeping
from primerace.cli import main
from primerace.cli.options import check_writable
from primerace.job import Job
from primerace.lineup import RaceError
from primerace.loading import load
from primerace.racers.base import OWN_ENGINES
from primerace.racers.engines import Engines
from primerace.report.findings import findings
from primerace.report.text import print_sweep
from primerace.results import RaceResult, SweepResult
from primerace.sweeping import Keeper, prepare, prepare_again, sweep, swept

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


def interrupted(path, after, order="given", engines=OWN_ENGINES):
    """A sweep that is left after so many laps, with what it saved by then."""
    contest = prepare(JOB, ["threads", "processes"], ["held"], [1, 2], seed=5, order=order, engines=engines)
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


@pytest.mark.parametrize("workers", ["0", "1-0", "", "a", "1-", "1,,2", "-3", "1-999999999", "1.5", "5-3,1"])
def test_bad_numbers_of_workers(workers, capsys):
    assert main(["sweep", "--workers", workers]) == 2
    assert "Error" in capsys.readouterr().err


def test_the_lowest_point_is_marked(capsys, tmp_path):
    argv = ["sweep", "--racers", "threads", "--kernels", "held", "--workers", "1-2,4", "--rounds", "6"]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert sum("lowest" in line for line in out.splitlines() if "█" in line) == 1
    assert "Amdahl" in out
    assert "Universal Scalability Law" in out


SHORT = ["sweep", "--racers", "threads", "--kernels", "held", "--workers", "1", "--rounds", "1"]


def refusal(capsys, *words):
    """What the command line says where it must refuse before anything runs."""
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_sweep_that_is_there_is_not_overwritten(tmp_path, capsys):
    path = tmp_path / "s.json"
    interrupted(path, 18)
    before = path.read_text()
    assert refusal(capsys, *SHORT, "--save", str(path)) == (
        f"Error: --save {path}: holds a sweep of 18 laps; go on with --resume {path}, or name another file\n"
    )
    assert path.read_text() == before


def test_what_is_no_sweep_is_not_overwritten(tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    assert "holds something that is no sweep" in refusal(capsys, *SHORT, "--save", str(path))
    assert path.read_text() == "mine"
    result([lap()]).save(path)
    assert "holds a race; name another file" in refusal(capsys, *SHORT, "--save", str(path))


@pytest.mark.parametrize("path", ["-", "/dev/null", "."])
@pytest.mark.parametrize("option", ["--save", "--resume"])
def test_a_sweep_is_saved_to_a_file(option, path, capsys):
    assert f"{option} {path}: a sweep is saved to a file" in refusal(capsys, *SHORT[:1], option, path)


def test_an_empty_file_is_free(tmp_path):
    path = tmp_path / "s.json"
    path.touch()
    assert main([*SHORT, "--save", str(path)]) == 0
    assert len(load(path).laps) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_refused_leaves_no_file(tmp_path, capsys):
    path = tmp_path / "s.json"
    assert main([*SHORT, "--save", str(path), "--items", "nowhere"]) == 2
    assert main(["sweep", "--resume", str(path)]) == 2
    assert "No such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_options_beside_resume_are_named(tmp_path, capsys):
    path = tmp_path / "s.json"
    interrupted(path, 3)
    ignored = {
        "--racers": "threads",
        "--kernels": "held",
        "--items": "quick",
        "--workers": "1",
        "--rounds": "12",
        "--seed": "1",
        "--order": "given",
        "--start-method": "fork",
        "--save": str(tmp_path / "other.json"),
    }
    words = [word for pair in ignored.items() for word in pair]
    assert f"leave out {', '.join(ignored)}\n" in refusal(capsys, "sweep", "--resume", str(path), *words)
    assert "leave out --seed\n" in refusal(capsys, "sweep", "--resume", str(path), "--seed", "5")
    assert "leave out --web-threads\n" in refusal(
        capsys, "sweep", "--resume", str(path), "--web-threads", "2"
    )


def test_engines_may_be_elsewhere_when_a_sweep_goes_on(tmp_path, capsys):
    """What a file holds of a broker has no password."""
    path = tmp_path / "s.json"
    interrupted(path, 3, engines=Engines(broker="redis://:secret@near/0", dask_threads=2))
    assert "secret" not in path.read_text()
    assert prepare_again(load(path)).engines == Engines(broker="redis://near/0", dask_threads=2)
    there = "redis://:secret@far/0"
    assert prepare_again(load(path), Engines(broker=there)).engines == Engines(broker=there, dask_threads=2)
    assert "--broker goes with racer" in refusal(capsys, "sweep", "--resume", str(path), "--broker", there)


def test_what_was_found_is_told(capsys):
    """As on the page and in a notebook."""
    result = sweep(JOB, ["threads"], ["held"], [1, 2], rounds=6, seed=1)
    (found,) = findings(result)
    assert found.startswith("threads/held: the lowest median is with ")
    print_sweep(result, Console(width=200))
    assert found in capsys.readouterr().out


@pytest.mark.parametrize("fact", ["cpu", "python", "implementation", "instruction_set", "primerace"])
def test_another_machine_can_not_go_on(tmp_path, capsys, fact):
    path = tmp_path / "s.json"
    interrupted(path, 3)
    data = json.loads(path.read_text())
    data["machine"][fact] = "other"
    path.write_text(json.dumps(data))
    error = refusal(capsys, "sweep", "--resume", str(path))
    assert f"--resume {path}: its laps can't be compared" in error
    assert f"{fact} was 'other' and is " in error
    assert error.count(" was ") == 1


def test_what_has_not_begun_can_not_go_on(tmp_path, capsys):
    path = tmp_path / "s.json"
    swept(prepare(JOB, ["threads"], ["held"], [1]).result()).save(path)
    assert "interrupted before its first round" in refusal(capsys, "sweep", "--resume", str(path))


def test_saving_stays_cheap(tmp_path, monkeypatch):
    """Laps of a second and saves of a tenth: the file is written about every second lap."""
    clock = SimpleNamespace(now=100.0, saves=0)

    def save(self, path):
        clock.now += 0.1
        clock.saves += 1

    monkeypatch.setattr(sweeping, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(SweepResult, "save", save)
    contest = SimpleNamespace(laps=[lap()], disqualified={}, result=lambda: result([lap()]))
    keeper = Keeper(contest, tmp_path / "s.json")
    for _ in range(100):
        clock.now += 1.0
        keeper.after_lap(lap())
    assert clock.saves == 50


def test_a_disk_that_is_full_on_the_way_does_not_end_the_sweep(tmp_path, monkeypatch, capsys):
    def full(self, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SweepResult, "save", full)
    assert main([*SHORT, "--save", str(tmp_path / "s.json")]) == 2
    captured = capsys.readouterr()
    assert "threads/held" in captured.out
    assert f"Error: --save {tmp_path / 's.json'}: No space left on device" in captured.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_loses_nothing(tmp_path, number):
    path, items = tmp_path / "s.json", tmp_path / "items"
    items.write_text("25000000000013\n" * 4)
    words = ("--kernels", "held", "--racers", "threads", "--workers", "1-3", "--rounds", "100000")
    process = start("-m", "primerace", "sweep", *words, "--items", str(items), "--save", str(path))
    while "expected" not in (line := process.stderr.readline()):
        assert line
    assert eventually(path.exists)
    if number == signal.SIGINT:
        interrupt(process)
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert "Traceback" not in errors
    assert load(path).laps
    assert sorted(each.name for each in tmp_path.iterdir()) == ["items", "s.json"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [("race", "--json"), ("sweep", "--save"), ("sweep", "--json")])
def test_no_empty_file_stays_behind(tmp_path, command, number):
    name, option = command
    items = tmp_path / "items"
    items.write_text("9999999999999917\n" * 50)
    path = tmp_path / "new.json"
    process = start("-m", "primerace", name, "--kernels", "python", "--items", str(items), option, str(path))
    while "warming" not in (line := process.stderr.readline()):
        assert line
    if number == signal.SIGINT:
        interrupt(process)
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == [items]


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e308", "-1", "0", "1000001"])
def test_bad_seconds(seconds, capsys):
    assert main(["race", "--seconds", seconds]) == 2
    assert "is not a number of seconds" in capsys.readouterr().err


def test_a_sweep_has_no_explanation(tmp_path, capsys):
    path = tmp_path / "s.json"
    interrupted(path, 5)
    assert "--explain is for races" in refusal(capsys, "show", str(path), "--explain")


def test_files_are_written_although_the_reader_has_left(tmp_path):
    path = tmp_path / "s.json"
    process = start("-m", "primerace", *SHORT, "--json", str(path))
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert len(load(path).laps) == 2


def test_a_new_file_behind_a_link_is_checked_without_a_trace(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    check_writable("--json", str(link))
    assert link.is_symlink()
    assert list(tmp_path.iterdir()) == [link]
