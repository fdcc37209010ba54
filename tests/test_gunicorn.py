"""What is special to the racer gunicorn; the contract of all engines is in test_engines.py."""

import os
import signal
import threading
import time

import functions
import psutil
import pytest
from watching import eventually, nothing_left

from primerace import kernels
from primerace.racers import RACERS, FunctionError, RacerError, WorkerDied
from primerace.racers import gunicorn as racer_module
from primerace.racers.base import do_nothing
from primerace.racers.engines import Engines

pytestmark = pytest.mark.skipif(
    RACERS["gunicorn"]().available() is not None, reason=f"gunicorn: {RACERS['gunicorn']().available()}"
)

LONG = 2**53 - 111  # a prime that takes trial division in C a good part of a second
LONGER = 2**58 - 27  # a prime that takes it several times as long
ENDLESS = 2**64 - 59  # one that takes it half a minute


def racer(threads=1):
    return RACERS["gunicorn"](engines=Engines(web_threads=threads))


@pytest.fixture(autouse=True)
def _alone():
    with nothing_left():
        yield


def begun_during(long, others):
    """How many of the others began while this one was computed."""
    return sum(long.started < each.started < long.started + long.seconds for each in others)


@pytest.mark.parametrize(
    ("kernel", "threads", "overlaps"), [("released", 1, True), ("released", 2, True), ("held", 2, False)]
)
def test_threads_of_one_process_work_at_once_where_the_gil_is_released(kernel, threads, overlaps):
    """As two processes do; where it is held, all others wait for a call that is long."""
    with racer(threads).start(2) as crew:
        assert len(crew.pids()) == 2 // threads
        outcomes = list(crew.run(kernels.KERNELS[kernel], [LONGER, *[7] * 1000]))
    assert {each.worker for each in outcomes} == {0, 1}
    long, *others = sorted(outcomes, key=lambda outcome: outcome.index)
    assert (begun_during(long, others) > 20) is overlaps


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_worker_gets_work(threads):
    """However the processes divide the workers among themselves."""
    with racer(threads).start(4) as crew:
        outcomes = list(crew.run(kernels.released, [LONG] * 4))
        assert len(crew.pids()) == 4 // threads
    assert {each.worker for each in outcomes} == {0, 1, 2, 3}


def test_threads_that_do_not_divide_the_workers():
    with pytest.raises(RacerError, match=r"^gunicorn: 3 workers can't be processes of 2 threads each"):
        racer(2).start(3)


def test_kernels_only():
    with racer().start(1) as crew, pytest.raises(RacerError, match="only the kernels run .*, not square"):
        list(crew.run(functions.square, [7]))


@pytest.mark.parametrize(
    ("kernel", "item", "error"),
    [
        ("held", 2**64, r"raised OverflowError: "),
        ("fast", "7", r"item 1 \('7'\) raised TypeError: "),
        ("python", 7.5, r"item 1 \(7.5\) raised TypeError: "),
    ],
)
def test_items_that_the_kernel_refuses(kernel, item, error):
    """As every racer tells it; and the crew goes on."""
    with racer().start(2) as crew:
        with pytest.raises(FunctionError, match=f"^gunicorn: item 1 .*{error}|^gunicorn: {error}"):
            list(crew.run(kernels.KERNELS[kernel], [7, item]))
        assert [each.answer for each in crew.run(kernels.held, [7])] == [True]


def test_numbers_of_any_length():
    items = [2**127 - 1, -(10**3999), 10**4200]
    with racer().start(1) as crew:
        assert [each.answer for each in crew.run(kernels.fast, items)] == [True, False, False]


def test_empty_function_costs_only_the_way():
    with racer().start(2) as crew:
        assert [each.answer for each in crew.run(do_nothing, range(300))] == [None] * 300


def test_run_that_was_given_up_does_not_disturb_the_next_one():
    """Its last question is still open: the next one waits for its turn on that connection."""
    with racer().start(2) as crew:
        for _ in range(5):
            run = crew.run(kernels.held, [7, LONG, LONG])
            assert next(run).answer
            run.close()
            assert [each.answer for each in crew.run(kernels.held, [7] * 4)] == [True] * 4


def test_process_killed_in_mid_job_loses_nothing():
    with racer().start(2) as crew:
        items = [7, *[LONG] * 5, 9]
        run = crew.run(kernels.held, items)
        outcomes = [next(run)]
        os.kill(crew.pids()[0], signal.SIGKILL)
        outcomes += run
        assert sorted(each.index for each in outcomes) == list(range(7))
        assert {each.index: each.answer for each in outcomes}[6] is False
        assert len(list(crew.run(kernels.held, [7] * 9))) == 9


def test_item_whose_process_dies_every_time():
    with racer().start(1) as crew:
        over = threading.Event()

        def kill_all():
            while not over.wait(0.2):
                for pid in crew.pids():
                    os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_all)
        killer.start()
        try:
            with pytest.raises(WorkerDied, match=rf"items in flight: item 0 \({ENDLESS}\)") as caught:
                list(crew.run(kernels.held, [ENDLESS]))
        finally:
            over.set()
            killer.join()
    assert caught.value.in_flight == [0]


def test_gunicorn_killed_in_mid_job():
    """The processes end with their master; the error names what is not done."""
    with racer().start(2) as crew:
        run = crew.run(kernels.held, [7, ENDLESS, ENDLESS - 2**40, *range(20)])
        next(run)
        processes = [psutil.Process(pid) for pid in crew.pids()]
        begin = time.perf_counter()
        processes[0].parent().kill()
        with pytest.raises(RacerError, match=rf"killed by SIGKILL\); items not done: item 1 \({ENDLESS}\)"):
            list(run)
        assert time.perf_counter() - begin < 10
        assert eventually(lambda: not any(each.is_running() for each in processes))


def test_gunicorn_that_does_not_start(monkeypatch):
    """The error repeats what it said last."""
    monkeypatch.setattr("primerace.racers.gunicorn_server.APPLICATION", "primerace.serving_races:nobody()")
    with pytest.raises(RacerError, match=r"^gunicorn: Gunicorn does not answer: .+ \(.+\)$"):
        racer().start(2)


def test_settings_of_the_user_do_not_reach_it(monkeypatch):
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 7 --bind 127.0.0.1:1")
    monkeypatch.setenv("WEB_CONCURRENCY", "7")
    with racer().start(2) as crew:
        assert len(crew.pids()) == 2


def test_modules_of_the_current_folder_stay_out(monkeypatch, traps):
    monkeypatch.chdir(traps)
    with racer().start(2) as crew:
        assert [each.answer for each in crew.run(kernels.fast, [7])] == [True]


def test_without_gunicorn(monkeypatch):
    monkeypatch.setattr(racer_module, "find_spec", lambda name: None)
    assert racer().available() == "needs gunicorn: pip install 'primerace[web]'"
