"""What is special to the racers of asyncio: whose loop it is, and what blocks it."""

import asyncio
import threading
import time

import functions
import pytest
from watching import eventually

from primerace import trial
from primerace.job import Job
from primerace.racers import RACERS, FunctionError, RacerError
from primerace.racers.coroutines import Timed
from primerace.racers.loops import LoopThread
from primerace.racing import race

ASYNCIO = [name for name in RACERS if name.startswith("asyncio")]
PRIME = 8333333333341  # 1.4 million divisions


@pytest.mark.parametrize("name", ASYNCIO)
def test_race_inside_a_running_loop(name):
    """As in a cell of a notebook."""

    async def cell():
        return race(Job("few", [7, 9], [True, False]), [name], ["python"], workers=2, rounds=1)

    assert [entry.disqualified for entry in asyncio.run(cell()).entries] == [None]


@pytest.mark.parametrize("name", ASYNCIO)
def test_no_thread_is_left(name):
    before = threading.active_count()
    with RACERS[name]().start(2) as crew:
        next(crew.run(functions.nap, [0.01] * 20))
    assert eventually(lambda: threading.active_count() <= before)


def test_direct_call_blocks_the_loop():
    """Calls follow one another: where one is running, no other coroutine has its turn."""
    with RACERS["asyncio"]().start(3) as crew:
        outcomes = sorted(crew.run(functions.nap, [0.03] * 6), key=lambda outcome: outcome.started)
    for one, other in zip(outcomes, outcomes[1:], strict=False):
        assert one.started + one.seconds <= other.started


def test_napping_coroutines_take_turns():
    """Two primes of the same cost end at nearly the same time, each after twice its own processor time."""
    with RACERS["asyncio-nap"]().start(2) as crew:
        first, second = crew.run(trial.is_prime, [PRIME, PRIME])
    assert first.answer
    assert second.answer
    for outcome in (first, second):
        assert outcome.cpu_seconds < 0.75 * outcome.seconds
    assert second.started < first.started + 0.5 * first.seconds


def test_napping_coroutine_that_raises():
    with RACERS["asyncio-nap"]().start(2) as crew, pytest.raises(FunctionError, match="item 1 .*TypeError"):
        list(crew.run(trial.is_prime, [7, "seven", 11]))


def test_processor_time_of_naps_is_that_of_others():
    async def nap():
        await asyncio.sleep(0)
        busy_until = time.thread_time() + 0.02
        while time.thread_time() < busy_until:
            pass

    async def both():
        timed = [Timed(nap()) for _ in range(3)]

        async def wait_for(one):
            await one

        await asyncio.gather(*map(wait_for, timed))
        return [one.cpu_seconds for one in timed]

    for seconds in asyncio.run(both()):
        assert 0.02 <= seconds < 0.035


def test_threads_are_as_many_as_workers():
    """And not the 32 of a default executor."""
    running = []
    lock = threading.Lock()
    peak = []

    def watched(item):
        with lock:
            running.append(item)
            peak.append(len(running))
        time.sleep(0.01)
        with lock:
            running.remove(item)

    with RACERS["asyncio-threads"]().start(3) as crew:
        list(crew.run(watched, range(12)))
    assert max(peak) == 3


@pytest.mark.parametrize("name", ASYNCIO)
def test_loop_that_can_not_be_made_is_one_error(monkeypatch, name):
    def refuse():
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    before = threading.active_count()
    with pytest.raises(RacerError, match=f"{name}: an event loop could not be started: .*Too many open"):
        RACERS[name]().start(2)
    assert eventually(lambda: threading.active_count() <= before)


def test_loop_ends_at_once():
    """Also where its thread has hardly begun."""
    for _ in range(50):
        loop = LoopThread("test")
        loop.close()
        assert loop.loop.is_closed()


def test_what_fails_in_a_stream_is_raised_in_the_caller():
    async def fail(put):
        put(1)
        raise ZeroDivisionError

    loop = LoopThread("test")
    try:
        stream = loop.stream(fail)
        assert next(stream) == 1
        with pytest.raises(ZeroDivisionError):
            next(stream)
    finally:
        loop.close()
