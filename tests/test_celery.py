"""What is special to Celery: messages are JSON, leases, a Redis that dies or forgets, workers that join."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import functions
import psutil
import pytest
from engines import DEADLINE, no_files_left
from outcomes import answers
from redises import running_redis
from watching import descendants, eventually, gone, interrupt, nothing_left, start

from primerace.racers import RACERS, RacerError, WorkerDied
from primerace.racers import celery as racing
from primerace.racers.engines import Engines

REASON = RACERS["celery"]().available()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"celery: {REASON}")

LOST = r"^celery: {} does not answer: .*; items not done: item \d+ \(0.4\), item \d+ \(0.4\)"


def start_crew(workers, running=None, pool="prefork"):
    return RACERS["celery"](engines=Engines(broker=running and running.url, celery_pool=pool)).start(workers)


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
        client.lpush("celery", "a message of somebody's own Celery")
        client.hset("unacked", "tag", "another")
    with nothing_left():
        yield running
    assert running.keys() == ["celery", "somebody's", "unacked"]


@pytest.fixture
def mortal():
    """A server that may be killed."""
    with nothing_left(), running_redis() as server:
        yield server


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

    def test_after_a_death(self, clean):
        with start_crew(2, clean) as crew, pytest.raises(WorkerDied):
            list(crew.run(functions.die, ["a", "SIGKILL", "b"]))

    @pytest.mark.parametrize("how", ["interrupt", "exception"])
    def test_after_the_end_of_the_program(self, clean, how, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(PROGRAM.format(tests=os.path.dirname(__file__), url=clean.url, how=how))
        program = start(str(script))
        assert program.stdout.readline() == "busy\n"
        if how == "interrupt":
            interrupt(program)
        _, errors = program.communicate(timeout=20)
        last = {"interrupt": "KeyboardInterrupt", "exception": "ZeroDivisionError"}[how]
        assert errors.splitlines()[-1] == last

    def test_of_a_killed_program_are_cleared_away_by_the_next(self, clean, tmp_path):
        """Its race shows no sign of life for a minute, which this test does not wait for."""
        script = tmp_path / "script.py"
        script.write_text(PROGRAM.format(tests=os.path.dirname(__file__), url=clean.url, how="kill"))
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
    with RACERS["celery"](engines=Engines(broker={url!r})).start(2) as crew:
        run = crew.run(functions.nap, [0.01] + [0.3] * 100)
        next(run)
        print("busy", flush=True)
        if {how!r} == "exception":
            raise ZeroDivisionError
        list(run)
"""


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
        assert "more" in str(caught.value)

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
            mortal.kill()

    def test_before_the_run(self, mortal, monkeypatch):
        monkeypatch.setattr(racing, "BACK", 0.5)
        with start_crew(1, mortal) as crew:
            mortal.kill()
            with pytest.raises(RacerError, match=r"does not answer: .*; items not done: item 0 \(7\)$"):
                list(crew.run(functions.square, [7]))

    def test_that_never_was(self, mortal):
        mortal.kill()
        begin = time.perf_counter()
        url = mortal.url.replace("127", "anna:secret@127")
        with pytest.raises(RacerError, match=rf"^celery: Redis at {mortal.url} does not answer") as caught:
            RACERS["celery"](engines=Engines(broker=url)).start(1)
        assert time.perf_counter() - begin < DEADLINE
        assert "secret" not in str(caught.value)


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

    def test_forgets_everything_while_it_runs(self, mortal):
        naps = [0.01] + [0.1] * 10
        with start_crew(2, mortal) as crew, mortal.client() as client:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            client.flushall()
            outcomes += run
        assert answers(outcomes) == naps
        assert mortal.keys() == []


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


def test_missing_package_is_a_reason(monkeypatch):
    monkeypatch.setattr(racing, "find_spec", lambda name: None)
    assert RACERS["celery"]().available() == "needs celery: pip install 'primerace[celery]'"
