"""The GIL probe: calls of which the truth is known, the rules, and whatever a call may do to its process."""

import hashlib
import importlib.util
import json
import math
import os
import re
import resource
import signal
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import calls
import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import descendants, eventually, gone, interrupt, start

import primerace
from primerace import GilVerdict, kernels, machine, probe_gil
from primerace.cli import main
from primerace.gil import Calibration, ProbeError, Reading
from primerace.gil.child import Request
from primerace.gil.delay import RunDelay, in_seconds
from primerace.gil.probe import run
from primerace.gil.pulse import Gap, Pulse, feel
from primerace.gil.readings import free_share, turn_share
from primerace.gil.verdict import RELEASED, SOME, judge
from primerace.target import load

ROOT = Path(__file__).parents[1]
TESTS = str(Path(__file__).parent)
PRIME = 5_000_111_000_222_021
CLEAR = Calibration(0.0002, released_share=0.99, held_share=0.0)

with_gil = pytest.mark.skipif(not machine.gil_enabled(), reason="the probe does not apply without the GIL")
without_gil = pytest.mark.skipif(machine.gil_enabled(), reason="needs a Python that runs without the GIL")


def probed(function, *args, **options):
    """The verdict; on a machine that is too busy for one, after a few attempts."""
    for _ in range(5):
        verdict = probe_gil(function, *args, **options)
        if verdict.verdict != "inconclusive":
            break
    return verdict


def reading(share=0.0, seconds=0.4, calls=1, interval=0.005, delay=0.0):
    return Reading(interval, calls, seconds, seconds, 10, seconds / 2, delay, share)


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


class TestRules:
    @pytest.mark.parametrize(
        ("default", "long", "verdict"),
        [
            (0.00, RELEASED, "releases"),
            (1.00, RELEASED - 0.01, "mixed"),
            (1.00, SOME, "mixed"),
            (1.00, SOME - 0.01, "yields"),
            (0.50, 0.00, "yields"),
            (0.49, 0.00, "holds"),
        ],
    )
    def test_thresholds(self, default, long, verdict):
        assert judge(CLEAR, reading(default), reading(long))[0] == verdict

    @pytest.mark.parametrize(("released", "held"), [(0.94, 0.0), (0.99, 0.06), (0.0, 0.99)])
    def test_kernels_not_told_apart(self, released, held):
        noisy = Calibration(0.0002, released, held)
        verdict, reason = judge(noisy, reading(), reading(1.0))
        assert verdict == "inconclusive"
        assert f"{released:.0%}" in reason

    def test_heart_without_a_core(self):
        verdict, reason = judge(CLEAR, reading(), reading(1.0, delay=0.38))
        assert verdict == "inconclusive"
        assert "95%" in reason

    @pytest.mark.parametrize(
        ("share", "delay", "verdict"),
        [
            (0.92, 0.1, "inconclusive"),
            (0.92, 0.0, "releases"),
            (0.87, 0.2, "inconclusive"),
            (0.84, 0.2, "mixed"),
            (0.96, 0.2, "releases"),
        ],
    )
    def test_too_near_to_tell_on_a_busy_machine(self, share, delay, verdict):
        assert judge(CLEAR, reading(), reading(share, delay=delay))[0] == verdict

    def test_call_that_only_the_system_made_long(self):
        assert judge(CLEAR, reading(1.0, 0.4, 10), reading(0.0, 0.4, 10))[0] == "yields"
        assert judge(CLEAR, reading(1.0, 0.4, 10, delay=0.3), reading(0.0, 0.4, 10))[0] == "too-short"

    @pytest.mark.parametrize(
        ("seconds", "share", "verdict"),
        [
            (0.0009, 1.0, "too-short"),
            (0.0011, 1.0, "releases"),
            (0.0011, 0.5, "mixed"),
            (0.0290, 0.0, "too-short"),
            (0.0310, 0.0, "holds"),
        ],
    )
    def test_shortest_calls(self, seconds, share, verdict):
        assert judge(CLEAR, reading(), reading(share, 100 * seconds, 100))[0] == verdict

    @given(st.lists(st.floats(1e-6, 1.0)), st.floats(1e-4, 1e-3))
    def test_shares_are_shares(self, gaps, beat):
        kept = [Gap(seconds, found_kept=index % 3 > 0) for index, seconds in enumerate(gaps)]
        assert 0 <= free_share(kept, beat) <= 1
        assert 0 <= turn_share(gaps, 0.015) <= 1

    def test_what_the_system_causes_is_not_held_against_the_call(self):
        beats, keeps = [Gap(0.0002)] * 100, Gap(0.1, found_kept=True)
        waits = Gap(0.1, heart_wait=0.06, call_wait=0.0398, found_kept=True)
        for last, least, most in [(keeps, 0.1, 0.2), (waits, 0.98, 1.0)]:
            pulse = Pulse(1, 0.12, 0.12, (*beats, last))
            assert least <= Reading.at_long(pulse, 100.0, CLEAR).share <= most

    @given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
    def test_waits_one_after_the_other_cost_more(self, seconds, heart, call):
        gap = Gap(seconds, heart, call)
        assert 0 <= gap.own(asking=False) <= gap.own(asking=True) <= seconds

    @pytest.mark.parametrize("verdict", ["holds", "too-short", "not-applicable"])
    def test_is_a_sentence(self, verdict):
        assert str(GilVerdict("m:f", verdict, "for a reason")).endswith(": for a reason.")


@with_gil
class TestPulse:
    def test_gaps_add_up_to_the_calls(self):
        pulse = feel(lambda: time.sleep(0.02), 0.005, 0.05)
        assert pulse.calls >= 2
        assert sum(gap.seconds for gap in pulse.gaps) == pytest.approx(pulse.wall_seconds)
        assert all(0 <= max(gap.heart_wait, gap.call_wait) <= gap.seconds for gap in pulse.gaps)

    def test_wait_for_a_core_grows(self):
        with RunDelay(threading.get_native_id()) as own:
            lines = [own.read() for _ in range(3) if time.sleep(0.01) is None]
        waits = [in_seconds(line) for line in lines]
        assert waits == sorted(waits)

    def test_wait_of_a_thread_that_is_not_counted_is_none(self):
        with RunDelay(-1) as nobody:
            assert in_seconds(nobody.read()) == 0

    def test_interval_is_put_back_after_an_error(self):
        before = sys.getswitchinterval()
        with pytest.raises(ValueError, match="no such luck"):
            feel(calls.raises, 1.0, 0)
        assert sys.getswitchinterval() == before


MISHAPS = {
    "raises": "calls:raises raised ValueError: no such luck",
    "interrupts": "calls:interrupts raised KeyboardInterrupt",
    "recurses": "calls:recurses raised RecursionError",
    "leaves(3)": "calls:leaves raised SystemExit: 3",
    "ends('3')": "ended in the middle of the call, exit status 3",
    "ends('0')": "ended in the middle of the call, exit status 0",
    "ends('SIGKILL')": "ended in the middle of the call, killed by SIGKILL",
    "ends('SIGTERM')": "ended in the middle of the call, killed by SIGTERM",
    "crashes": "ended in the middle of the call, killed by SIGSEGV",
    "closes": "ended in the middle of the call",
    "forks": "calls:forks forked and returned in both processes",
    "shouts": r"raised ValueError: in red \x1b[31m and below",
    "switches": "calls:switches sets the switch interval",
    "explains": "calls:explains raised ValueError: the message",
    "coroutine": "returns a coroutine",
    "generator": "returns a generator",
    "asynchronous_generator": "returns a generator",
    "nothing(undefined)": "raised NameError",
}


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs the command line in the folder of the tests; nothing may be left running after it."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(TESTS)

    def run(*arguments):
        code = main(["gil", *arguments])
        output, errors = capsys.readouterr()
        assert "Traceback" not in errors
        return code, output, errors

    yield run
    signal.signal(signal.SIGTERM, handler)
    assert gone(descendants(), 1)


@with_gil
class TestCommand:
    def test_prints_verdict_and_evidence(self, command):
        code, output, _ = command("calls:nothing", "--args", '[1, "two", null]')
        assert code == 0
        assert output.startswith("calls:nothing is too short to tell: ")
        for word in ("calls", "beats", "longest gap", "thread time", "other threads could run", "released"):
            assert word in output

    def test_expression(self, command):
        code, output, _ = command("time:sleep", "--call", "sleep(0.1) or time.sleep(0.1) or monotonic()")
        assert code == 0
        assert output.startswith("time:sleep releases the GIL")

    def test_keyword_arguments(self, command):
        arguments = '{"hold": 1, "release": 1, "times": 6}'
        assert command("./calls.py:by_turns", "--args", arguments)[:1] == (0,)

    def test_arguments_that_only_a_fork_can_hand_on(self, command):
        assert command("calls:nothing", "--args", "[" * 900 + "]" * 900)[0] == 0

    def test_names_of_a_script_and_what_it_has_from_elsewhere(self, command, tmp_path):
        (tmp_path / "napping.py").write_text(
            "import functools, time\nfrom time import sleep\n"
            "SECONDS = 0.1\nnap = functools.partial(sleep, SECONDS)\n"
        )
        assert command(f"{tmp_path}/napping.py:sleep", "--call", "sleep(SECONDS)")[0] == 0
        assert command(f"{tmp_path}/napping.py:nap")[0] == 0

    def test_without_standard_streams(self, tmp_path):
        file = tmp_path / "verdict.json"
        command = ["-m", "primerace", "gil", "time:sleep", "--args", "[0.1]", "--json", str(file)]
        process = start(*command, preexec_fn=lambda: os.closerange(0, 2))
        assert process.wait(60) == 0
        assert json.loads(file.read_text())["function"] == "time:sleep"

    def test_json_is_alone_on_standard_output(self, command):
        code, output, errors = command("calls:prints", "--args", "[2]", "--json", "-")
        found = json.loads(output)
        assert (code, found["function"]) == (0, "calls:prints")
        assert {"calibration", "at_default", "at_long", "reason"} <= set(found["evidence"])
        assert "calls:prints" in errors

    def test_json_file(self, command, tmp_path):
        file = tmp_path / "verdict.json"
        assert command("calls:nothing", "--json", str(file))[0] == 0
        assert GilVerdict.from_json(json.loads(file.read_text())).function == "calls:nothing"

    @pytest.mark.parametrize("call", MISHAPS)
    def test_mishap_in_the_call(self, command, call):
        name, bracket, _ = call.partition("(")
        code, output, errors = command(f"calls:{name}", "--call", call if bracket else f"{call}()")
        assert (code, output) == (1, "")
        assert MISHAPS[call] in errors

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            ("no_such_module:f", "there is no module 'no_such_module'"),
            ("calls:no_such_function", "has no 'no_such_function'"),
            ("calls:SHARED", "can't be called"),
            ("./no_such_script.py:f", "there is no script"),
        ],
    )
    def test_nothing_to_call(self, command, function, message):
        code, output, errors = command(function)
        assert (code, output) == (1, "")
        assert message in errors

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("1 / 0", "ZeroDivisionError"),
            ("import sys; sys.exit(3)", "called sys.exit"),
            ("import os; os._exit(3)", "ended while the function was imported, exit status 3"),
            ("def f(:", "SyntaxError"),
            (r"raise ValueError('red \x1b[31m\n')", r"ValueError: red \x1b[31m ("),
        ],
    )
    def test_import_goes_wrong(self, command, tmp_path, body, message):
        (tmp_path / "broken.py").write_text(body)
        code, _, errors = command(f"{tmp_path}/broken.py:f")
        assert code == 1
        assert message in errors

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["calls"], "names no function"),
            (["calls:nothing", "--args", "["], "is no JSON"),
            (["calls:nothing", "--args", "3"], "neither a list of arguments nor an object"),
            (["calls:nothing", "--args", ""], "is no JSON"),
            (["calls:nothing", "--args", "[" * 100_000], "is no JSON"),
            (["calls:nothing", "--call", "nothing("], "is no expression"),
            (["calls:nothing", "--call", ""], "is no expression"),
            (["calls:nothing", "--call", "await nothing()"], "'await' outside function"),
            (["calls:nothing", "--call", "-" * 100_000 + "1"], "is no expression"),
            (["calls:nothing", "--call", "+1" * 20_000], "is no expression"),
            (["calls:nothing", "--call", "nothing()", "--args", "[]"], "exclude each other"),
            (["calls:nothing", "--timeout", "0"], "not a number of seconds"),
            (["calls:nothing", "--json", "/no/such/folder/file"], "--json /no/such/folder/file"),
        ],
    )
    def test_usage(self, command, arguments, message):
        code, output, errors = command(*arguments)
        assert (code, output) == (2, "")
        assert message in errors
        assert len(errors) < 1000


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
