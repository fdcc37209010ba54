"""The campaigns that run by hand: none of them passes without having shown anything."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from itertools import cycle
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import duel_quality
import duel_revisions
import gil_quality
import psutil
import pytest
from click.testing import CliRunner
from watching import descendants, eventually, interrupt, start

from primerace import GilVerdict, simd
from primerace.duel import Contender, Duel, Score, Task
from primerace.duel.score import FEWEST_PAIRS
from primerace.racers import RACERS

ROOT = Path(__file__).parents[1]

SIDE = Contender("A", sys.executable)
EQUAL, TWICE = [(1.0, 1.0)] * FEWEST_PAIRS, [(1.0, 2.0)] * FEWEST_PAIRS
NOBODY = 2**22 + 1  # no process has that number


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        ("fuzz", "--count -5"),
        ("leaks", "--calls -1"),
        ("leaks", "--calls 0 --races 0"),
        ("random_numbers.py", "--count 0"),
        ("aa.py", "--races 0"),
        ("gil_quality.py", "--probes 0"),
        ("soak", "--minutes 0"),
        ("duel_quality.py", "--duels 0"),
        ("duel_quality.py", "--jobs nonsense"),
    ],
)
def test_nothing_to_do_is_an_error(tool, options, monkeypatch):
    if tool == "random_numbers.py":
        pytest.importorskip("gmpy2")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'benchmarks'}:{ROOT / 'tests'}", prepend=":")
    command = [sys.executable, str(ROOT / "tools" / tool), *options.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Error: " in done.stderr


def test_jobs_that_fit_no_benchmark():
    done = CliRunner().invoke(duel_revisions.main, ["main", "--jobs", "nonsense"])
    assert done.exit_code == 2
    assert "fits no benchmark" in done.output


class TestDuelsOfABuildAgainstItself:
    @pytest.fixture
    def passed(self, monkeypatch):
        """Two passes over two jobs, of which the second has this name and comes out as it is given."""

        def run(seconds=60.0, name="second", **second):
            scores = [Score(Task(each, "", "0")) for each in ("first", name)]
            duel = Duel(SIDE, SIDE, [])
            outcome = [Score(scores[0].task, EQUAL), Score(scores[1].task, **second)]
            monkeypatch.setattr(duel_quality, "introduced", lambda *_: duel)
            monkeypatch.setattr(duel_quality, "fought", lambda *_: outcome)
            passes = duel_quality.Passes(SIDE, 2, monotonic() + seconds)
            passes.run([[score.task for score in scores]])
            return passes.is_good(), list(passes.report())

        return run

    def test_that_find_nothing(self, passed):
        good, report = passed(pairs=EQUAL)
        assert good
        assert report[0] == "2 of 2 passes over the jobs from first on"

    def test_that_find_a_difference(self, passed):
        good, report = passed(pairs=TWICE)
        assert not good
        assert "  slower by chance: second 2.000 [2.000–2.000]" in report

    def test_that_fail(self, passed):
        good, report = passed(failed="A: it raised")
        assert not good
        assert report[-1] == "  failed: second: A: it raised"

    def test_of_what_is_not_here(self, passed):
        good, report = passed(missing="A: no such kernel")
        assert not good
        assert report[1].endswith("2 of 2 (100.0%)")
        assert report[2] == "  not here, so that this was not the whole set: second: A: no such kernel"

    def test_of_what_needs_a_newer_python(self, passed):
        good, report = passed(name="dispatch/interpreters", missing="A: needs Python 3.14")
        assert good
        assert report[2:] == ["  not here: dispatch/interpreters: A: needs Python 3.14"]

    def test_whose_time_is_up(self, passed):
        good, report = passed(seconds=-1.0, pairs=EQUAL)
        assert not good
        assert report == [
            "0 of 2 passes over the jobs from first on: incomplete",
            "against itself: no verdict at all",
        ]


@pytest.fixture
def folder_tool(monkeypatch):
    """Imports the program of a tool that is a folder."""

    def load(name):
        monkeypatch.syspath_prepend(ROOT / "tools" / name)
        return importlib.import_module(f"{name}.__main__")

    return load


class TestFuzz:
    @pytest.fixture
    def fuzz(self, folder_tool):
        return folder_tool("fuzz")

    @pytest.fixture
    def only_scalar(self, fuzz, monkeypatch):
        monkeypatch.setattr(fuzz.simd, "available", lambda: ("scalar",))

    @pytest.mark.skipif(len(simd.available()) == 1, reason="needs another instruction set")
    @pytest.mark.parametrize("batch", [0, 1])
    def test_counts_what_is_compared(self, fuzz, batch):
        checked = fuzz.check(1, batch)
        assert checked.blocks == checked.drawn > 0
        assert checked.peers == (checked.drawn if batch == 0 else 0)

    @pytest.mark.usefixtures("only_scalar")
    def test_counts_no_block_where_there_is_nothing_to_compare(self, fuzz):
        checked = fuzz.check(1, 1)
        assert checked.drawn > 0
        assert (checked.blocks, checked.peers) == (0, 0)

    def test_that_compares(self, fuzz, monkeypatch):
        monkeypatch.setattr(fuzz, "run", lambda *_: [fuzz.Checked(90, 90, 90), fuzz.Checked(80, 80, 0)])
        done = CliRunner().invoke(fuzz.main, ["--seed", "1"])
        assert done.exit_code == 0
        assert "170 numbers in blocks, 90 of them against python-flint too: all alike" in done.output

    def test_that_compares_no_instruction_sets(self, fuzz, monkeypatch):
        monkeypatch.setattr(fuzz, "run", lambda *_: [fuzz.Checked(90, 0, 90), fuzz.Checked(80, 0, 0)])
        done = CliRunner().invoke(fuzz.main, ["--seed", "1"])
        assert done.exit_code == 1
        assert "scalar is the only instruction set here" in done.output
        assert "90 numbers against python-flint" in done.output
        assert "in blocks" not in done.output


class TestGilQuality:
    @pytest.fixture
    def probed(self, monkeypatch):
        """Runs the campaign, which gets these verdicts about loops in Python."""

        def run(**verdicts):
            given = iter(Counter(verdicts).elements())
            monkeypatch.setattr(gil_quality, "Workshop", lambda seed: None)
            monkeypatch.setattr(gil_quality, "functions", lambda shop: [("a loop", "yields", lambda: None)])
            monkeypatch.setattr(gil_quality, "probe_gil", lambda _: GilVerdict("a loop", next(given), "so"))
            done = CliRunner().invoke(gil_quality.main, ["--probes", str(sum(verdicts.values()))])
            return done.exit_code, done.output

        return run

    def test_few_wrong_and_few_inconclusive(self, probed):
        code, output = probed(yields=94, holds=1, inconclusive=5)
        assert code == 0
        assert "1 of 100 wrong, 5 inconclusive" in output

    def test_many_wrong(self, probed):
        code, output = probed(yields=98, holds=2)
        assert code == 1
        assert "more than 1% of the verdicts are wrong" in output

    @pytest.mark.parametrize("unsure", [6, 100])
    def test_many_inconclusive(self, probed, unsure):
        code, output = probed(yields=100 - unsure, inconclusive=unsure)
        assert code == 1
        assert "more than 5% are inconclusive" in output


class Leaving:
    """A worker that ends as soon as somebody reaches for it."""

    def send_signal(self, number):
        raise psutil.NoSuchProcess(1)


class TestSoak:
    @pytest.fixture
    def soak(self, folder_tool):
        return folder_tool("soak")

    @pytest.fixture
    def episodes(self, soak):
        return importlib.import_module("episodes")

    @pytest.fixture
    def judging(self, soak):
        return importlib.import_module("judging")

    @pytest.fixture
    def held(self, soak, judging, monkeypatch):
        """Runs a campaign with these episodes: a fault, whether it befell, and what was wrong."""

        def run(*played):
            played = [
                (soak.draw(1, number, ["threads"], [fault]), judging.Account(befell, wrong=wrong))
                for number, (fault, befell, *wrong) in enumerate(played)
            ]
            monkeypatch.setattr(soak, "leave_tidily", lambda: None)
            monkeypatch.setattr(soak.Campaign, "run", lambda *_: played)
            done = CliRunner().invoke(soak.main)
            return done.exit_code, done.output

        return run

    def test_tells_how_often_a_fault_befell(self, held):
        code, output = held(*[("kill a worker", True)] * 2, *[("kill a worker", False)] * 7, ("none", True))
        assert code == 0
        assert "kill a worker 2 of 9, none 1 of 1" in output

    def test_fault_that_never_befell(self, soak, held):
        code, output = held(*[("exit", False)] * soak.ENOUGH, ("kill", True))
        assert code == 1
        assert f"exit: drawn {soak.ENOUGH} times, and never befell a race" in output

    def test_fault_that_was_drawn_too_seldom(self, soak, held):
        code, _ = held(*[("exit", False)] * (soak.ENOUGH - 1), ("kill", True))
        assert code == 0

    def test_something_wrong(self, held):
        code, output = held(("kill", True, "hung"))
        assert code == 1
        assert "1 went wrong" in output

    @pytest.mark.parametrize(("option", "value"), [("--faults", "kill,kil"), ("--racers", "thread")])
    def test_unknown_name(self, soak, option, value):
        done = CliRunner().invoke(soak.main, [option, value])
        assert done.exit_code == 2
        assert f"no '{value.split(',')[-1]}' here; there are" in done.output

    def test_knows_racers_with_processes(self, episodes):
        assert set(episodes.IN_PROCESSES) <= set(RACERS)

    def test_fault_of_a_worker_takes_processes(self, episodes):
        for fault in (*episodes.TO_WORKERS, *episodes.MISCHIEF):
            for number in range(50):
                racers = episodes.draw(1, number, list(RACERS), [fault]).racers
                assert set(racers) & set(episodes.IN_PROCESSES)
                assert "sequential" in racers

    @pytest.mark.parametrize("fault", ["kill", "interrupt", "interrupt twice", "kill a worker"])
    def test_program_that_has_ended_gets_no_signal(self, episodes, tmp_path, fault):
        ended = SimpleNamespace(pid=NOBODY, poll=lambda: 0)
        assert not episodes.befall(episodes.draw(1, 1, ["processes"], [fault]), ended, tmp_path)

    def test_worker_that_has_ended_is_not_struck(self, episodes):
        assert not episodes.strike(Leaving(), "kill a worker")

    def test_process_that_becomes_another_program_is_no_worker(self, episodes, monkeypatch):
        seen, polls = cycle([["forked"], []]), iter([None, None])
        monkeypatch.setattr(episodes, "workers_of", lambda _: next(seen))
        program = SimpleNamespace(pid=NOBODY, poll=lambda: next(polls, 0))
        assert not episodes.befall_worker(episodes.draw(1, 1, ["processes"], ["kill a worker"]), program)

    @pytest.fixture
    def judged(self, episodes, judging, tmp_path):
        """Judges an episode at whose end every racer was disqualified for that reason, or none was."""

        def judge(fault, befell, reason):
            episode = episodes.draw(1, 1, ["processes"], [fault])
            entries = [{"racer": racer, "disqualified": reason} for racer in episode.racers]
            result = {"laps": [], "entries": entries, "unavailable": []}
            for name, text in {"race.json": json.dumps(result), "errors": "", "output": ""}.items():
                (tmp_path / name).write_text(text)
            return judging.judge(episode, episodes.Ending(1, int(reason is not None), befell), tmp_path)

        return judge

    @pytest.mark.parametrize("reason", [None, "worker 0 died (exit status 3)"])
    def test_mischief_befalls_whom_it_disqualifies(self, judged, reason):
        account = judged("exit", True, reason)
        assert account.befell == (reason is not None)
        assert not account.wrong

    def test_signal_that_was_not_sent_disqualifies_nobody(self, judged):
        assert not judged("kill a worker", True, "it died").wrong
        (wrong,) = judged("kill a worker", False, "it died").wrong
        assert wrong.startswith("disqualified without a fault")

    @pytest.mark.parametrize("how", ["ctrl-c", "SIGTERM"])
    def test_ends_all_that_it_has_started(self, soak, tmp_path, monkeypatch, how):
        monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"), prepend=":")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        campaign = start(str(ROOT / "tools/soak"), "--racers", "processes", "--faults", "kill", "--jobs", "1")
        try:
            assert eventually(lambda: len(descendants(campaign.pid)) > 1, 60)  # a program and its worker
            interrupt(campaign) if how == "ctrl-c" else campaign.terminate()
            campaign.communicate(timeout=30)
        finally:
            campaign.kill()
        assert campaign.returncode == (1 if how == "ctrl-c" else 143)
        assert not importlib.import_module("leftovers").processes_of(str(tmp_path))
        assert not list(tmp_path.iterdir())
