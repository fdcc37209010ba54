"""The racer whose workers divide each item: the kernel's answers, and a divisor ends the work at once."""

import os
import random
import signal
import threading
import time
from itertools import count
from math import isqrt

import functions
import laps
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import answers
from watching import gone, interrupt, start

from primerace import _trial, kernels, trial
from primerace.children import start_methods
from primerace.job import QUICK, Job
from primerace.lineup import line_up
from primerace.racers import FunctionError, RacerError, WorkerDied, split
from primerace.racers.base import do_nothing
from primerace.racers.split import CHUNK, Split, SplitProcesses
from primerace.report.explained import factor_rows
from primerace.report.findings import findings
from primerace.scaling import cost

pytestmark = pytest.mark.usefixtures("no_leftovers")

METHODS = start_methods()
TWINS = (trial.no_divisor, _trial.held_no_divisor, _trial.released_no_divisor)
DIVIDED = (2 * CHUNK) ** 2  # smaller numbers are not divided
LONG_CALL = 2**64 - 59  # seconds of trial division in C, minutes in Python
MEDIUM = 25000000000013  # a prime of the sample quick
FACTORS = [p for p in (3, 131071, 131101, 262147, 262151, 393241) if trial.is_prime(p)]
DEADLINE = 5.0

RUNNERS = [
    pytest.param(Split(), kernel, id=f"threads-{kernel}") for kernel in ("held", "released", "python")
] + [pytest.param(SplitProcesses(method), "python", id=f"{method}-python") for method in METHODS]
every_crew = pytest.mark.parametrize(("racer", "kernel"), RUNNERS, scope="module")
every_process_crew = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def crew(racer, kernel):
    with racer.start(2) as crew:
        yield crew


class TestPartsOfTheKernels:
    """Three twins that each do a part of the division."""

    @given(st.integers(-10, 10**6), st.integers(0, 600).map(lambda k: 2 * k + 1), st.integers(-5, 1500))
    def test_are_what_they_say(self, n, first, last):
        divisors = range(first, min(last, isqrt(max(n, 0))) + 1, 2)
        expected = all(n % divisor for divisor in divisors)
        assert [twin(n, first, last) for twin in TWINS] == [expected] * 3

    @pytest.mark.parametrize("first", [0, 2, -3])
    def test_begin_with_an_odd_number(self, first):
        for twin in TWINS:
            with pytest.raises(
                ValueError, match=f"^the first divisor is a positive odd number, not {first}$"
            ):
                twin(91, first, 9)

    @pytest.mark.parametrize("arguments", [(91.0, 3, 5), (91, 3.0, 5), (91, 3, None)])
    def test_take_integers(self, arguments):
        for twin in TWINS:
            with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
                twin(*arguments)

    def test_compiled_ones_have_a_limit(self):
        for twin in TWINS[1:]:
            with pytest.raises(OverflowError, match="takes n < 2"):
                twin(2**64, 3, 5)

    def test_near_the_limit(self):
        """No sum of divisors wraps around."""
        for twin in TWINS:
            assert twin(2**64 - 1, 2**64 - 1, 2**64 - 1)
            assert twin(2**64 - 59, 2**32 - 99, 2**64 - 1)
            assert not twin(2**64 - 1, 641, 641)


@every_crew
class TestAnswers:
    def test_of_the_sample(self, crew, kernel):
        assert answers(crew.run(kernels.KERNELS[kernel], list(QUICK))) == list(QUICK.values())

    def test_are_those_of_the_kernel(self, crew, kernel):
        run = kernels.KERNELS[kernel]
        draw = random.Random(7)
        near = [DIVIDED + offset for offset in range(-6, 12)]
        products = [p * q for p in FACTORS for q in FACTORS if p * q > DIVIDED // 2]
        some = [draw.randrange(2**30, 2**38) for _ in range(30)]
        tiny = [*range(-5, 30), True, 2**31 - 1, 2**63, 2**64 - 1]
        items = [*tiny, *near, *products, *some]
        assert answers(crew.run(run, items)) == [run(item) for item in items]

    def test_of_an_empty_job_and_of_one_item(self, crew, kernel):
        assert answers(crew.run(kernels.KERNELS[kernel], [])) == []
        assert answers(crew.run(kernels.KERNELS[kernel], [MEDIUM])) == [True]

    def test_of_nothing(self, crew, kernel):
        assert answers(crew.run(do_nothing, list(QUICK))) == [None] * len(QUICK)

    def test_report_times_and_workers(self, crew, kernel):
        begin = time.perf_counter()
        outcomes = list(crew.run(kernels.KERNELS[kernel], [MEDIUM, 9, 3 * (2**61 - 1)]))
        wall = time.perf_counter() - begin
        assert [outcome.index for outcome in outcomes] == [0, 1, 2]  # one after the other
        for outcome in outcomes:
            assert outcome.worker in (0, 1)
            assert 0 <= outcome.started <= outcome.started + outcome.seconds <= wall
            assert 0 <= outcome.cpu_seconds <= 2.5 * outcome.seconds
        assert outcomes[0].started + outcomes[0].seconds <= outcomes[1].started

    def test_small_factor_returns_at_once(self, crew, kernel):
        """To divide by all numbers up to the root of this one takes 500 times as long as the prime."""
        (small,) = crew.run(kernels.KERNELS[kernel], [3 * (2**61 - 1)])
        (prime,) = crew.run(kernels.KERNELS[kernel], [MEDIUM])
        assert not small.answer
        assert small.cpu_seconds < 50 * prime.cpu_seconds

    def test_function_that_is_no_kernel(self, crew, kernel):
        message = "split: only the kernels python, held and released divide numbers, not square"
        with pytest.raises(RacerError, match=message):
            list(crew.run(functions.square, [7]))
        assert answers(crew.run(kernels.KERNELS[kernel], [7])) == [True]


@pytest.mark.parametrize("kernel", ["held", "released", "python"])
@pytest.mark.parametrize("item", [2.5, "7", None])
def test_threads_tell_what_was_raised(kernel, item):
    run = kernels.KERNELS[kernel]
    with pytest.raises(TypeError) as told:
        run(item)
    with Split().start(2) as crew:
        with pytest.raises(FunctionError) as caught:
            list(crew.run(run, [7, item]))
        assert str(caught.value).startswith(f"split: item 1 ({item!r}) raised TypeError: {told.value}")
        assert answers(crew.run(run, [7])) == [True]


@every_process_crew
def test_processes_tell_what_was_raised(method):
    with SplitProcesses(method).start(2) as crew:
        with pytest.raises(FunctionError, match=r"split: item 1 \(2.5\) raised TypeError: 'float'"):
            list(crew.run(kernels.python, [7, 2.5, 9]))
        with pytest.raises(RacerError, match="split: this crew gave up a run and can't take another"):
            list(crew.run(kernels.python, [7]))


@pytest.mark.parametrize(("racer", "kernel"), RUNNERS[1:4])
@pytest.mark.parametrize("workers", [1, 5])
def test_any_number_of_workers(racer, kernel, workers):
    with racer.start(workers) as crew:
        outcomes = list(crew.run(kernels.KERNELS[kernel], [MEDIUM, 9, MEDIUM + 2]))
    assert answers(outcomes) == [True, False, False]
    assert {outcome.worker for outcome in outcomes} <= set(range(workers))


def test_big_integers_are_divided_too():
    big = 1000003 * (2**127 - 1)
    with SplitProcesses().start(2) as crew:
        assert answers(crew.run(kernels.python, [big, 2**200, 3**200])) == [False] * 3
    with Split().start(2) as crew, pytest.raises(FunctionError, match="OverflowError.*takes n < 2"):
        list(crew.run(kernels.released, [big]))


def recorded(monkeypatch, kernel, number):
    """The parts that each thread did of one number."""
    parts = []
    whole = split.PARTS[kernel]

    def record(n, first, last):
        parts.append((threading.current_thread().name, first, last))
        return whole(n, first, last)

    monkeypatch.setitem(split.PARTS, kernel, record)
    with Split().start(2) as crew:
        (outcome,) = crew.run(kernel, [number])
    return outcome, parts


def test_every_divisor_is_tried_once(monkeypatch):
    outcome, parts = recorded(monkeypatch, kernels.released, MEDIUM)
    assert outcome.answer
    covered = sorted((first, last) for _, first, last in parts)
    assert covered[0][0] == 3
    assert covered[-1][1] >= isqrt(MEDIUM) > covered[-1][0]
    assert all(after[0] == before[1] + 2 for before, after in zip(covered, covered[1:], strict=False))


def test_both_workers_take_part(monkeypatch):
    _, parts = recorded(monkeypatch, kernels.python, MEDIUM)
    assert {name for name, _, _ in parts} == {"split-0", "split-1"}


def test_divisor_ends_the_work_of_all(monkeypatch):
    """Of the 1,455 chunks of this number only a few are dealt: its divisor is in the first."""
    outcome, parts = recorded(monkeypatch, kernels.python, 1009 * (2**47 - 115))
    assert not outcome.answer
    assert len(parts) <= 4
    finder = next(name for name, first, _ in parts if first == 3)
    assert finder == f"split-{outcome.worker}"


def test_run_that_was_given_up_ends_within_a_chunk():
    begin = time.perf_counter()
    with Split().start(2) as crew:
        run = crew.run(kernels.released, [9, *[LONG_CALL] * 20])
        assert next(run).answer is False
        run.close()
        assert answers(crew.run(kernels.released, [7])) == [True]
    assert time.perf_counter() - begin < DEADLINE


@every_process_crew
def test_worker_that_dies_in_mid_item(method):
    with SplitProcesses(method).start(2) as crew:
        victim = psutil.Process(crew.pids()[1])
        timer = threading.Timer(0.3, victim.kill)
        timer.start()
        message = rf"split: worker 1 died \(killed by SIGKILL\); items in flight: item 1 \({LONG_CALL}\)"
        with pytest.raises(WorkerDied, match=message):
            list(crew.run(kernels.python, [7, LONG_CALL]))
        timer.join()


PARENT = """
import sys
from primerace import kernels
from primerace.racers import RACERS

if __name__ == "__main__":
    _, method, kernel = sys.argv
    with RACERS["split"](method).for_kernel(kernel).start(2) as crew:
        print("ready", *crew.pids(), flush=True)
        list(crew.run(kernels.KERNELS[kernel], [2**64 - 59] * 20))
"""


@pytest.mark.parametrize(
    ("method", "kernel"),
    [*((method, "python") for method in METHODS), ("fork", "released"), ("fork", "held")],
)
@pytest.mark.parametrize("how", ["ctrl-c", "SIGTERM", "SIGKILL"])
def test_everybody_goes_with_the_parent(tmp_path, method, kernel, how):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = start(str(script), method, kernel)
    ready, *pids = parent.stdout.readline().split()
    assert ready == "ready"
    assert len(pids) == (2 if kernel == "python" else 0)
    everybody = [psutil.Process(int(pid)) for pid in pids] + [psutil.Process(parent.pid)]
    time.sleep(0.1)
    begin = time.perf_counter()
    if how == "ctrl-c":
        interrupt(parent)
    else:
        os.kill(parent.pid, signal.Signals[how])
    assert gone(everybody)
    assert time.perf_counter() - begin < DEADLINE
    _, errors = parent.communicate(timeout=10)
    assert (errors.count("Traceback"), errors.count("KeyboardInterrupt")) == (how == "ctrl-c",) * 2


class TestInTheRace:
    def test_unknown_start_method_leaves_the_threads(self):
        field = line_up(Job("tiny", [7]), ["split"], None, 2, "teleport")
        assert [contestant.kernel for contestant in field.contestants] == ["held", "released"]
        told = "kernel python takes processes: no start method 'teleport' here; there are "
        assert field.unavailable["split"].startswith(told)

    def test_kernel_python_takes_processes(self):
        field = line_up(Job("tiny", [7]), ["split"], None, 2)
        racers = {contestant.kernel: type(contestant.racer) for contestant in field.contestants}
        assert racers == {"python": SplitProcesses, "held": Split, "released": Split}

    def result(self):
        """Six rounds in which split is faster than any schedule of whole items could be."""
        times = count(1)
        made = []
        for number in range(6):
            jitter = 1 + next(times) / 1000
            made += [
                laps.lap(number, "sequential", "released", 1, 3.0 * jitter, (2.0, 1.0)),
                laps.lap(number, "threads", "released", 2, 2.0 * jitter, (2.0, 1.0)),
                laps.lap(number, "split", "released", 2, 1.55 * jitter, (1.0, 0.5), (2.0, 1.0)),
            ]
        return laps.result(made, items=2)

    def test_no_schedule_of_whole_items_explains_it(self):
        entries = {entry.racer: entry for entry in self.result().entries}
        assert entries["threads"].schedule_bound == 1.5
        assert entries["threads"].explanation is not None
        assert entries["split"].schedule_bound is None
        assert entries["split"].explanation is None

    def test_its_sentence_names_no_bound(self):
        sentence = next(findings(self.result()))
        threads, divided = sentence.split("; ")
        assert threads.startswith(
            "released: threads 1.50x [1.50–1.50] on 2 workers, of 1.50x that this order"
        )
        assert divided == "split 1.94x [1.94–1.94] on 2 workers that divide each item."

    def test_more_workers_divide_further(self):
        """To beat 0.5 s takes more workers, and no longest item is in the way, as it is for whole items."""
        entries = {entry.racer: entry for entry in self.result().entries}
        found = cost(entries["split"], [2.0, 1.0], 0.5, 64)
        assert (found.workers, found.reason) == (7, "modelled")
        assert cost(entries["threads"], [2.0, 1.0], 0.5, 64).workers is None

    def test_workers_that_take_turns_never_beat_one(self):
        """As with the GIL held: two workers that together are as fast as one."""
        made = [
            laps.lap(0, "sequential", "held", 1, 3.0, (3.0,)),
            laps.lap(0, "split", "held", 2, 3.0, (3.0,)),
        ]
        (entry,) = (entry for entry in laps.result(made).entries if entry.racer == "split")
        found = cost(entry, [3.0], 2.5, 64)
        assert (found.workers, found.reason) == (None, "takes turns")

    def test_explanation_says_why_there_is_none(self):
        lines = {row[0]: row[2] for row in factor_rows(self.result())}
        assert lines["split"] == "workers divide each item"
