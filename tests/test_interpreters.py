"""What is special to subinterpreters: GILs of their own, in one process, and what can't go there."""

import os
import sys
from concurrent.futures import Future

import functions
import pytest
from watching import start

from primerace import kernels, target
from primerace.machine import usable_cores
from primerace.racers import RACERS, FunctionError, RacerError

LONG = 2**58 - 27  # a prime that takes trial division the better part of a second
SHORT = 25000000000013  # one that takes it as long as a thread may keep the GIL where others wait
REASON = RACERS["interpreters"]().available()
here = pytest.mark.skipif(REASON is not None, reason=f"interpreters: {REASON}")

SCRIPT = """
from primerace.racers import RACERS

def double(n):
    return 2 * n

if __name__ == "__main__":
    with RACERS["interpreters"]().start(2) as crew:
        print(sorted(outcome.answer for outcome in crew.run(double, [1, 2, 3])))
"""

REFUSER = """
from concurrent.interpreters import get_current, get_main

if get_current() != get_main():
    raise ImportError("only in the main one")

def double(n):
    return 2 * n
"""


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python 3.14 has it")
def test_reason_where_there_are_none():
    assert REASON == "needs Python 3.14"


@here
class TestInterpreters:
    def test_share_one_process(self):
        with RACERS["interpreters"]().start(2) as crew:
            assert {outcome.answer for outcome in crew.run(functions.process_id, range(8))} == {os.getpid()}
            assert crew.pids() == ()

    @pytest.mark.skipif(usable_cores() < 2, reason="needs 2 cores")
    def test_run_in_parallel_where_the_gil_is_held(self):
        """A call that holds the GIL of its interpreter lets others run; in threads all wait for it."""

        def begun_meanwhile(name):
            with RACERS[name]().start(2) as crew:
                outcomes = crew.run(kernels.held, [LONG, *[SHORT] * 200])
                long, *others = sorted(outcomes, key=lambda outcome: outcome.index)
            return sum(long.started < each.started < long.started + long.seconds for each in others)

        assert begun_meanwhile("threads") < 20 < begun_meanwhile("interpreters")

    def test_numpy_is_an_error_that_says_so(self):
        with RACERS["interpreters"]().start(2) as crew, pytest.raises(FunctionError, match="ImportError"):
            list(crew.run(functions.sum_with_numpy, [3]))

    def test_module_that_refuses_them_is_an_error_that_says_so(self, tmp_path):
        """As NumPy does, at the top of the module of one's own function."""
        tmp_path.joinpath("refuser.py").write_text(REFUSER)
        double = target.load("refuser:double", str(tmp_path))
        told = r"could not load the function: .*refuser: importing it raised ImportError: only in the main"
        with RACERS["interpreters"]().start(2) as crew, pytest.raises(RacerError, match=told):
            list(crew.run(double, [1, 2]))

    def test_function_of_a_script(self, tmp_path):
        path = tmp_path / "script.py"
        path.write_text(SCRIPT)
        process = start(str(path))
        output, errors = process.communicate(timeout=30)
        assert (output, errors) == ("[2, 4, 6]\n", "")

    def test_that_can_not_start_are_one_error(self, monkeypatch):
        from concurrent.futures.interpreter import InterpreterPoolExecutor

        def refuse(self, *call):
            future = Future()
            future.set_exception(MemoryError("no room"))
            return future

        monkeypatch.setattr(InterpreterPoolExecutor, "submit", refuse)
        with pytest.raises(RacerError, match="interpreters: 2 interpreters could not be started: no room"):
            RACERS["interpreters"]().start(2)
