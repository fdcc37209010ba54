"""What is special to Dask: its own pickling, threads, batches, and clusters that run already."""

import logging
import os
import signal
import socket
import threading
import time
import warnings
from contextlib import suppress
from importlib.metadata import PackageNotFoundError

import functions
import psutil
import pytest
from dask_cluster import running_cluster
from engines import DEADLINE, no_files_left, program_of
from watching import descendants, eventually, gone, interrupt, nothing_left, start

from primerace.racers import RACERS, FunctionError, RacerError, WorkerDied, dask_clusters, dask_run
from primerace.racers import dask as dask_racer
from primerace.racers.engines import Engines

distributed = pytest.importorskip(
    "distributed", reason="needs dask.distributed: pip install 'primerace[dask]'"
)
dask = pytest.importorskip("dask")


def racer(**settings):
    return RACERS["dask"](engines=Engines(**settings))


def answers(outcomes):
    """The answers in the order of the items; an item lost or answered twice is an error."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.index)
    assert [outcome.index for outcome in outcomes] == list(range(len(outcomes)))
    return [outcome.answer for outcome in outcomes]


@pytest.fixture(scope="module")
def crew():
    with racer().start(2) as crew:
        yield crew


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A running cluster that several tests share; it has two workers when they start."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        with distributed.Client(cluster.address, set_as_default=False, timeout=30) as client:
            client.wait_for_workers(2, timeout=30)
        yield cluster


class TestPickling:
    def test_what_has_no_name_travels_as_code(self, crew):
        assert answers(crew.run(lambda n: n + 1, [1, 2])) == [2, 3]
        assert answers(crew.run(functions.a_set, [()])) == [{1, 2}]

    def test_item_that_cannot_travel(self, crew):
        with pytest.raises(RacerError, match=r"^dask: item 1 \(.*generator.*\) can't be sent"):
            list(crew.run(functions.square, [1, (each for each in "ab")]))

    def test_function_that_cannot_travel(self, crew):
        lock = threading.Lock()
        with pytest.raises(RacerError, match=r"^dask: the function .*lambda.* can't be sent"):
            list(crew.run(lambda _: lock, [1]))

    def test_and_the_crew_goes_on(self, crew):
        assert answers(crew.run(functions.square, [7])) == [49]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (functions.unpicklable, FunctionError, r"item 0 \(1\) raised .*pickle.*generator"),
        (functions.unreadable, RacerError, r"^dask: an answer can't be unpickled: .*can't be read"),
        (functions.leave, FunctionError, r"item 0 \(1\) raised SystemExit: 1"),
        (functions.interrupt, FunctionError, r"item 0 \(1\) raised KeyboardInterrupt"),
    ],
    ids=["unpicklable", "unreadable", "exit", "interrupt"],
)
def test_answers_that_do_not_come(cluster, function, error, message):
    with racer(address=cluster.address).start(2) as crew, pytest.raises(error, match=message):
        list(crew.run(function, [1]))


def test_threads_are_of_one_process():
    with racer(dask_threads=2).start(2) as crew:
        outcomes = list(crew.run(functions.process_id_after_a_nap, [0.05] * 6))
        assert {outcome.answer for outcome in outcomes} == set(crew.pids())
    assert len(crew.pids()) <= 1
    assert {outcome.worker for outcome in outcomes} == {0, 1}


@pytest.mark.parametrize("threads", [0, 2])
def test_workers_that_threads_do_not_divide(threads):
    with pytest.raises(RacerError, match=f"3 workers can't be divided into processes of {threads} threads"):
        racer(dask_threads=threads).start(3)


def test_tiny_items_come_in_few_messages(crew):
    """Else 20,000 items would take minutes."""
    begin = time.perf_counter()
    assert answers(crew.run(functions.square, range(20_000))) == [n * n for n in range(20_000)]
    assert time.perf_counter() - begin < 20


def test_batch_that_is_longer_than_expected_is_divided(crew):
    """Behind many quick items the last ones are slow: one worker must not have them all."""
    naps = [0.0] * 2000 + [0.25] * 8
    outcomes = list(crew.run(functions.nap, naps))
    assert answers(outcomes) == naps
    slow = [outcome.worker for outcome in outcomes if outcome.answer]
    assert 2 <= slow.count(0) <= 6


def test_only_this_machine_can_connect(crew):
    for process in [psutil.Process(), *map(psutil.Process, crew.pids())]:
        listening = [each for each in process.net_connections("inet") if each.status == "LISTEN"]
        assert {each.laddr.ip for each in listening} == {"127.0.0.1"}


def test_nothing_of_this_program_is_changed():
    environment, threads = dict(os.environ), set(threading.enumerate())
    config, filters = dict(dask.config.config), handlers()
    with nothing_left(), no_files_left(), racer().start(1) as crew:
        list(crew.run(functions.square, [1]))
    assert dict(os.environ) == environment
    assert dask.config.config == config
    assert handlers() == filters
    assert distributed.client._get_global_client() is None
    assert eventually(lambda: set(threading.enumerate()) <= threads)


def handlers():
    return [
        (handler, handler.level, handler.filters) for handler in logging.getLogger("distributed").handlers
    ]


def test_leaving_while_a_worker_is_started_again():
    with nothing_left(), no_files_left():
        begin = time.perf_counter()
        with racer().start(2) as crew:
            for pid in crew.pids():
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        assert time.perf_counter() - begin < 2 * DEADLINE


def test_item_that_kills_is_told_from_its_neighbours():
    """A process of two threads dies with both their items in hand."""
    items = [*"abcdef", "SIGKILL", *"ghijkl"]
    with racer(dask_threads=2).start(2) as crew, pytest.raises(WorkerDied, match="every time") as caught:
        list(crew.run(functions.die, items))
    assert caught.value.in_flight == [6]


SCRIPT = """
import sys
from primerace.racers import RACERS

def double(n):
    return 2 * n

if __name__ == "__main__":
    print("starting", flush=True)
    with RACERS["dask"]().start(2) as crew:
        print(sorted(outcome.answer for outcome in crew.run(double, [1, 2, 3])), flush=True)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return str(path)


def test_function_of_a_script(script):
    output, errors = start("-W", "error", script).communicate(timeout=60)
    assert (output, errors) == ("starting\n[2, 4, 6]\n", "")


def test_interrupt_while_workers_start(script):
    with nothing_left(), no_files_left():
        process = start(script)
        assert process.stdout.readline() == "starting\n"
        assert eventually(lambda: len(descendants(process.pid)) > 1)
        everybody = descendants(process.pid)
        interrupt(process)
        output, errors = process.communicate(timeout=60)
        assert gone(everybody)
        assert output == ""
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert errors.count("Traceback") == 1


def test_interrupts_while_it_leaves(tmp_path):
    """The first one counts; those that follow wait until all is cleared away."""
    path = tmp_path / "script.py"
    path.write_text(program_of("dask", "", "interrupt"))
    with nothing_left(), no_files_left():
        process = start(str(path))
        assert process.stdout.readline() == "busy\n"
        everybody = descendants(process.pid)
        for _ in range(4):
            interrupt(process)
            time.sleep(0.03)
        _, errors = process.communicate(timeout=60)
        assert gone(everybody)
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert "ignored" not in errors


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "needs dask.distributed: pip install 'primerace[dask]'"),
        ("2024.12.1", "needs dask.distributed 2025.2 or newer, not 2024.12.1"),
        ("2025.2.0", None),
        ("2026.1", None),
    ],
)
def test_what_is_installed_is_a_reason(monkeypatch, found, reason):
    def version(name):
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(dask_racer, "version", version)
    assert racer().available() == reason


class TestRunningCluster:
    def test_answers(self, cluster):
        with nothing_left(), racer(address=cluster.address).start(2) as crew:
            assert answers(crew.run(functions.square, range(1000))) == [n * n for n in range(1000)]
            outcomes = list(crew.run(functions.nap, [0.05] * 6))
            assert not crew.pids()
        assert {outcome.worker for outcome in outcomes} == {0, 1}

    def test_no_more_workers_than_there_are(self, cluster):
        message = rf"^dask: 3 workers are more than the 2 threads of the cluster at {cluster.address}"
        with nothing_left(), pytest.raises(RacerError, match=message):
            racer(address=cluster.address).start(3)

    def test_no_more_workers_than_asked_for(self, cluster):
        """One item follows the other."""
        with racer(address=cluster.address).start(1) as crew:
            outcomes = sorted(crew.run(functions.nap, [0.02] * 10), key=lambda outcome: outcome.started)
        for before, after in zip(outcomes, outcomes[1:], strict=False):
            assert before.started + before.seconds <= after.started

    def test_tasks_of_others_are_left_alone(self, cluster):
        with distributed.Client(cluster.address, set_as_default=False) as other:
            theirs = other.submit(functions.nap, 0.5, pure=False)
            with (
                racer(address=cluster.address).start(2) as one,
                racer(address=cluster.address).start(2) as two,
            ):
                runs = one.run(functions.nap, [0.02] * 5), two.run(functions.square, range(5))
                pairs = list(zip(*runs, strict=True))
                given_up = one.run(functions.nap, [0.01] + [0.2] * 50)
                next(given_up)
            assert answers(first for first, _ in pairs) == [0.02] * 5
            assert answers(second for _, second in pairs) == [0, 1, 4, 9, 16]
            assert theirs.result(timeout=30) == 0.5
            assert eventually(lambda: other.run_on_scheduler(keys) == [theirs.key])

    def test_worker_that_dies_in_mid_job(self, cluster):
        with racer(address=cluster.address).start(2) as crew:
            run = crew.run(functions.nap, [0.02] * 10 + [0.3] * 6)
            outcomes = [next(run)]
            cluster.workers()[0].kill()
            assert answers([*outcomes, *run]) == [0.02] * 10 + [0.3] * 6
        with distributed.Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)  # for other tests

    def test_item_that_kills_every_worker(self, cluster):
        with racer(address=cluster.address).start(2) as crew, pytest.raises(WorkerDied) as caught:
            list(crew.run(functions.die, ["a", "SIGKILL", "b"]))
        assert caught.value.in_flight == [1]
        with distributed.Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)

    def test_other_versions_are_told_in_one_line(self, cluster, monkeypatch):
        versions = distributed.versions.get_versions()
        versions["packages"]["msgpack"] = "0.0.1"
        monkeypatch.setattr(distributed.versions, "get_versions", lambda: versions)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            racer(address=cluster.address).start(2).close()
        assert [str(each.message) for each in caught] == [
            f"dask: other versions at {cluster.address} than here: msgpack"
        ]


def keys(dask_scheduler):
    return [key for key in dask_scheduler.tasks]


def end(cluster, how):
    """What becomes of the scheduler, or of its last worker, which no nanny starts again."""
    if how == "deserted":
        for process in [*cluster.nannies, *cluster.workers()]:
            process.kill()
    else:
        cluster.scheduler.send_signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)


@pytest.mark.parametrize("how", ["killed", "stopped", "deserted"])
def test_cluster_that_is_gone_in_mid_job(tmp_path, monkeypatch, how):
    assert dask_run.GLANCE + dask_run.PATIENCE < DEADLINE
    monkeypatch.setattr(dask_run, "GLANCE", 1.0)
    for module in (dask_run, dask_clusters):
        monkeypatch.setattr(module, "PATIENCE", 2.0)
    with running_cluster(tmp_path, 1) as cluster:
        with distributed.Client(cluster.address, set_as_default=False, timeout=30) as client:
            client.wait_for_workers(1, timeout=30)
        undone = r"; items not done: item 1 \(0\.5\), .* and 9 more"
        message = rf"^dask: the cluster at {cluster.address} is gone .*{undone}"
        with nothing_left(), racer(address=cluster.address).start(1) as crew:
            run = crew.run(functions.nap, [0.01] + [0.5] * 19)
            assert next(run).index == 0
            end(cluster, how)
            begin = time.perf_counter()
            with pytest.raises(RacerError, match=message):
                list(run)
            assert time.perf_counter() - begin < DEADLINE


def test_workers_without_primerace(tmp_path):
    (tmp_path / "primerace").mkdir()
    (tmp_path / "primerace" / "__init__.py").touch()
    with running_cluster(tmp_path, 1, str(tmp_path)) as cluster:
        with distributed.Client(cluster.address, set_as_default=False, timeout=30) as client:
            client.wait_for_workers(1, timeout=30)
        with pytest.raises(
            RacerError, match=rf"at {cluster.address} can't import it \(No module named 'primerace.racers'\)"
        ):
            racer(address=cluster.address).start(1)


class TestNoScheduler:
    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("tcp://127.0.0.1:1", r" within \d s"),
            ("nonsense", ": .*missing port"),
            ("", ": .*missing port"),
            ("foo://127.0.0.1:1", ": .*unknown address scheme"),
            ("tls://127.0.0.1:1", ": .*ssl_context"),
        ],
    )
    def test_at_this_address(self, address, why, monkeypatch):
        monkeypatch.setattr(dask_clusters, "PATIENCE", 0.5)
        message = f"^dask: no scheduler of Dask answers at {address or repr(address)}{why}"
        with nothing_left(), warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(RacerError, match=message):
                racer(address=address).start(1)

    def test_but_somebody_who_listens_and_says_nothing(self, mute, monkeypatch):
        assert dask_clusters.PATIENCE < DEADLINE
        monkeypatch.setattr(dask_clusters, "PATIENCE", 0.5)
        begin = time.perf_counter()
        with nothing_left(), pytest.raises(RacerError, match=f"answers at {mute} within"):
            racer(address=mute).start(1)
        assert time.perf_counter() - begin < DEADLINE

    def test_but_somebody_else(self):
        """What is no answer of Dask's may be taken for the beginning of an endless one."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
            threading.Thread(target=greet, args=(server,), daemon=True).start()
            with nothing_left(), pytest.raises(RacerError, match=f"^dask: no scheduler .* at {address}"):
                racer(address=address).start(1)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_and_no_patience(self, mute, number):
        """Who waits for one that says nothing may leave at once."""
        words = ["race", "--racers", "dask", "--items", "quick", "--kernels", "fast", "--address", mute]
        process = start("-m", "primerace", *words)
        assert eventually(lambda: connected(process.pid))
        process.send_signal(number)
        begin = time.perf_counter()
        process.communicate(timeout=60)
        assert time.perf_counter() - begin < dask_clusters.PATIENCE
        assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]


@pytest.fixture
def mute():
    """The address of somebody who listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def greet(server):
    """Say hello as servers of mail do."""
    with suppress(OSError):
        caller, _ = server.accept()
        with caller:
            caller.sendall(b"220 mail.example.com ESMTP\r\n")
            caller.recv(1 << 16)


def connected(pid):
    return [each for each in psutil.Process(pid).net_connections("inet") if each.status == "ESTABLISHED"]


EXAMPLE = """
import resource
import dask_primes

dask_primes.main(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dask_primes.main({count})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_example_counts_primes_in_bounded_memory():
    count = 30_000_000
    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "examples")
    environment = os.environ | {"PYTHONPATH": path}
    output, errors = start("-c", EXAMPLE.format(count=count), env=environment).communicate(timeout=100)
    assert errors == ""
    _, found, kilobytes = map(int, output.split())
    assert 0.0225 < found / count < 0.0236  # one in log(2**64), nearly
    assert 1024 * kilobytes < 8 * count / 2
