"""What is special to gevent: one child process, and nothing of it anywhere else."""

import sys
import threading
import time

import functions
import psutil
import pytest
from functions import sleeps_as_gevent

from primerace import kernels
from primerace.children import start_methods
from primerace.racers import RACERS, greenlets

REASON = RACERS["gevent"]().available()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


@pytest.fixture(scope="module", params=start_methods())
def crew(request):
    with RACERS["gevent"](request.param).start(3) as crew:
        yield crew


def test_is_one_process(crew):
    (pid,) = crew.pids()
    assert psutil.Process(pid).is_running()


def test_greenlets_wait_together(crew):
    """Naps of the standard library give way to other greenlets."""
    begin = time.perf_counter()
    outcomes = list(crew.run(functions.nap, [0.3] * 6))
    wall = time.perf_counter() - begin
    assert wall < 0.7 * sum(outcome.seconds for outcome in outcomes)
    assert sorted(outcome.worker for outcome in outcomes) == [0, 0, 1, 1, 2, 2]


def test_processor_time_is_that_of_the_greenlet(crew):
    """And not of those that had their turn in between."""
    for outcome in crew.run(functions.compute_between_naps, [0.05] * 6):
        assert 0.05 <= outcome.cpu_seconds < 0.09


def test_greenlets_compute_one_by_one(crew):
    """A kernel never gives way, also where it releases the GIL."""
    outcomes = sorted(crew.run(kernels.released, [8333333333341] * 6), key=lambda outcome: outcome.started)
    assert {outcome.worker for outcome in outcomes} == {0, 1, 2}
    for one, other in zip(outcomes, outcomes[1:], strict=False):
        assert one.started + one.seconds <= other.started


def test_is_patched_in_the_child_only(crew):
    assert [outcome.answer for outcome in crew.run(sleeps_as_gevent, [0])] == [True]
    assert "gevent" not in sys.modules
    assert "gevent" not in type(threading.Lock()).__module__


def test_is_missing_with_a_reason(monkeypatch):
    monkeypatch.setattr(greenlets, "find_spec", lambda name: None)
    assert RACERS["gevent"]().available() == "needs gevent: pip install 'primerace[gevent]'"
