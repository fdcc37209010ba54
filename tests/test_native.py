"""The racer of OpenMP: the contract of racers.base as far as it can take it, and what only OpenMP brings."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import functions
import numpy as np
import psutil
import pytest
from outcomes import answers
from primes import MIDDLE_PRIMES
from watching import eventually, interrupt, start

from primerace import kernels
from primerace.job import BOOK, QUICK
from primerace.racers import RACERS, FunctionError, RacerError
from primerace.racers import native as module
from primerace.racers.base import do_nothing
from primerace.racers.native import Native

REASON = Native().available()
needs_openmp = pytest.mark.skipif(REASON is not None, reason=f"native: {REASON}")
IN_C = ("released", "fast")
LONG_CALL = 2**64 - 59  # seconds of trial division
MEDIUM = 5_000_111_000_222_021  # a prime: 0.07 s
ODDITIES = [-7, -1, 0, 1, 2, 3, 4, True, np.uint8(5), np.int64(-5), 9, 2**32 + 15, 2**31]


@contextmanager
def crew_of(workers):
    with Native().start(workers) as crew:
        yield crew


@pytest.fixture(scope="module")
def crew():
    with crew_of(2) as crew:
        yield crew


@needs_openmp
class TestAnswers:
    @pytest.mark.parametrize("kernel", IN_C)
    def test_of_every_item_in_any_order(self, crew, kernel):
        run = kernels.KERNELS[kernel]
        items = list(QUICK)
        assert answers(crew.run(run, items)) == list(QUICK.values())
        assert answers(crew.run(run, items[::-1])) == list(QUICK.values())[::-1]

    @pytest.mark.parametrize("kernel", IN_C)
    def test_are_those_of_the_kernel(self, crew, kernel):
        run = kernels.KERNELS[kernel]
        squares = [p * p for p in MIDDLE_PRIMES[:5]]
        items = [*range(-20, 1000), *ODDITIES, *MIDDLE_PRIMES[:5], *squares, 2**64 - 1, 3 * (2**61 - 1)]
        assert answers(crew.run(run, items)) == [run(item) for item in items]

    def test_up_to_the_last_word(self, crew):
        items = [2**64 - 59, 2**64 - 57, 2**63, *BOOK]
        assert answers(crew.run(kernels.fast, items)) == [True, False, False, *BOOK.values()]

    @pytest.mark.parametrize("kernel", IN_C)
    def test_are_bools(self, crew, kernel):
        assert all(type(answer) is bool for answer in answers(crew.run(kernels.KERNELS[kernel], [7, 9])))

    def test_of_an_empty_job_and_of_one_item(self, crew):
        assert answers(crew.run(kernels.released, [])) == []
        assert answers(crew.run(kernels.released, [7])) == [True]

    def test_of_many_tiny_items(self, crew):
        items = list(range(20_000))
        assert sum(answers(crew.run(kernels.fast, items))) == 2262

    def test_of_nothing(self, crew):
        assert answers(crew.run(do_nothing, list(QUICK))) == [None] * len(QUICK)


@needs_openmp
@pytest.mark.parametrize("workers", [1, 3, 50])
def test_any_number_of_workers(workers):
    with crew_of(workers) as crew:
        outcomes = list(crew.run(kernels.released, [7, 9, *QUICK]))
    assert answers(outcomes) == [True, False, *QUICK.values()]
    assert {outcome.worker for outcome in outcomes} <= set(range(workers))


@needs_openmp
def test_outcomes_tell_times_and_workers(crew):
    begin = time.perf_counter()
    outcomes = list(crew.run(kernels.released, [MEDIUM] * 4 + [9]))
    wall = time.perf_counter() - begin
    ends = [outcome.started + outcome.seconds for outcome in outcomes]
    assert ends == sorted(ends)  # in the order of completion
    assert min(outcome.started for outcome in outcomes) >= 0
    assert max(ends) <= wall
    for outcome in outcomes:
        assert outcome.worker in (0, 1)
        assert 0 < outcome.cpu_seconds <= outcome.seconds * 1.5 + 1e-5
    long = [outcome for outcome in outcomes if outcome.index < 4]
    short = next(outcome for outcome in outcomes if outcome.index == 4)
    assert short.seconds < min(outcome.seconds for outcome in long)


@needs_openmp
def test_work_is_shared(crew):
    def workers():
        return {outcome.worker for outcome in crew.run(kernels.released, [MEDIUM] * 4)}

    assert eventually(lambda: workers() == {0, 1})


@needs_openmp
def test_the_gil_is_free_meanwhile(crew):
    """With a switch interval of 100 s another thread runs only where the GIL is released."""
    beats, over = 0, threading.Event()

    def beat():
        nonlocal beats
        while not over.wait(0.001):
            beats += 1

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=beat)
    sys.setswitchinterval(100)
    try:
        thread.start()
        before = beats
        list(crew.run(kernels.released, [MEDIUM] * 4))
        during = beats - before
    finally:
        over.set()
        sys.setswitchinterval(interval)
        thread.join()
    assert during > 0


@needs_openmp
def test_crews_leave_no_thread():
    before = psutil.Process().num_threads()
    with crew_of(2) as one, crew_of(3) as other:
        assert answers(one.run(kernels.released, [7, 9])) == [True, False]
        assert answers(other.run(kernels.fast, [9, 7])) == [False, True]
        assert psutil.Process().num_threads() >= before + 3
    assert eventually(lambda: psutil.Process().num_threads() <= before)


@needs_openmp
def test_closing_gives_up_what_runs():
    begin = time.perf_counter()
    with crew_of(2) as crew:
        threading.Timer(0.2, crew.close).start()
        with pytest.raises(RacerError, match="native: the run was given up"):
            list(crew.run(kernels.released, [LONG_CALL] * 20))
    assert time.perf_counter() - begin < 10  # of two minutes


@needs_openmp
class TestErrors:
    def test_function_that_is_no_kernel(self, crew):
        message = "native: only the kernels released and fast run natively, not square"
        with pytest.raises(RacerError, match=message):
            list(crew.run(functions.square, [7]))

    @pytest.mark.parametrize("kernel", IN_C)
    @pytest.mark.parametrize("item", [2.5, "7", None])
    def test_item_that_is_no_integer(self, crew, kernel, item):
        run = kernels.KERNELS[kernel]
        with pytest.raises(TypeError) as told:
            run(item)
        with pytest.raises(FunctionError) as caught:
            list(crew.run(run, [2, item]))
        assert str(caught.value).startswith(f"native: item 1 ({item!r}) raised TypeError: {told.value}")

    def test_item_that_is_too_big_for_released(self, crew):
        with pytest.raises(
            FunctionError, match=r"native: item 1 \(18446744073709551616\) raised OverflowError"
        ):
            list(crew.run(kernels.released, [LONG_CALL, 2**64]))

    def test_item_that_is_too_big_for_memory(self, crew):
        message = r"native: item 0 \(18446744073709551629\) is no integer of at most 64 bits"
        with pytest.raises(RacerError, match=message):
            list(crew.run(kernels.fast, [2**64 + 13, 7]))

    def test_array_is_no_item(self, crew):
        with pytest.raises(RacerError, match=r"native: item 0 \(\[2, 3\]\) is no integer of at most 64 bits"):
            list(crew.run(kernels.fast, [[2, 3]]))

    def test_and_the_crew_goes_on(self, crew):
        assert answers(crew.run(kernels.released, [7])) == [True]


def run_script(code, tmp_path):
    """The lines that a script prints; it must not hang."""
    script = tmp_path / "script.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


CHILD = """
import multiprocessing
from primerace import kernels
from primerace.racers import RACERS, RacerError

def numbers():
    with RACERS["native"]().start(2) as crew:
        return sorted(outcome.index for outcome in crew.run(kernels.released, [7, 9, 11]))

def child():
    print("reason", RACERS["native"]().available(), flush=True)
    try:
        print("answered", numbers(), flush=True)
    except RacerError as error:
        print("refused", error, flush=True)

if __name__ == "__main__":
    for used in {uses}:
        if used:
            numbers()
        process = multiprocessing.get_context({method!r}).Process(target=child)
        process.start()
        process.join(30)
        print("exit", process.exitcode, flush=True)
        process.kill()
"""


@needs_openmp
class TestFork:
    def test_child_forked_after_its_parent_used_openmp_refuses(self, tmp_path):
        lines = run_script(CHILD.format(uses=[True], method="fork"), tmp_path)
        assert lines == [
            f"reason {module.FORKED}",
            f"refused native: {module.FORKED}",
            "exit 0",
        ]

    def test_child_forked_before_may_use_it(self, tmp_path):
        lines = run_script(CHILD.format(uses=[False], method="fork"), tmp_path)
        assert lines == ["reason None", "answered [0, 1, 2]", "exit 0"]

    @pytest.mark.parametrize("method", ["spawn", "forkserver"])
    def test_other_start_methods_are_fine(self, tmp_path, method):
        lines = run_script(CHILD.format(uses=[True], method=method), tmp_path)
        assert lines == ["reason None", "answered [0, 1, 2]", "exit 0"]

    def test_processes_race_beside_it(self, crew):
        """The children of the other racers are forked after OpenMP was used; they never enter it."""
        assert answers(crew.run(kernels.released, [7])) == [True]
        with RACERS["processes"]("fork").start(2) as processes:
            assert answers(processes.run(kernels.released, [7, 9])) == [True, False]


INTERRUPTED = f"""
from primerace import kernels
from primerace.racers import RACERS
with RACERS["native"]().start(2) as crew:
    print("ready", flush=True)
    list(crew.run(kernels.released, [{LONG_CALL}] * 20))
"""


@needs_openmp
def test_ctrl_c_ends_everything(tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    process = start(str(script))
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    begin = time.perf_counter()
    interrupt(process)
    _, errors = process.communicate(timeout=30)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode != 0
    assert time.perf_counter() - begin < 10  # of two minutes


TEAM = """
from primerace.racers import RACERS, RacerError
try:
    with RACERS["native"]().start(8):
        print("started")
except RacerError as error:
    print(error)
"""


@needs_openmp
@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("OMP_THREAD_LIMIT", "3", "native: OpenMP gives only 3 of 8 threads (OMP_THREAD_LIMIT?)"),
        ("OMP_DYNAMIC", "true", "started"),
        ("OMP_NUM_THREADS", "1", "started"),
    ],
)
def test_no_fewer_threads_than_workers(tmp_path, monkeypatch, setting, value, line):
    monkeypatch.setenv(setting, value)
    assert run_script(TEAM, tmp_path) == [line]


def test_build_without_openmp_is_a_reason(monkeypatch):
    monkeypatch.setattr("primerace._native.has_openmp", lambda: False)
    assert Native().available() == "built without OpenMP"
    with pytest.raises(RacerError, match="native: built without OpenMP"):
        Native().start(2)


def test_module_that_cannot_be_loaded_is_a_reason(monkeypatch):
    module._load.cache_clear()
    monkeypatch.setitem(sys.modules, "primerace._native", None)
    assert Native().available().startswith("OpenMP can't be loaded: ")


@pytest.mark.parametrize("policy", [None, "active"])
def test_loading_leaves_the_environment_alone(monkeypatch, policy):
    if policy:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    else:
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    module._load.cache_clear()
    Native().available()
    assert os.environ.get("OMP_WAIT_POLICY") == policy


class TestModule:
    """What `_native.run` refuses: it writes to memory that it is given."""

    def arguments(self, kernel="fast", count=3, workers=2, stop=1, other=3):
        times = [np.zeros(other) for _ in range(3)]
        words = np.zeros(count, np.uint64)
        flag, places = np.zeros(stop, np.uint8), np.zeros(other, np.int32)
        return kernel, words, workers, flag, np.zeros(other, np.uint8), *times, places

    def test_unknown_kernel(self):
        from primerace import _native

        with pytest.raises(KeyError, match="slow"):
            _native.run(*self.arguments("slow"))

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"other": 2}, "all arrays have as many"),
            ({"other": 4}, "all arrays have as many"),
            ({"workers": 0}, "at least one worker, not 0"),
            ({"stop": 0}, "stop is empty"),
        ],
    )
    def test_what_does_not_fit(self, wrong, message):
        from primerace import _native

        with pytest.raises(ValueError, match=message):
            _native.run(*self.arguments(**wrong))

    def test_team(self):
        from primerace import _native

        assert _native.team(5) == (5 if _native.has_openmp() else 1)
        with pytest.raises(ValueError, match="at least one worker"):
            _native.team(0)

    def test_raised_flag_leaves_everything(self):
        from primerace import _native

        arguments = self.arguments()
        arguments[1][:] = 7
        arguments[3][0] = 1
        _native.run(*arguments)
        assert not arguments[4].any()
        arguments[3][0] = 0
        _native.run(*arguments)
        assert arguments[4].tolist() == [1, 1, 1]
