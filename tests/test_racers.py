"""The contract of the racers, the same for every one of them that can run here, with every start method."""

import itertools
import multiprocessing
import os
import signal
import threading
import time
from importlib.util import find_spec

import engines
import functions
import psutil
import pytest
from functions import MEGABYTE
from outcomes import answers
from watching import descendants, gone, start

from primerace import kernels
from primerace.children import start_methods
from primerace.cli import Terminated
from primerace.job import QUICK
from primerace.racers import RACERS, FunctionError, RacerError, WorkerDied

pytestmark = pytest.mark.usefixtures("no_leftovers")

METHODS = start_methods()
OF_PROCESSES = ("processes", "process-pool")  # with every start method
# The children of these behave like those of the first two; joblib has a start method of its own.
OTHERS = [
    ("asyncio-processes", METHODS[0]),
    ("gevent", METHODS[0]),
    ("joblib", None),
]
IN_PROCESSES = [*itertools.product(OF_PROCESSES, METHODS), *OTHERS]
IN_PROCESS = [
    ("sequential", None),
    ("threads", None),
    ("thread-pool", None),
    ("asyncio", None),
    ("asyncio-nap", None),
    ("asyncio-threads", None),
    ("interpreters", None),
]
DEADLINE = 5.0  # seconds within which a death must be told


def here(pairs):
    return [(name, method) for name, method in pairs if RACERS[name](method).available() is None]


def runners(pairs):
    return [
        pytest.param(RACERS[name](method), id=f"{name}-{method}" if method else name)
        for name, method in here(pairs)
    ]


# Where the start method hardly matters, forkserver goes without saying: it saves the tests' time.
FEW = [*itertools.product(OF_PROCESSES, [each for each in METHODS if each != "forkserver"]), *OTHERS]
ONE_EACH = [*itertools.product(OF_PROCESSES, METHODS[:1]), *OTHERS]
every_racer = pytest.mark.parametrize("racer", runners(IN_PROCESS + IN_PROCESSES), scope="module")
some_racers = pytest.mark.parametrize("racer", runners(IN_PROCESS + FEW), scope="module")
some_process_racers = pytest.mark.parametrize("racer", runners(FEW), scope="module")
every_process_racer = pytest.mark.parametrize("racer", runners(IN_PROCESSES), scope="module")
every_pickling_racer = pytest.mark.parametrize(
    "racer",
    runners([("interpreters", None), *(pair for pair in IN_PROCESSES if pair[0] != "joblib")]),
    scope="module",
)
every_worker_racer = pytest.mark.parametrize(
    "racer", runners([pair for pair in IN_PROCESS if pair[0] != "sequential"] + IN_PROCESSES), scope="module"
)


@pytest.fixture(scope="module")
def crew(racer):
    """A crew of two that many tests share: that it takes run after run is part of the contract."""
    with racer.start(2) as crew:
        yield crew


@every_racer
class TestAnswers:
    def test_of_every_item(self, crew):
        assert answers(crew.run(functions.square, range(100))) == [n * n for n in range(100)]

    @pytest.mark.parametrize("kernel", ["held", "released"])
    def test_of_the_kernels(self, crew, kernel):
        assert answers(crew.run(kernels.KERNELS[kernel], list(QUICK))) == list(QUICK.values())

    def test_in_any_order_of_the_items(self, crew):
        items = list(range(50))
        assert answers(crew.run(functions.square, items[::-1])) == [n * n for n in items[::-1]]
        assert answers(crew.run(functions.square, items[25:] + items[:25])) == [
            n * n for n in items[25:] + items[:25]
        ]

    def test_of_an_empty_job(self, crew):
        assert answers(crew.run(functions.square, [])) == []

    def test_of_one_item(self, crew):
        assert answers(crew.run(functions.square, [7])) == [49]

    @pytest.mark.parametrize("item", [None, 0, "", False, (), float("inf"), {"key": [1]}])
    def test_of_items_that_look_like_nothing(self, crew, item):
        assert answers(crew.run(repr, [item] * 3)) == [repr(item)] * 3

    def test_of_big_items_and_big_answers(self, crew):
        items = [bytes([n]) * (4 * MEGABYTE) for n in range(6)]
        assert answers(crew.run(functions.length, items)) == [4 * MEGABYTE] * 6
        sizes = [4, 1, 3, 5, 2, 4]
        assert [len(answer) for answer in answers(crew.run(functions.megabytes, sizes))] == [
            size * MEGABYTE for size in sizes
        ]

    def test_report_times_and_workers(self, crew):
        begin = time.perf_counter()
        outcomes = list(crew.run(functions.nap, [0.02] * 4))
        wall = time.perf_counter() - begin
        assert {outcome.worker for outcome in outcomes} <= {0, 1}
        for outcome in outcomes:
            assert 0.019 < outcome.seconds < wall
            assert 0 <= outcome.cpu_seconds < outcome.seconds
            assert 0 <= outcome.started < wall

    def test_arrive_as_they_complete(self, crew):
        """The first answer is there long before the last item is done."""
        begin = time.perf_counter()
        run = crew.run(functions.nap, [0.01, 0.3, 0.3])
        assert next(run).index == 0
        assert time.perf_counter() - begin < 0.25
        assert len(list(run)) == 2


@pytest.mark.parametrize("racer", runners(IN_PROCESS + ONE_EACH))
def test_many_tiny_items(racer):
    with racer.start(2) as crew:
        assert answers(crew.run(functions.square, range(10_000))) == [n * n for n in range(10_000)]


@some_racers
def test_more_workers_than_items(racer):
    with racer.start(4) as crew:
        assert answers(crew.run(functions.square, [7, 8])) == [49, 64]


@every_worker_racer
def test_work_is_shared(racer):
    """Every worker has its hands full where items last."""
    with racer.start(3) as crew:
        outcomes = list(crew.run(functions.nap, [0.05] * 6))
    assert {outcome.worker for outcome in outcomes} == {0, 1, 2}


@every_worker_racer
def test_slow_worker_and_empty_queue_lose_nothing(racer):
    """The textbook's earlier version stopped collecting when the job queue was empty: results were lost.

    Here the queue is empty at once, while both workers are busy for long.
    """
    with racer.start(2) as crew:
        for naps in ([0.2, 0.15], [0.01, 0.01, 0.2], [0.2, 0.01, 0.01]):
            assert answers(crew.run(functions.nap, naps)) == naps


@every_process_racer
def test_processes_work_outside(racer):
    with racer.start(2) as crew:
        assert all(answers(crew.run(functions.is_child, range(4))))


@pytest.mark.parametrize(
    "racer", runners([("sequential", None), ("threads", None), ("asyncio", None), *ONE_EACH])
)
def test_function_that_forks_answers_once(racer):
    items = ["return", "leave", "raise"]
    with racer.start(2) as crew:
        assert answers(crew.run(functions.fork, items)) == items


@some_racers
def test_function_that_raises(racer):
    with racer.start(2) as crew, pytest.raises(FunctionError) as caught:
        list(crew.run(functions.refuse_thirteen, [1, 2, 13, 4]))
    message = str(caught.value)
    assert message.startswith(f"{racer.name}: item 2 (13) raised ValueError: thirteen is not welcome")
    assert "refuse_thirteen" in caught.value.__notes__[0]


@every_worker_racer
@pytest.mark.parametrize("function", [functions.leave, functions.interrupt], ids=["exit", "interrupt"])
def test_function_that_raises_more_than_exceptions(racer, function):
    """A worker survives SystemExit and KeyboardInterrupt of the function, and says which it was."""
    message = r"item 0 \(7\) raised (SystemExit: 7|KeyboardInterrupt)"
    with racer.start(2) as crew, pytest.raises(FunctionError, match=message):
        list(crew.run(function, [7]))


@pytest.mark.parametrize("name", ["sequential", "joblib"])
def test_what_ends_the_program_passes_in_the_callers_own_thread(name):
    """Ctrl-C and SIGTERM do; the function's own sys.exit is a failure, as in a worker."""
    if RACERS[name]().available():
        pytest.skip(f"{name} {RACERS[name]().available()}")
    with RACERS[name]().start(1) as crew:
        for function, passing in ((functions.interrupt, KeyboardInterrupt), (terminate, Terminated)):
            with pytest.raises(passing):
                list(crew.run(function, [7]))
        for function, told in ((functions.leave, "SystemExit: 7"), (functions.be_odd, "functions.Odd: 7")):
            with pytest.raises(FunctionError, match=rf"item 0 \(7\) raised {told} \("):
                list(crew.run(function, [7]))


def terminate(number):
    raise Terminated(number)


@every_racer
def test_leaving_early_ends_every_worker(racer):
    threads, begin = set(threading.enumerate()), time.perf_counter()
    with racer.start(2) as crew:
        run = crew.run(functions.nap, [0.01] + [0.2] * 100)
        assert next(run).answer == 0.01
    assert time.perf_counter() - begin < 10
    assert not [each for each in threading.enumerate() if each not in threads and racer.name in each.name]


@some_racers
def test_exception_inside_the_block_ends_every_worker(racer):
    before = descendants()

    def fail():
        with racer.start(2) as crew:
            next(crew.run(functions.nap, [0.01] + [0.2] * 100))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gone(each for each in descendants() if each not in before)


@some_racers
def test_crew_that_never_ran_ends(racer):
    with racer.start(2):
        pass


@some_racers
def test_two_crews_at_once(racer):
    with racer.start(2) as one, racer.start(2) as other:
        runs = one.run(functions.nap, [0.02] * 5), other.run(functions.square, range(5))
        pairs = list(zip(*runs, strict=True))
        assert answers(first for first, _ in pairs) == [0.02] * 5
        assert answers(second for _, second in pairs) == [0, 1, 4, 9, 16]


@every_pickling_racer
class TestPickle:
    def test_function_that_cannot_travel(self, crew):
        with pytest.raises(RacerError, match=rf"{crew.racer}: the function .*lambda.* can't be sent"):
            list(crew.run(lambda n: n, [1]))

    def test_item_that_cannot_travel(self, crew):
        with pytest.raises(RacerError, match=rf"{crew.racer}: item 1 \(<.*lambda.*\) can't be sent"):
            list(crew.run(functions.square, [1, lambda: None]))

    def test_and_the_crew_goes_on(self, crew):
        """Nothing was started by what could not travel."""
        assert answers(crew.run(functions.square, [7])) == [49]


@pytest.mark.parametrize("racer", runners([("interpreters", None), *FEW]))
def test_answer_that_cannot_travel(racer):
    with (
        racer.start(2) as crew,
        pytest.raises(FunctionError, match=r"item 0 \(1\) raised .*pickle.*generator"),
    ):
        list(crew.run(functions.unpicklable, [1]))


@pytest.mark.parametrize("racer", runners([("interpreters", None), *FEW]))
def test_answer_that_cannot_be_read(racer):
    message = rf"{racer.name}: an answer can't be unpickled: .*can't be read"
    with racer.start(2) as crew, pytest.raises(RacerError, match=message):
        list(crew.run(functions.unreadable, [1]))


# The death of one worker looks like that of the others, whom the executor ends.
UNCERTAIN = {("process-pool", "SIGTERM"), ("asyncio-processes", "SIGTERM"), ("joblib", "SIGKILL")}


@every_process_racer
@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("SIGKILL", "killed by SIGKILL"),
        ("SIGTERM", "killed by SIGTERM"),
        ("exit 0", "exit status 0"),
        ("exit 3", "exit status 3"),
    ],
)
def test_worker_that_dies_in_mid_job(racer, how, status):
    before = descendants()
    begin = time.perf_counter()
    with racer.start(3) as crew, pytest.raises(WorkerDied) as caught:
        list(crew.run(functions.die, ["a", "b", "c", how, *"defghij"]))
    assert time.perf_counter() - begin < DEADLINE
    message = str(caught.value)
    assert message.startswith(f"{racer.name}: ")
    assert status in message
    assert f"item 3 ({how!r})" in message
    assert 3 in caught.value.in_flight
    if (racer.name, how) not in UNCERTAIN and racer.name != "gevent":  # whose greenlets die together
        assert caught.value.in_flight == [3]
    assert gone((each for each in descendants() if each not in before), DEADLINE)


@pytest.mark.parametrize("racer", runners([pair for pair in FEW if pair[0] != "joblib"]))
def test_worker_that_dies_between_runs(racer):
    before = descendants()
    with racer.start(1) as crew:
        assert answers(crew.run(functions.square, [7])) == [49]
        victims = [each for each in descendants() if each not in before and each.pid in crew.pids()]
        for victim in victims:
            victim.kill()
        assert gone(victims)
        begin = time.perf_counter()
        with pytest.raises(WorkerDied, match="killed by SIGKILL.*in flight: none"):
            list(crew.run(functions.square, [7, 8]))
    assert victims
    assert time.perf_counter() - begin < DEADLINE


@pytest.mark.parametrize("method", METHODS)
def test_grandchild_that_holds_the_pipes_open(method):
    """A worker's death is told though its child keeps its pipes open, and the queue is full."""
    begin = time.perf_counter()
    with RACERS["processes"](method).start(2) as crew, pytest.raises(WorkerDied, match="exit status 3"):
        list(crew.run(functions.die_beside_a_child, ["exit 3"] + ["x" * 1000] * 500))
    assert time.perf_counter() - begin < DEADLINE


@pytest.mark.parametrize("method", METHODS)
def test_crew_that_gave_up_takes_no_other_run(method):
    """Else answers of the old run would pass for those of the new one."""
    with RACERS["processes"](method).start(2) as crew:
        next(crew.run(functions.square, range(100)))
        with pytest.raises(RacerError, match="gave up a run"):
            list(crew.run(functions.square, range(100, 105)))


@pytest.mark.parametrize("name", [*OF_PROCESSES, "asyncio-processes", "gevent"])
def test_unknown_start_method_is_a_reason(name):
    if name == "gevent" and find_spec("gevent") is None:
        pytest.skip("needs gevent: pip install 'primerace[gevent]'")
    assert RACERS[name]("teleport").available().startswith("no start method 'teleport' here; there are ")


@pytest.mark.parametrize("name", [name for name, _ in ONE_EACH if RACERS[name]().available() is None])
def test_daemonic_process_is_a_reason(monkeypatch, name):
    """Python lets it start no others."""
    monkeypatch.setattr(multiprocessing.current_process(), "_config", {"daemon": True})
    assert RACERS[name]().available() == "daemonic processes may not start others"


@pytest.mark.parametrize("name", list(RACERS))
def test_racer_can_run_here(name):
    """Those that can't are in no test of this contract, which this says once."""
    reason = RACERS[name]().available()
    if reason is not None:
        pytest.skip(f"{name}: {reason}")


def test_every_racer_is_under_this_contract():
    """Those that run kernels only have tests of their own, and engines a contract of their own."""
    elsewhere = {"native", "split", *(name for name, _ in engines.CASES.values())}
    assert {name for name, _ in IN_PROCESS + IN_PROCESSES} == set(RACERS) - elsewhere


def test_sequential_is_single():
    assert [name for name, racer in RACERS.items() if racer.single] == ["sequential"]
    assert all(racer.name == name and racer.summary for name, racer in RACERS.items())


PARENT = """
import sys
sys.path.insert(0, {tests!r})
import functions
from primerace import kernels
from primerace.cli import Terminated
from primerace.racers import RACERS

if __name__ == "__main__":
    _, racer, method, function = sys.argv
    with RACERS[racer](method or None).start(2) as crew:
        print("ready", *crew.pids(), flush=True)
        if function == "nap":
            list(crew.run(functions.nap, [60, 60, 60]))
        else:
            list(crew.run(kernels.KERNELS[function], [2**64 - 59] * 3))
"""


def end_of_workers(tmp_path, name, method, function, signal_number):
    """Send this signal to a parent whose workers are busy; how long until none is left."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=os.path.dirname(__file__)))
    parent = start(str(script), name, method or "", function)
    ready, *pids = parent.stdout.readline().split()
    workers = [psutil.Process(int(pid)) for pid in pids]
    assert ready == "ready"
    assert len(workers) == (1 if name == "gevent" else 2)
    everybody = workers + psutil.Process(parent.pid).children(recursive=True)
    time.sleep(0.1)
    begin = time.perf_counter()
    parent.send_signal(signal_number)
    assert gone(everybody)
    seconds = time.perf_counter() - begin
    parent.communicate(timeout=10)
    return seconds


@pytest.mark.parametrize(("name", "method"), here(IN_PROCESSES))
@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGKILL"])
def test_workers_go_with_their_parent(tmp_path, name, method, signal_name):
    assert end_of_workers(tmp_path, name, method, "nap", signal.Signals[signal_name]) < DEADLINE


@pytest.mark.parametrize(("name", "method"), here(IN_PROCESSES))
def test_workers_that_hold_the_gil_go_with_their_parent(tmp_path, name, method):
    """Their calls last longer than this is allowed to take."""
    assert end_of_workers(tmp_path, name, method, "held", signal.SIGKILL) < 3
