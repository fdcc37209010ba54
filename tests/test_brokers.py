"""What Celery and RQ promise alike: nothing is left on a Redis, and one that dies or forgets is survived."""

import shutil
import signal
import subprocess
import sys
import threading
import time

import functions
import pytest
from engines import DEADLINE, no_files_left, program_of
from outcomes import answers
from redises import running_redis
from watching import descendants, interrupt, nothing_left, start

from primerace.racers import RACERS, RacerError, WorkerDied
from primerace.racers import redis as servers
from primerace.racers.engines import Engines


@pytest.fixture(params=["celery", "rq"])
def engine(request):
    reason = RACERS[request.param]().available()
    if reason is not None:
        pytest.skip(f"{request.param}: {reason}")
    return request.param


@pytest.fixture
def racing(engine):
    """The module of the engine."""
    return sys.modules[RACERS[engine].__module__]


@pytest.fixture
def start_crew(engine):
    def crew(workers, running=None):
        return RACERS[engine](engines=Engines(broker=running and running.url)).start(workers)

    return crew


@pytest.fixture
def clean(engine, redis):
    """Neither processes nor keys are left, except what was there before."""
    with redis.client() as client:
        client.flushall()
        client.set("somebody's", "own")
    with nothing_left():
        yield redis
    assert redis.keys() == ["somebody's"]


def lost(engine, where):
    """What is said when a Redis is gone."""
    return rf"^{engine}: {where} does not answer: .*; items not done: item \d+ \(0.4\), item \d+ \(0.4\)"


class TestNothingIsLeft:
    def test_after_a_death(self, clean, start_crew):
        with start_crew(2, clean) as crew, pytest.raises(WorkerDied):
            list(crew.run(functions.die, ["a", "SIGKILL", "b"]))

    @pytest.mark.parametrize("how", ["interrupt", "exception"])
    def test_after_the_end_of_the_program(self, clean, engine, how, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(program_of(engine, clean.url, how))
        program = start(str(script))
        assert program.stdout.readline() == "busy\n"
        if how == "interrupt":
            interrupt(program)
        _, errors = program.communicate(timeout=20)
        last = {"interrupt": "KeyboardInterrupt", "exception": "ZeroDivisionError"}[how]
        assert errors.splitlines()[-1] == last

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
    @pytest.mark.parametrize("pause", [0.02, 0.1])
    def test_after_impatient_signals(self, clean, engine, number, pause, tmp_path):
        """More of them come while the keys are removed."""
        script = tmp_path / "script.py"
        script.write_text(program_of(engine, clean.url, "signal"))
        program = start(str(script))
        assert program.stdout.readline() == "busy\n"
        for _ in range(4):
            program.send_signal(number)
            time.sleep(pause)
        _, errors = program.communicate(timeout=30)
        assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)


class TestTwoCrews:
    def test_at_once_do_not_mix(self, clean, start_crew):
        with start_crew(2, clean) as one, start_crew(2, clean) as other:
            runs = one.run(functions.nap, [0.02] * 5), other.run(functions.process_id, range(5))
            pairs = list(zip(*runs, strict=True))
            assert answers(first for first, _ in pairs) == [0.02] * 5
            assert {second.answer for _, second in pairs} <= set(other.pids())
            assert not set(one.pids()) & set(other.pids())

    def test_each_takes_only_its_own_keys(self, clean, start_crew):
        with start_crew(1, clean) as one:
            run = one.run(functions.nap, [0.02] * 20)
            next(run)
            with start_crew(1, clean) as other:
                next(other.run(functions.nap, [0.01] * 3))
            assert len(list(run)) == 19


class TestRedisThatDies:
    def test_private(self, engine, start_crew):
        """It is told within a moment, and the items that are not done are named."""
        before = descendants()
        with nothing_left(), no_files_left(), start_crew(2) as crew:
            run = crew.run(functions.nap, [0.01] + [0.4] * 20)
            next(run)
            new = [each for each in descendants() if each not in before]
            (server,) = [each for each in new if each.name() == "redis-server"]
            begin = time.perf_counter()
            server.kill()
            with pytest.raises(RacerError, match=lost(engine, "the private Redis")) as caught:
                list(run)
            assert time.perf_counter() - begin < DEADLINE
        assert "more" in str(caught.value)

    def test_that_runs_and_does_not_come_back(self, mortal_redis, engine, racing, start_crew, monkeypatch):
        monkeypatch.setattr(servers, "BACK", 1.0)
        with start_crew(2, mortal_redis) as crew:
            run = crew.run(functions.nap, [0.01] + [0.4] * 20)
            next(run)
            mortal_redis.kill()
            with pytest.raises(RacerError, match=lost(engine, f"Redis at {mortal_redis.url}")):
                list(run)

    def test_it_is_told_within_ten_seconds(self):
        assert servers.BACK + 1 < DEADLINE

    def test_that_hangs(self, mortal_redis, engine, racing, start_crew, monkeypatch):
        monkeypatch.setattr(servers, "CONNECT_SECONDS", 1.0)
        monkeypatch.setattr(servers, "BACK", 1.0)
        with start_crew(2, mortal_redis) as crew:
            run = crew.run(functions.nap, [0.01] + [0.4] * 20)
            next(run)
            mortal_redis.process.send_signal(signal.SIGSTOP)
            begin = time.perf_counter()
            with pytest.raises(RacerError, match=lost(engine, f"Redis at {mortal_redis.url}")):
                list(run)
        assert time.perf_counter() - begin < DEADLINE

    def test_before_the_run(self, mortal_redis, racing, start_crew, monkeypatch):
        monkeypatch.setattr(servers, "BACK", 0.5)
        with start_crew(1, mortal_redis) as crew:
            mortal_redis.kill()
            with pytest.raises(RacerError, match=r"does not answer: .*; items not done: item 0 \(7\)$"):
                list(crew.run(functions.square, [7]))

    def test_that_never_was(self, mortal_redis, engine):
        mortal_redis.kill()
        begin = time.perf_counter()
        url = mortal_redis.url.replace("127", "anna:secret@127")
        said = rf"^{engine}: Redis at {mortal_redis.url} does not answer"
        with pytest.raises(RacerError, match=said) as caught:
            RACERS[engine](engines=Engines(broker=url)).start(1)
        assert time.perf_counter() - begin < DEADLINE
        assert "secret" not in str(caught.value)


class TestRedisThatForgets:
    """The job goes on, and no answer is lost or counted twice."""

    def test_comes_back_empty(self, mortal_redis, start_crew):
        naps = [0.01] + [0.1] * 20
        with start_crew(2, mortal_redis) as crew:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            again = threading.Thread(target=mortal_redis.restart_after, args=(0.3,))
            again.start()
            outcomes += run
            again.join()
            assert answers(outcomes) == naps
            assert answers(crew.run(functions.square, [7, 8])) == [49, 64]
        assert mortal_redis.keys() == []

    def test_forgets_everything_while_it_runs(self, mortal_redis, racing, start_crew, monkeypatch):
        monkeypatch.setattr(racing, "QUIET", 0.2, raising=False)  # RQ looks again after a while
        naps = [0.01] + [0.1] * 10
        with start_crew(2, mortal_redis) as crew, mortal_redis.client() as client:
            run = crew.run(functions.nap, naps)
            outcomes = [next(run)]
            client.flushall()
            outcomes += run
        assert answers(outcomes) == naps
        assert mortal_redis.keys() == []


@pytest.fixture(scope="module")
def secure_redis(tmp_path_factory):
    """A Redis that speaks TLS."""
    folder = tmp_path_factory.mktemp("certificate")
    about = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", "key.pem", "-out", "certificate.pem"]
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, to make a certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *about],
        cwd=folder,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    with running_redis("open-sesame", folder / "certificate.pem") as server:
        yield server


def test_redis_that_speaks_tls(secure_redis, start_crew):
    with nothing_left(), start_crew(2, secure_redis) as crew:
        assert answers(crew.run(functions.square, range(5))) == [0, 1, 4, 9, 16]
    assert secure_redis.keys() == []


def test_certificate_that_nobody_vouches_for(secure_redis, engine):
    url = secure_redis.url.partition("?")[0]
    with pytest.raises(RacerError, match=rf"^{engine}: Redis at rediss://127.* does not answer: .*CERT"):
        RACERS[engine](engines=Engines(broker=url)).start(1)


def test_missing_package_is_a_reason(engine, racing, monkeypatch):
    monkeypatch.setattr(racing, "find_spec", lambda name: None)
    assert RACERS[engine]().available() == f"needs {engine}: pip install 'primerace[{engine}]'"
