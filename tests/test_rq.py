"""What is special to RQ: a Redis that dies or comes back empty, workers that join, and what is left there."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from contextlib import contextmanager

import functions
import psutil
import pytest
from engines import DEADLINE, no_files_left
from redises import running_redis
from watching import descendants, eventually, gone, interrupt, nothing_left, start

from primerace.racers import RACERS, RacerError, WorkerDied
from primerace.racers import rq as racing
from primerace.racers.engines import Engines

REASON = RACERS["rq"]().available()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"rq: {REASON}")


# What a worker leaves that somebody starts by hand; it expires.
OF_STRANGERS = {"rq:clean_groups", "rq:worker:stranger", "rq:worker:stranger:executions", "rq:workers"}


def start_crew(workers, running=None, method=None):
    return RACERS["rq"](method, Engines(broker=running and running.url)).start(workers)


def answers(outcomes):
    """The answers in the order of the items; an item lost or answered twice is an error."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.index)
    assert [outcome.index for outcome in outcomes] == list(range(len(outcomes)))
    return [outcome.answer for outcome in outcomes]


@pytest.fixture(scope="module")
def running():
    with running_redis("open-sesame") as server:
        yield server


@pytest.fixture
def clean(running):
    """Neither processes nor keys are left, except what was there before."""
    with running.client() as client:
        client.flushall()
        client.set("somebody's", "own")
    with nothing_left():
        yield running
    assert set(running.keys()) - OF_STRANGERS == {"somebody's"}


@pytest.fixture
def mortal():
    """A server that may be killed."""
    with nothing_left(), running_redis() as server:
        yield server


@contextmanager
def joined(running, queue):
    """A worker that somebody starts by hand, with RQ's own command."""
    command = [sys.executable, "-m", "rq.cli", "worker", "--url", running.url, "--quiet"]
    command += ["--serializer", "rq.serializers.JSONSerializer", "--name", "stranger", queue]
    folder = os.path.dirname(__file__)
    worker = subprocess.Popen(command, cwd=folder, start_new_session=True)
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGSTOP)  # it must not fork any more
        for process in [*(descendants(worker.pid) if worker.returncode is None else ()), worker]:
            process.kill()
        worker.wait()
        with running.client() as client:
            assert eventually(lambda: client.pubsub_numsub("rq:pubsub:stranger")[0][1] == 0)


class TestKeys:
    """On a server that stays."""

    def test_after_a_job(self, clean):
        with start_crew(2, clean) as crew:
            assert answers(crew.run(functions.square, range(50))) == [n * n for n in range(50)]
            assert clean.keys() != ["somebody's"]

    def test_after_leaving_early(self, clean):
        with start_crew(2, clean) as crew:
            next(crew.run(functions.nap, [0.01] + [0.2] * 300))

    def test_after_a_death(self, clean):
        with start_crew(2, clean) as crew, pytest.raises(WorkerDied):
            list(crew.run(functions.die, ["a", "SIGKILL", "b"]))

    def test_after_an_error_of_the_function(self, clean):
        with start_crew(2, clean) as crew, pytest.raises(RacerError, match="thirteen"):
            list(crew.run(functions.refuse_thirteen, [13, 14]))

    @pytest.mark.parametrize("how", ["interrupt", "exception"])
    def test_after_the_end_of_the_program(self, clean, how, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(PROGRAM.format(tests=os.path.dirname(__file__), url=clean.url, how=how))
        program = start(str(script))
        assert program.stdout.readline() == "busy\n"
        if how == "interrupt":
            interrupt(program)
        _, errors = program.communicate(timeout=20)
        assert (
            errors.splitlines()[-1]
            == {"interrupt": "KeyboardInterrupt", "exception": "ZeroDivisionError"}[how]
        )

    def test_messages_are_json(self, clean):
        with start_crew(1, clean) as crew, clean.client() as client:
            run = crew.run(functions.nap, [0.01, 0.3, 0.5])
            next(run)
            (job,) = client.keys("rq:job:*-2")
            function, _, arguments, options = json.loads(zlib.decompress(client.hget(job, "data")))
            assert function == "primerace.racers.rq_worker.call_item"
            assert arguments[2:4] == [2, 0.5]
            assert options == {}
            list(run)

    def test_two_crews_at_once_do_not_mix(self, clean):
        with start_crew(2, clean) as one, start_crew(2, clean) as other:
            runs = one.run(functions.nap, [0.02] * 5), other.run(functions.process_id, range(5))
            pairs = list(zip(*runs, strict=True))
            assert answers(first for first, _ in pairs) == [0.02] * 5
            assert {second.answer for _, second in pairs} <= set(other.pids())
            assert not set(one.pids()) & set(other.pids())

    def test_one_of_two_crews_takes_only_its_own_keys(self, clean):
        with start_crew(1, clean) as one:
            run = one.run(functions.nap, [0.02] * 20)
            next(run)
            with start_crew(1, clean) as other:
                next(other.run(functions.nap, [0.01] * 3))
            assert len(list(run)) == 19


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
import functions
from primerace.racers import RACERS
from primerace.racers.engines import Engines

if __name__ == "__main__":
    with RACERS["rq"](engines=Engines(broker={url!r})).start(2) as crew:
        run = crew.run(functions.nap, [0.01] + [0.3] * 100)
        next(run)
        print("busy", flush=True)
        if {how!r} == "exception":
            raise ZeroDivisionError
        list(run)
"""


class TestRedisThatDies:
    def test_private(self):
        """It is told within a moment, and the items that are not done are named."""
        before = descendants()
        with nothing_left(), no_files_left(), start_crew(2) as crew:
            run = crew.run(functions.nap, [0.01] + [0.4] * 20)
            next(run)
            new = [each for each in descendants() if each not in before]
            (server,) = [each for each in new if each.name() == "redis-server"]
            begin = time.perf_counter()
            server.kill()
            with pytest.raises(RacerError, match=LOST.format("the private Redis")) as caught:
                list(run)
            assert time.perf_counter() - begin < DEADLINE
        assert "item 20 (0.4)" in str(caught.value) or "more" in str(caught.value)

    def test_that_runs_and_does_not_come_back(self, mortal, monkeypatch):
        monkeypatch.setattr(racing, "BACK", 1.0)
        with start_crew(2, mortal) as crew:
            run = crew.run(functions.nap, [0.01] + [0.4] * 20)
            next(run)
            mortal.kill()
            with pytest.raises(RacerError, match=LOST.format(f"Redis at {mortal.url}")):
                list(run)

    def test_it_is_told_within_ten_seconds(self):
        assert racing.BACK + 1 < DEADLINE

    def test_that_hangs(self, mortal, monkeypatch):
        monkeypatch.setattr("primerace.racers.redis.CONNECT_SECONDS", 1.0)
        monkeypatch.setattr(racing, "BACK", 1.0)
        with start_crew(2, mortal) as crew:
            run = crew.run(functions.nap, [0.01] + [0.4] * 20)
            next(run)
            mortal.process.send_signal(signal.SIGSTOP)
            begin = time.perf_counter()
            with pytest.raises(RacerError, match=LOST.format(f"Redis at {mortal.url}")):
                list(run)
        assert time.perf_counter() - begin < DEADLINE

    def test_before_the_run(self, mortal, monkeypatch):
        monkeypatch.setattr(racing, "BACK", 0.5)
        with start_crew(1, mortal) as crew:
            mortal.kill()
            with pytest.raises(RacerError, match=r"does not answer: .*; items not done: item 0 \(7\)$"):
                list(crew.run(functions.square, [7]))


LOST = r"^rq: {} does not answer: .*; items not done: item \d+ \(0.4\), item \d+ \(0.4\)"


class TestRedisThatForgets:
    """The job goes on, and no answer is lost or counted twice."""

    def test_comes_back_empty(self, mortal):
        naps = [0.01] + [0.1] * 20
        with start_crew(2, mortal) as crew:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            again = threading.Thread(target=mortal.restart_after, args=(0.3,))
            again.start()
            outcomes += run
            again.join()
            assert answers(outcomes) == naps
            assert answers(crew.run(functions.square, [7, 8])) == [49, 64]
        assert mortal.keys() == []

    def test_forgets_everything_while_it_runs(self, mortal, monkeypatch):
        monkeypatch.setattr(racing, "QUIET", 0.2)
        naps = [0.01] + [0.1] * 10
        with start_crew(2, mortal) as crew, mortal.client() as client:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            client.flushall()
            outcomes += run
        assert answers(outcomes) == naps
        assert mortal.keys() == []


def still_at_work(pid):
    """Whether the process that RQ forked for a job is still the same after a while."""
    before = descendants(pid)
    time.sleep(0.3)
    return before and before == descendants(pid)


class TestWorkersThatJoin:
    def test_take_items(self, clean):
        """Their numbers count on."""
        with start_crew(1, clean) as crew:
            run = crew.run(functions.nap, [0.1] * 500)
            outcomes = [next(run)]
            with joined(clean, crew.queue):
                while sum(outcome.worker == 1 for outcome in outcomes) < 3:
                    outcomes.append(next(run))
        assert {outcome.worker for outcome in outcomes} == {0, 1}
        assert len({outcome.index for outcome in outcomes}) == len(outcomes)
        assert all(outcome.started >= 0 for outcome in outcomes)

    def test_and_are_at_work_when_the_crew_leaves_are_not_disturbed(self, clean):
        """Their answer waits an hour for somebody who wants it; all else goes when they are done."""
        with start_crew(1, clean) as crew, joined(clean, crew.queue) as worker:
            assert eventually(lambda: "rq:worker:stranger" in set(clean.keys()))
            next(crew.run(functions.nap, [0.4] + [1.0] * 10))
            assert eventually(lambda: still_at_work(worker.pid))
            crew.close()
            answers = f"{crew.queue}:answers:1"
            assert eventually(lambda: set(clean.keys()) <= {"somebody's", answers} | OF_STRANGERS)
            assert eventually(lambda: answers in set(clean.keys()))
            with clean.client() as client:
                assert 0 < client.ttl(answers) <= 3600
                client.delete(answers)

    @pytest.mark.parametrize("whole", [False, True], ids=["horse", "worker"])
    def test_and_are_killed_lose_nothing(self, clean, whole, monkeypatch):
        """Both the process that RQ forks for a job, and all of the worker."""
        monkeypatch.setattr(racing, "QUIET", 0.2)
        with start_crew(1, clean) as crew, joined(clean, crew.queue) as worker:
            assert eventually(lambda: "rq:worker:stranger" in set(clean.keys()))
            run = crew.run(functions.nap, [0.5] + [1.5] * 2)
            outcomes = [next(run)]
            assert eventually(lambda: still_at_work(worker.pid))
            (horse,) = descendants(worker.pid)
            if whole:
                worker.kill()
            horse.kill()
            outcomes += run
        assert answers(outcomes) == [0.5] + [1.5] * 2


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_start_methods(method):
    with nothing_left(), no_files_left(), start_crew(2, method=method) as crew:
        assert answers(crew.run(functions.square, range(10))) == [n * n for n in range(10)]


def test_worker_that_can_not_start(monkeypatch):
    monkeypatch.setattr("primerace.racers.rq_worker.work", functions.leave)
    with nothing_left(), no_files_left(), pytest.raises(WorkerDied, match="^rq: worker . died"):
        start_crew(2)


def test_workers_that_never_live_long_are_not_replaced_for_ever(monkeypatch):
    with nothing_left(), no_files_left(), start_crew(1) as crew:
        monkeypatch.setattr("primerace.racers.rq_worker.work", functions.leave)
        psutil.Process(crew.pids()[0]).kill()
        assert gone(map(psutil.Process, crew.pids()))
        with pytest.raises(WorkerDied, match="in flight: none"):
            list(crew.run(functions.square, [7]))


def test_function_that_the_worker_does_not_have(tmp_path, monkeypatch):
    """Its module was there when the job was handed out."""
    path = tmp_path / "fleeting.py"
    path.write_text("def function(n):\n    return n\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with start_crew(1, method="spawn") as crew:
        from fleeting import function

        path.unlink()
        with pytest.raises(RacerError, match="^rq: a worker could not load the function: .*fleeting"):
            list(crew.run(function, [1]))


def test_missing_package_is_a_reason(monkeypatch):
    monkeypatch.setattr(racing, "find_spec", lambda name: None)
    assert RACERS["rq"]().available() == "needs rq: pip install 'primerace[rq]'"
