"""What is special to joblib: loky's workers, which joblib would keep, and what only they can do."""

import os
import tempfile
from importlib import metadata
from pathlib import Path

import functions
import numpy as np
import psutil
import pytest
from watching import alive, gone, start

from primerace.racers import RACERS, RacerError, WorkerDied
from primerace.racers.joblib import Ties, arrive

joblib = pytest.importorskip("joblib")
REASON = RACERS["joblib"]().available()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"joblib: {REASON}")

SCRIPT = """
from primerace.racers import RACERS

def double(n):
    return 2 * n

if __name__ == "__main__":
    for _ in range(2):
        with RACERS["joblib"]().start(2) as crew:
            print(sorted(outcome.answer for outcome in crew.run(double, [1, 2, 3])))
"""


@pytest.fixture(scope="module")
def crew():
    with RACERS["joblib"]().start(2) as crew:
        yield crew


def test_lambdas_travel(crew):
    """loky pickles with cloudpickle, which sends what has no name as code."""
    assert sorted(outcome.answer for outcome in crew.run(lambda n: n + 1, [1, 2])) == [2, 3]


def test_what_even_cloudpickle_can_not_send_is_named(crew):
    with pytest.raises(
        RacerError, match=r"joblib: item 1 \(.*\) can't be sent to another process: .*generator"
    ):
        list(crew.run(functions.square, [1, (each for each in "generator")]))
    assert [outcome.answer for outcome in crew.run(functions.square, [7])] == [49]


def test_big_arrays_travel(crew):
    """joblib lets workers map arrays of more than a megabyte from a file."""
    items = [np.full(1 << 18, n) for n in range(4)]
    assert sorted(outcome.answer for outcome in crew.run(np.sum, items)) == [n << 18 for n in range(4)]


def test_workers_are_warm_and_the_same_in_every_run(crew):
    pids = {outcome.answer for outcome in crew.run(functions.process_id_after_a_nap, [0.02] * 8)}
    assert pids == set(crew.pids())
    assert os.getpid() not in pids


def test_one_worker_is_the_caller():
    with RACERS["joblib"]().start(1) as crew:
        assert [outcome.answer for outcome in crew.run(functions.process_id, [0])] == [os.getpid()]


def test_nothing_is_kept():
    """Neither workers, which joblib keeps for the next call, nor folders and files of big arrays."""
    with RACERS["joblib"]().start(2) as crew:
        next(crew.run(np.sum, [np.ones(1 << 18)] * 20))
        workers = [psutil.Process(pid) for pid in crew.pids()]
        assert all(map(alive, workers))
    assert gone(workers)
    assert _folders(os.getpid()) == []


def _folders(pid):
    return [
        path
        for folder in (tempfile.gettempdir(), "/dev/shm")
        for path in Path(folder).glob(f"joblib_memmapping_folder_{pid}_*")
    ]


def test_worker_that_dies_leaves_a_fresh_start():
    """The executor is one for the whole process: that it broke must not reach the next crew."""
    with RACERS["joblib"]().start(2) as crew, pytest.raises(WorkerDied):
        list(crew.run(functions.die, ["exit 3"]))
    with RACERS["joblib"]().start(2) as crew:
        assert [outcome.answer for outcome in crew.run(functions.square, [7])] == [49]


def test_items_in_flight_are_those_in_hand():
    """Not those that joblib has handed out ahead of the workers."""
    with RACERS["joblib"]().start(2) as crew, pytest.raises(WorkerDied) as caught:
        list(crew.run(functions.die, ["a", "SIGKILL", *"bcdefgh"]))
    assert 1 in caught.value.in_flight
    assert len(caught.value.in_flight) <= 2


def test_function_of_a_script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    process = start("-W", "error", str(path))
    output, errors = process.communicate(timeout=60)
    assert (output, errors) == ("[2, 4, 6]\n" * 2, "")
    assert _folders(process.pid) == []


def test_is_missing_with_a_reason(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert RACERS["joblib"]().available() == "needs joblib: pip install 'primerace[joblib]'"


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("1.3.2", "needs joblib 1.4 or newer, not 1.3.2"),
        ("1.4.0", None),
        ("1.10.dev0", None),
        ("2.0", None),
    ],
)
def test_old_version_is_a_reason(monkeypatch, version, reason):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    assert RACERS["joblib"]().available() == reason


FORBIDDEN = """
import signal
from primerace.racers import RACERS, RacerError

before = signal.getsignal(signal.SIGINT)
try:
    RACERS["joblib"]().start(2)
except RacerError as error:
    print(error)
print(signal.getsignal(signal.SIGINT) is before)
with RACERS["joblib"]().start(1) as crew:
    print([outcome.answer for outcome in crew.run(abs, [-7])])
"""


def test_caller_is_never_taken_for_a_worker(tmp_path, monkeypatch):
    """joblib then runs the calls in its caller, who would settle in as a worker, and lose Ctrl-C."""
    monkeypatch.setenv("JOBLIB_MULTIPROCESSING", "0")
    path = tmp_path / "script.py"
    path.write_text(FORBIDDEN)
    output, errors = start(str(path)).communicate(timeout=60)
    reason = "joblib: joblib runs no processes here (JOBLIB_MULTIPROCESSING=0?)"
    assert (output.splitlines(), errors) == ([reason, "True", "[7]"], "")
    with pytest.raises(RacerError, match="a call of a worker came to its parent"):
        arrive(Ties(os.getpid(), -1, -1))


@pytest.mark.parametrize("backend", ["threading", "sequential"])
def test_backend_of_the_caller_is_left_alone(backend):
    with joblib.parallel_config(backend=backend), RACERS["joblib"]().start(2) as crew:
        assert all(outcome.answer for outcome in crew.run(functions.is_child, range(4)))
