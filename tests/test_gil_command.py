"""`primerace gil`: the verdict and its evidence, mistakes, and whatever a call may do to its process."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
from watching import descendants, gone, start

from primerace import GilVerdict, machine

TESTS = str(Path(__file__).parent)

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not machine.gil_enabled(), reason="the probe does not apply without the GIL"),
]

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
def command(in_process, monkeypatch):
    """Runs the command in the folder of the tests; nothing may be left running after it."""
    monkeypatch.chdir(TESTS)
    yield partial(in_process, "gil")
    assert gone(descendants(), 1)


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
            ("import sys; sys.exit(3)", "raised SystemExit: 3"),
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
            (["calls:nothing", "--call", "+1" * 200_000], "is no expression"),
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
