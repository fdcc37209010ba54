"""The GIL probe: calls of which the truth is known, the trip to a process of its own, and how that ends."""

import hashlib
import importlib.util
import json
import math
import os
import re
import resource
import signal
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import calls
import numpy as np
import psutil
import pytest
from watching import eventually, gone, interrupt, start

import primerace
from primerace import GilVerdict, kernels, machine, probe_gil
from primerace.gil import ProbeError
from primerace.gil.child import Request
from primerace.gil.probe import run
from primerace.gil.verdict import SOME
from primerace.target import load

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[1]
TESTS = str(Path(__file__).parent)
PRIME = 5_000_111_000_222_021

with_gil = pytest.mark.skipif(not machine.gil_enabled(), reason="the probe does not apply without the GIL")
without_gil = pytest.mark.skipif(machine.gil_enabled(), reason="needs a Python that runs without the GIL")


def probed(function, *args, **options):
    """The verdict; on a machine that is too busy for one, after a few attempts."""
    for _ in range(5):
        verdict = probe_gil(function, *args, **options)
        if verdict.verdict != "inconclusive":
            break
    return verdict


@with_gil
class TestKnownTruths:
    def test_sum_of_a_range_holds(self):
        verdict = probed(sum, range(2 * 10**7))
        assert verdict.verdict == "holds"
        assert (
            verdict.at_default.longest_gap_seconds
            > 0.8 * verdict.at_default.thread_seconds / verdict.at_default.calls
        )

    def test_pbkdf2_releases(self):
        verdict = probed(hashlib.pbkdf2_hmac, "sha256", b"a", b"b", 10**6)
        assert verdict.verdict == "releases"
        assert verdict.at_long.beats > 100
        assert verdict.at_long.share > 0.9

    def test_loop_in_python_yields(self):
        verdict = probed(calls.loop, 5 * 10**6)
        assert verdict.verdict == "yields"
        assert verdict.at_default.beats > 10 > verdict.at_long.beats

    def test_gmpy2_holds(self):
        gmpy2 = pytest.importorskip("gmpy2")
        prime = math.factorial(1477) + 1  # 4042 digits
        assert probed(gmpy2.is_prime, prime).verdict == "holds"

    def test_is_prime_on_an_array_releases(self):
        assert probed(primerace.is_prime, np.arange(1, 10**7, 2)).verdict == "releases"

    @pytest.mark.parametrize(
        ("kernel", "truth"), [("python", "yields"), ("held", "holds"), ("released", "releases")]
    )
    def test_kernels(self, kernel, truth):
        n = 50_000_000_000_053 if kernel == "python" else PRIME
        assert probed(kernels.KERNELS[kernel], n).verdict == truth

    @pytest.mark.parametrize(("hold", "release", "share"), [(3, 1, 0.25), (1, 3, 0.75)])
    def test_both_by_turns_is_mixed(self, hold, release, share):
        verdict = probed(calls.by_turns, hold, release, 6)
        assert verdict.verdict == "mixed"
        assert verdict.at_long.share == pytest.approx(share, abs=0.12 + 0.5 * verdict.at_long.crowding)

    @pytest.mark.parametrize("hold", [1_000_000_007, 10_000_000_019])  # tens of microseconds
    def test_pieces_with_nothing_between_release_nothing(self, hold):
        verdict = probed(calls.in_pieces, hold, 7, 8000)
        assert verdict.verdict != "releases"
        assert verdict.at_long.share < SOME + 0.5 * verdict.at_long.crowding

    @pytest.mark.parametrize("n", [2_000_000_011, 10_000_000_019, 40_000_000_003])
    def test_pieces_in_turns_are_mixed(self, n):
        verdict = probed(calls.in_pieces, n, n, 4000)
        assert verdict.verdict in ("mixed", "inconclusive")
        assert verdict.at_long.found_kept > 100

    def test_loop_over_the_lines_of_a_file_does_not_release(self, tmp_path):
        file = tmp_path / "lines"
        file.write_text("a line of some words\n" * 10**6)
        assert probed(calls.lines, str(file)).verdict != "releases"

    def test_release_without_end_is_never_found_kept(self):
        verdict = probed(kernels.released, PRIME)
        assert verdict.at_long.found_kept < verdict.at_long.beats / 20

    @pytest.mark.parametrize(("kernel", "truth"), [("held", "holds"), ("released", "releases")])
    def test_kernels_on_one_core(self, kernel, truth):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})
        try:
            assert probed(kernels.KERNELS[kernel], PRIME).verdict == truth
        finally:
            os.sched_setaffinity(0, cores)

    def test_call_that_is_over_at_once_is_too_short(self):
        verdict = probed(calls.nothing)
        assert verdict.verdict == "too-short"
        assert verdict.at_long.calls > 1000

    def test_short_call_that_releases_is_repeated(self):
        verdict = probed(time.sleep, 0.01)
        assert verdict.verdict == "releases"
        assert verdict.at_long.calls > 5

    def test_short_call_that_keeps_the_gil_is_too_short(self):
        assert probed(kernels.held, calls.SHARED).verdict == "too-short"


@with_gil
class TestTravelling:
    def test_lambda(self):
        seconds = 0.2
        assert probed(lambda: time.sleep(seconds)).verdict == "releases"

    def test_named_function_keeps_its_name(self):
        assert probed(load("calls:loop", TESTS), 3 * 10**6).function == "calls:loop"

    def test_keyword_arguments(self):
        assert probed(calls.by_turns, hold=1, release=1, times=6).verdict == "mixed"

    def test_switch_interval_here_stays(self):
        before = sys.getswitchinterval()
        probe_gil(time.sleep, 0.1)
        assert sys.getswitchinterval() == before

    def test_path_of_another_type(self, monkeypatch):
        monkeypatch.setattr(sys, "path", [*sys.path, Path("/nowhere")])
        assert probe_gil(calls.nothing).at_long.calls > 0

    def test_keyword_of_the_same_name(self):
        assert probe_gil(calls.nothing, function=3).function == "calls:nothing"
        assert "nothing" in probe_gil(partial(calls.nothing, timeout=3)).function

    def test_child_that_nobody_waits_for(self):
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            assert probe_gil(lambda: None).at_long.calls > 0
        finally:
            signal.signal(signal.SIGCHLD, before)

    def test_many_open_files(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2000:
            pytest.skip(f"no more than {hard} files may be open here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
        with ExitStack() as files:
            files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            for _ in range(1100):
                files.enter_context(open(os.devnull))
            assert probe_gil(calls.nothing).at_long.calls > 0

    def test_arguments_that_are_used_up(self):
        verdict = probed(sum, iter(range(2 * 10**7)))
        assert verdict.verdict == "too-short"
        assert "the first call took" in verdict.reason

    def test_script_without_a_guard(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            "import time\nfrom primerace import probe_gil\n"
            "def nap(): time.sleep(0.3)\n"
            "print(probe_gil(time.sleep, 0.3).verdict, probe_gil(nap).verdict)\n"
        )
        process = start(str(script))
        output, errors = process.communicate(timeout=60)
        assert (output.split(), errors) == (["releases"] * 2, "")

    def test_json_and_back(self):
        verdict = probed(time.sleep, 0.1)
        assert GilVerdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


@with_gil
class TestNothingIsLeft:
    def test_after_the_time_is_up(self, tmp_path):
        file = tmp_path / "pids"
        with pytest.raises(ProbeError, match="took more than 2.5 s, in the middle of the call"):
            probe_gil(calls.holds, str(file), timeout=2.5)
        assert self.are_gone(file)

    def test_after_a_verdict(self, tmp_path):
        file = tmp_path / "pids"
        probe_gil(calls.abandons, str(file))
        assert self.are_gone(file)

    def test_after_the_time_is_up_in_a_fork(self, tmp_path):
        file = tmp_path / "pids"
        with pytest.raises(ProbeError, match="took more than"):
            probe_gil(lambda: calls.holds(str(file)), timeout=2.5)
        assert self.are_gone(file)

    @pytest.mark.parametrize(
        ("call", "end", "code"),
        [
            ("sleeps", interrupt, 130),
            ("holds", interrupt, 130),
            ("holds", lambda process: process.terminate(), 143),
            ("holds", lambda process: process.kill(), -signal.SIGKILL),
        ],
        ids=["ctrl-c", "ctrl-c while held", "terminated", "killed"],
    )
    def test_when_the_command_is_ended(self, tmp_path, call, end, code):
        file = tmp_path / "pids"
        process = start(
            "-m", "primerace", "gil", f"calls:{call}", "--args", json.dumps([str(file)]), cwd=TESTS
        )
        assert eventually(lambda: calls.noted(file), 30)
        end(process)
        output, errors = process.communicate(timeout=10)
        assert process.returncode == code
        assert "Traceback" not in errors
        assert self.are_gone(file)

    def are_gone(self, file):
        pids = calls.noted(file)
        assert pids
        return gone([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)])


@pytest.mark.parametrize("timeout", [0, -1, math.nan])
def test_timeout_without_time(timeout):
    with pytest.raises(ValueError, match="timeout"):
        probe_gil(time.sleep, 0.1, timeout=timeout)


@pytest.mark.parametrize("timeout", [None, "5"])
def test_timeout_that_is_no_number(timeout):
    with pytest.raises(TypeError, match="timeout is .*, but a number of seconds"):
        probe_gil(time.sleep, 0.1, timeout=timeout)


def test_nothing_that_can_be_called():
    with pytest.raises(TypeError, match="a function is needed, not int"):
        probe_gil(3)


@without_gil
def test_does_not_apply_without_the_gil():
    verdict = probe_gil(time.sleep, 0.1)
    assert (verdict.verdict, verdict.gil_enabled) == ("not-applicable", False)
    assert verdict.at_long is None


@without_gil
def test_names_the_import_that_switched_the_gil_on(tmp_path):
    """With the warning that Python gives then: no such module can be counted on here."""
    (tmp_path / "legacy.py").write_text(
        "import warnings\ndef f(): pass\n"
        "text = \"The global interpreter lock (GIL) has been enabled to load module 'speedups'\"\n"
        "warnings.warn(text, RuntimeWarning)\n"
    )
    request = Request("legacy:f", f"{tmp_path}/legacy.py:f")
    assert run(request).switched_on_by == "speedups"


def test_table_in_the_docs_has_the_calls_of_the_script():
    spec = importlib.util.spec_from_file_location("gil_table", ROOT / "tools" / "gil_table.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    documented = re.findall(
        r"^\| (`.+?) \| [a-z-]+ \|", (ROOT / "docs" / "gil.md").read_text("utf-8"), re.MULTILINE
    )
    assert documented == list(script.CALLS)
    assert len(documented) >= 20
