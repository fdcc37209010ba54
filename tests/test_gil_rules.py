"""The rules of the GIL probe: which readings make which verdict, and where the readings come from."""

import sys
import threading
import time

import calls
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace import GilVerdict, machine
from primerace.gil import Calibration, Reading
from primerace.gil.delay import RunDelay, in_seconds
from primerace.gil.pulse import Gap, Pulse, feel
from primerace.gil.readings import free_share, turn_share
from primerace.gil.verdict import RELEASED, SOME, judge

CLEAR = Calibration(0.0002, released_share=0.99, held_share=0.0)


def reading(share=0.0, seconds=0.4, calls=1, interval=0.005, delay=0.0):
    return Reading(interval, calls, seconds, seconds, 10, seconds / 2, delay, share)


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


@pytest.mark.skipif(not machine.gil_enabled(), reason="the probe does not apply without the GIL")
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
