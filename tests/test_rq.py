"""What is special to RQ: messages are JSON, workers that join, and functions that do not arrive."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from contextlib import contextmanager

import functions
import psutil
import pytest
from engines import no_files_left
from outcomes import answers
from watching import descendants, eventually, gone, nothing_left

from primerace.racers import RACERS, RacerError, WorkerDied
from primerace.racers import rq as racing
from primerace.racers.engines import Engines

REASON = RACERS["rq"]().available()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"rq: {REASON}")


# What a worker leaves that somebody starts by hand; it expires.
OF_STRANGERS = {"rq:clean_groups", "rq:worker:stranger", "rq:worker:stranger:executions", "rq:workers"}


def start_crew(workers, running=None, method=None):
    return RACERS["rq"](method, Engines(broker=running and running.url)).start(workers)


@pytest.fixture
def clean(redis):
    """Neither processes nor keys are left, except what was there before."""
    with redis.client() as client:
        client.flushall()
        client.set("somebody's", "own")
    with nothing_left():
        yield redis
    assert set(redis.keys()) - OF_STRANGERS == {"somebody's"}


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

    def test_after_an_error_of_the_function(self, clean):
        with start_crew(2, clean) as crew, pytest.raises(RacerError, match="thirteen"):
            list(crew.run(functions.refuse_thirteen, [13, 14]))

    def test_messages_are_json(self, clean):
        with start_crew(1, clean) as crew, clean.client() as client:
            run = crew.run(functions.nap, [0.01, 0.3, 0.5])
            next(run)
            (job,) = client.keys("rq:job:*-2")
            function, _, arguments, options = json.loads(zlib.decompress(client.hget(job, "data")))
            assert function == "primerace.racers.rq_worker.call_item"
            assert arguments[2:4] == [2, 0.5]
            assert options == {}
            assert 0 < client.ttl(job) <= 7 * 86_400  # nobody may be left to take it away
            list(run)


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
