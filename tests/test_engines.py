"""The contract of the racers that hand the job to an engine: that of all racers, and to survive deaths.

What is special to one engine has a file of its own.
"""

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import functions
import pytest
from engines import ANY_FUNCTION, BY_JSON, CASES, DEADLINE, PROCESSES, no_files_left, racer, runners
from functions import MEGABYTE
from outcomes import answers
from watching import descendants, gone, interrupt, nothing_left, start

from primerace import kernels
from primerace.job import QUICK
from primerace.racers import FunctionError, RacerError, WorkerDied

every_engine = pytest.mark.parametrize("case", runners(list(CASES)), scope="module")
every_function_engine = pytest.mark.parametrize("case", runners(ANY_FUNCTION), scope="module")
every_json_engine = pytest.mark.parametrize("case", runners(BY_JSON), scope="module")
every_process_engine = pytest.mark.parametrize("case", runners(PROCESSES))


@pytest.fixture(scope="module", autouse=True)
def folder_of_pytest(tmp_path_factory):
    """It must be there before temporary files have a folder of their own."""
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module")
def crew(case):
    """A crew of two that many tests share: that it takes run after run is part of the contract."""
    with nothing_left(), no_files_left(), racer(case).start(2) as crew:
        yield crew


@pytest.fixture
def alone():
    """For tests that start crews of their own."""
    with nothing_left(), no_files_left():
        yield


@every_engine
@pytest.mark.parametrize("kernel", ["held", "released"])
def test_answers_of_the_kernels(crew, kernel):
    assert answers(crew.run(kernels.KERNELS[kernel], list(QUICK))) == list(QUICK.values())


@every_engine
def test_empty_job(crew):
    assert answers(crew.run(kernels.held, [])) == []


@every_engine
def test_one_item(crew):
    assert answers(crew.run(kernels.held, [7])) == [True]


@every_engine
def test_times_of_kernels(crew):
    """The longest item of the sample takes longer than the shortest, in wall and processor time."""
    begin = time.perf_counter()
    outcomes = list(crew.run(kernels.held, [3, 2**41 - 21]))
    wall = time.perf_counter() - begin
    short, long = sorted(outcomes, key=lambda outcome: outcome.index)
    assert 0 < short.seconds < long.seconds < wall
    assert 0 <= short.cpu_seconds < long.cpu_seconds
    for outcome in outcomes:
        assert outcome.worker in (0, 1)
        assert 0 <= outcome.started < outcome.started + outcome.seconds <= wall


@every_function_engine
class TestAnswers:
    def test_of_every_item(self, crew):
        assert answers(crew.run(functions.square, range(100))) == [n * n for n in range(100)]

    def test_in_any_order_of_the_items(self, crew):
        items = list(range(50))
        assert answers(crew.run(functions.square, items[::-1])) == [n * n for n in items[::-1]]
        assert answers(crew.run(functions.square, items[25:] + items[:25])) == [
            n * n for n in items[25:] + items[:25]
        ]

    @pytest.mark.parametrize("item", [None, 0, "", False, float("inf"), "ä\n\0\ud800", [[]], {"key": [1]}])
    def test_of_items_that_look_like_nothing(self, crew, item):
        assert answers(crew.run(repr, [item] * 3)) == [repr(item)] * 3
        assert answers(crew.run(functions.same, [item])) == [item]

    def test_of_big_items_and_big_answers(self, crew):
        items = [letter * (4 * MEGABYTE) for letter in "abcd"]
        assert answers(crew.run(functions.same, items)) == items

    def test_many_tiny_items(self, crew):
        items = range(300 if crew.racer == "rq" else 2000)  # RQ takes milliseconds for each
        assert answers(crew.run(functions.square, items)) == [n * n for n in items]

    def test_report_times_and_workers(self, crew):
        begin = time.perf_counter()
        outcomes = list(crew.run(functions.nap, [0.05] * 6))
        wall = time.perf_counter() - begin
        assert {outcome.worker for outcome in outcomes} == {0, 1}
        for outcome in outcomes:
            assert 0.049 < outcome.seconds < wall
            assert 0 <= outcome.cpu_seconds < outcome.seconds
            assert 0 <= outcome.started < wall

    def test_arrive_as_they_complete(self, crew):
        """The first answer is there long before the last item is done."""
        list(crew.run(functions.nap, [0]))
        begin = time.perf_counter()
        run = crew.run(functions.nap, [0.01, 1.5, 1.5])
        assert next(run).index == 0
        assert time.perf_counter() - begin < 1
        assert len(list(run)) == 2

    def test_worked_outside(self, crew):
        assert os.getpid() not in answers(crew.run(functions.process_id, range(8)))


@every_json_engine
class TestMessages:
    def test_function_that_cannot_travel(self, crew):
        with pytest.raises(RacerError, match=rf"^{crew.racer}: the function .*lambda.* can't be sent"):
            list(crew.run(lambda n: n, [1]))

    @pytest.mark.parametrize(
        "item",
        [functions.unpicklable(0), {1, 2}, (1, 2), {1: 2}],
        ids=lambda item: type(item).__name__,
    )
    def test_item_that_cannot_travel(self, crew, item):
        """JSON would refuse or change it."""
        with pytest.raises(RacerError, match=rf"^{crew.racer}: item 1 \(.*\) can't be sent"):
            list(crew.run(functions.square, [1, item]))

    def test_and_the_crew_goes_on(self, crew):
        """Nothing was started by what could not travel."""
        assert answers(crew.run(functions.square, [7])) == [49]


@every_function_engine
def test_function_that_raises(alone, case):
    with racer(case).start(2) as crew, pytest.raises(FunctionError) as caught:
        list(crew.run(functions.refuse_thirteen, [1, 2, 13, 4]))
    message = f"{crew.racer}: item 2 (13) raised ValueError: thirteen is not welcome"
    assert str(caught.value).startswith(message)
    assert "refuse_thirteen" in caught.value.__notes__[0]


@every_json_engine
def test_answer_that_cannot_travel(alone, case):
    with racer(case).start(1) as crew, pytest.raises(FunctionError, match=r"item 0 \(1\) raised .*set"):
        list(crew.run(functions.a_set, [1]))


@every_engine
def test_leaving_early_ends_every_worker(alone, case):
    begin = time.perf_counter()
    with racer(case).start(2) as crew:
        run = crew.run(kernels.held, [7] + [2**61 - 1] * 100)
        assert next(run).answer is True
    assert time.perf_counter() - begin < DEADLINE + 10


@every_engine
def test_exception_inside_the_block_ends_every_worker(alone, case):
    def fail():
        with racer(case).start(2):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


@every_function_engine
def test_two_crews_at_once(alone, case):
    with racer(case).start(2) as one, racer(case).start(2) as other:
        runs = one.run(functions.nap, [0.02] * 5), other.run(functions.square, range(5))
        pairs = list(zip(*runs, strict=True))
    assert answers(first for first, _ in pairs) == [0.02] * 5
    assert answers(second for _, second in pairs) == [0, 1, 4, 9, 16]


@every_process_engine
def test_worker_killed_in_mid_job_loses_nothing(alone, case):
    naps = [0.02] * 10 + [0.3] * 10
    with racer(case).start(2) as crew:
        run = crew.run(functions.nap, naps)
        outcomes = [next(run)]
        os.kill(crew.pids()[0], signal.SIGKILL)
        outcomes += run
        assert answers(outcomes) == naps
        assert answers(crew.run(functions.square, [7, 8])) == [49, 64]


@every_process_engine
def test_item_that_kills_its_worker_once(alone, case, tmp_path):
    items = [str(tmp_path / name) for name in "abc"]
    with racer(case).start(2) as crew:
        assert answers(crew.run(functions.die_at_first, items)) == items


@every_process_engine
def test_item_that_kills_its_worker_every_time(alone, case):
    with racer(case).start(2) as crew, pytest.raises(RacerError, match=r"item 1 \('SIGKILL'\)") as caught:
        list(crew.run(functions.die, ["a", "SIGKILL", "b"]))
    assert str(caught.value).startswith(f"{crew.racer}: ")
    assert not isinstance(caught.value, FunctionError)
    assert not isinstance(caught.value, WorkerDied) or caught.value.in_flight == [1]


PARENT = """
import sys
sys.path.insert(0, {tests!r})
from engines import racer
from primerace import kernels

if __name__ == "__main__":
    with racer({case!r}).start(2) as crew:
        print("ready", *crew.pids(), flush=True)
        list(crew.run(kernels.held, [2**64 - 59] * 3))
"""


@every_engine
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGKILL"])
def test_everything_goes_with_its_parent(alone, case, how, tmp_path):
    """Also workers in calls that hold the GIL, and that would last for longer than this test may."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=os.path.dirname(__file__), case=case))
    parent = start(str(script))
    ready, *pids = parent.stdout.readline().split()
    assert ready == "ready"
    assert pids
    everybody = descendants(parent.pid)
    assert {int(pid) for pid in pids} <= {each.pid for each in everybody}
    time.sleep(0.2)
    if how == "Ctrl-C":
        interrupt(parent)
    else:
        parent.send_signal(signal.Signals[how])
    _, errors = parent.communicate(timeout=30)
    assert gone(everybody, DEADLINE)
    if how != "Ctrl-C":  # Python's own forkserver leaves its socket where its program is killed
        for folder in Path(tempfile.gettempdir()).glob("pymp-*"):
            shutil.rmtree(folder)
    assert ("KeyboardInterrupt" in errors) == (how == "Ctrl-C")
