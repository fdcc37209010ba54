"""What racers that start processes share: signals that come while they are started."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from watching import descendants, gone, start

from primerace.children import signals_held

# The hook runs in the middle of every fork, where what a handler raises would be dropped.
PARENT = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import functions
from primerace.racers import RACERS

def leave(number, frame):
    raise SystemExit(128 + number)

if __name__ == "__main__":
    _, racer, sent = sys.argv
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), int(sent)))
    with RACERS[racer]("fork").start(2) as crew:
        list(crew.run(functions.nap, [60, 60, 60]))
"""


@pytest.mark.parametrize("racer", ["processes", "process-pool"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda sent: sent.name)
def test_signal_in_the_middle_of_a_fork_is_not_lost(tmp_path, racer, sent):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=str(Path(__file__).parent)))
    before = descendants()
    parent = start(str(script), racer, str(int(sent)))
    _, errors = parent.communicate(timeout=60)
    assert (parent.returncode, errors) == (128 + sent, "")
    assert gone(each for each in descendants() if each not in before)


class TestSignalsHeld:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
    def test_come_at_the_end(self, number):
        """Each once, also where another thread could take them."""
        came = []
        before = signal.signal(number, lambda number, _: came.append(number))
        free = threading.Event()
        other = threading.Thread(target=free.wait)
        other.start()
        try:
            with signals_held():
                for _ in range(3):
                    os.kill(os.getpid(), number)
                    time.sleep(0.01)
                assert came == []
            assert came == [number]
        finally:
            signal.signal(number, before)
            free.set()
            other.join()

    def test_interrupt_is_raised_after_the_block(self):
        done = []

        def work():
            with signals_held():
                signal.raise_signal(signal.SIGINT)
                done.append(1)

        with pytest.raises(KeyboardInterrupt):
            work()
        assert done

    def test_in_another_thread_there_are_none_to_hold(self):
        with ThreadPoolExecutor(1) as executor:
            assert executor.submit(lambda: signals_held().__enter__()).result() is None
