"""What is special to Celery: messages are JSON, leases, and workers that join."""

import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import functions
import psutil
import pytest
from engines import no_files_left, program_of
from outcomes import answers
from watching import descendants, eventually, gone, nothing_left, start

from primerace.racers import RACERS, RacerError, WorkerDied
from primerace.racers import celery as racing
from primerace.racers.engines import Engines

REASON = RACERS["celery"]().available()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"celery: {REASON}")


def start_crew(workers, running=None, pool="prefork"):
    return RACERS["celery"](engines=Engines(broker=running and running.url, celery_pool=pool)).start(workers)


@pytest.fixture
def clean(redis):
    """Neither processes nor keys are left, except what was there before."""
    with redis.client() as client:
        client.flushall()
        client.set("somebody's", "own")
        client.lpush("celery", "a message of somebody's own Celery")
        client.hset("unacked", "tag", "another")
    with nothing_left():
        yield redis
    assert redis.keys() == ["celery", "somebody's", "unacked"]


@contextmanager
def joined(url):
    """A worker that somebody starts by hand, with Celery's own command."""
    command = [sys.executable, "-m", "celery", "-A", "primerace.racers.celery", "-b", url]
    command += ["-q", "worker", "-c", "1"]
    worker = subprocess.Popen(
        command,
        cwd=os.path.dirname(__file__),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield worker
    finally:
        everybody = [*descendants(worker.pid), psutil.Process(worker.pid)]
        worker.terminate()
        try:
            worker.wait(timeout=20)
        finally:
            worker.kill()
            worker.wait()
        assert gone(everybody)


class TestKeys:
    """On a server that stays."""

    def test_after_a_job(self, clean):
        with start_crew(2, clean) as crew:
            assert answers(crew.run(functions.square, range(300))) == [n * n for n in range(300)]
            keys = clean.keys()
            names = [name for name in keys if crew.queue in name]
            assert all(name.startswith("primerace:celery:") for name in names)
            assert names

    def test_after_leaving_early(self, clean):
        with start_crew(2, clean, "threads") as crew:
            next(crew.run(functions.nap, [0.01] + [0.2] * 300))

    def test_lock_of_a_worker_that_was_killed_is_cleared_away(self, clean):
        with start_crew(1, clean) as crew, clean.client() as client:
            assert answers(crew.run(functions.square, [7])) == [49]
            crew.close()
            client.set("primerace:celery:unacked_mutex", "of a dead worker", ex=60)
            with start_crew(1, clean):
                pass

    def test_of_a_killed_program_are_cleared_away_by_the_next(self, clean, tmp_path):
        """Its race shows no sign of life for a minute, which this test does not wait for."""
        script = tmp_path / "script.py"
        script.write_text(program_of("celery", clean.url, "kill"))
        program = start(str(script))
        assert program.stdout.readline() == "busy\n"
        everybody = descendants(program.pid)
        program.kill()
        program.communicate(timeout=20)
        assert gone(everybody)
        with clean.client() as client:
            (sign,) = client.keys("primerace:celery:*:open")
            assert 0 < client.ttl(sign) <= 60
            client.delete(sign)
        with start_crew(1, clean) as crew:
            assert answers(crew.run(functions.square, [7])) == [49]
        with clean.client() as client:  # answers that nobody fetched expire by themselves
            for key in client.keys("primerace:celery:celery-task-meta-*"):
                assert 0 < client.ttl(key) <= 60
                client.delete(key)


class Trap:
    """Whoever unpickles it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickle_is_refused(clean, tmp_path):
    """The message is thrown away unread, and the worker goes on."""
    from primerace.racers.celery_app import TASK, make_app, queue_of

    trap = tmp_path / "sprung"
    app = make_app(clean.url, stores=False)
    with start_crew(1, clean) as crew, app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection, auto_declare=False)
        app.tasks[TASK].apply_async(
            [Trap(str(trap)), 0, "7", 0.0], queue=queue_of(crew.queue), producer=producer, serializer="pickle"
        )
        assert eventually(lambda: "Refusing to deserialize untrusted content of type pickle" in logged(crew))
        assert answers(crew.run(functions.square, [7, 8])) == [49, 64]
    app.close()
    assert not trap.exists()
    pickle.loads(pickle.dumps(Trap(str(trap)))).close()
    assert trap.exists()


def logged(crew):
    crew._staff._log.seek(0)
    return crew._staff._log.read()


def lines_of(path):
    return path.read_text().splitlines()


class TestLeases:
    def test_item_that_lasts_runs_once(self, tmp_path):
        """Longer than Redis waits for an acknowledgement, while others have nothing to do."""
        from primerace.racers.celery_app import LEASE

        notes = tmp_path / "notes"
        with start_crew(2) as crew:
            assert answers(crew.run(functions.note_and_nap, [[str(notes), LEASE + 1.5]])) == [LEASE + 1.5]
        assert len(lines_of(notes)) == 1

    @pytest.mark.parametrize("pool", ["prefork", "threads"])
    def test_of_a_worker_that_is_killed_run_out(self, pool):
        """Its items come to the next one in seconds."""
        naps = [0.01] + [0.2] * 10
        before = descendants()
        with nothing_left(), no_files_left(), start_crew(2, pool=pool) as crew:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            (worker,) = {
                each.pid if pool == "threads" else each.ppid()
                for each in descendants()
                if each not in before and each.pid in crew.pids()
            }
            os.kill(worker, signal.SIGKILL)
            begin = time.perf_counter()
            outcomes += run
            assert time.perf_counter() - begin < 30
            assert answers(outcomes) == naps
            assert {outcome.worker for outcome in outcomes} == {0, 1}


class TestWorkersThatJoin:
    def test_take_items(self, clean):
        """Also of a race that begins after they came; their numbers count on.

        What they have in hand when the race is over expires by itself.
        """
        with start_crew(1, clean) as crew:
            run = crew.run(functions.nap, [0.1] * 500)
            outcomes = [next(run)]
            with joined(clean.url):
                while sum(outcome.worker == 1 for outcome in outcomes) < 3:
                    outcomes.append(next(run))
                with start_crew(1, clean) as other:
                    others = other.run(functions.nap, [0.1] * 500)
                    while next(others).worker != 1:
                        pass
        assert {outcome.worker for outcome in outcomes} == {0, 1}
        assert len({outcome.index for outcome in outcomes}) == len(outcomes)
        assert all(outcome.started >= 0 for outcome in outcomes)
        with clean.client() as client:
            left = client.keys("primerace:celery:celery-task-meta-*")
            assert len(left) <= 2
            assert all(0 < client.ttl(key) <= 60 for key in left)
            client.delete(*left, "nothing")

    def test_do_not_get_what_holds_the_gil_elsewhere(self, clean, tmp_path):
        """A pool of threads can't renew its leases meanwhile."""
        from primerace.racers.celery_app import LEASE

        notes = tmp_path / "notes"
        with start_crew(2, clean, "threads") as crew, joined(clean.url):
            while 2 not in {outcome.worker for outcome in crew.run(functions.nap, [0.1] * 20)}:
                pass
            outcomes = list(crew.run(functions.note_and_hold, [[str(notes), 2 * LEASE]] * 3))
        assert {outcome.worker for outcome in outcomes} & {0, 1}
        assert len(lines_of(notes)) == 3

    def test_and_are_killed_lose_nothing(self, clean):
        naps = [0.1] * 60
        with start_crew(1, clean) as crew, joined(clean.url) as worker:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            while outcomes[-1].worker != 1:
                outcomes.append(next(run))
            worker.kill()
            outcomes += run
        assert answers(outcomes) == naps


def test_worker_that_can_not_start(monkeypatch):
    monkeypatch.setattr("primerace.racers.celery_staff.MODULE", "primerace.racers.no_such_module")
    why = "^celery: no worker .*no_such_module"
    with nothing_left(), no_files_left(), pytest.raises(RacerError, match=why):
        start_crew(2)


def test_workers_that_never_live_long_are_not_replaced_for_ever(monkeypatch):
    monkeypatch.setattr(racing, "LOOK", 0.1)
    with nothing_left(), no_files_left(), start_crew(1, pool="threads") as crew:
        monkeypatch.setattr(crew._staff, "_words", [sys.executable, "-c", "import sys; sys.exit(3)"])
        psutil.Process(crew.pids()[0]).kill()
        with pytest.raises(WorkerDied, match="exit status 3"):
            list(crew.run(functions.square, [7]))
